package clientcreds

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/svcauth/svcauth/internal/endpoint"
)

// permanentCodes are the error codes that asking again does not mend: RFC 6749 §4.1.2.1 and §5.2, RFC 8707 §2 (and Entra ID's name for it), RFC 9396 §5,
// RFC 9449 §5. Others
// (temporarily_unavailable, a gateway's own) leave the failure transient.
var permanentCodes = map[string]bool{
	"invalid_request": true, "invalid_client": true, "invalid_grant": true, "unauthorized_client": true, "unsupported_grant_type": true, "invalid_scope": true,
	"access_denied": true, "invalid_target": true, "invalid_resource": true, "invalid_authorization_details": true, "invalid_dpop_proof": true,
}

// refusal makes an error of an answer that brought no token.
func refusal(where string, reply *endpoint.Answer, secrets []string) *Error {
	e := errorMembers(reply, secrets)
	if e.Code == "" && e.Description == "" && reply.Status >= 400 && reply.JSON() {
		e.readOkta(parseObject(reply.Body), secrets)
	}
	e.Class, e.Endpoint, e.Status = ClassStatus, where, reply.Status
	e.retryAfter = reply.RetryAfter(time.Now())
	e.text = fmt.Sprintf("token endpoint %s answered %d", where, e.Status)
	switch {
	case e.Status >= 300 && e.Status < 400:
		e.text += ", a redirect, which is never followed because it would carry the secret along: configure the URL it leads to"
		return e
	case e.Status == http.StatusRequestTimeout, e.Status == http.StatusTooManyRequests, e.Status >= 500:
	case e.Status == http.StatusUnauthorized, e.Status == http.StatusForbidden, permanentCodes[e.Code]:
		// 401 and 403 count without a code, too: an issuer in use answers a wrong secret with an empty 403.
		e.permanent, e.Class = true, ClassRefused
		e.credential = e.Code == "" || e.Code == "invalid_client" || e.Code == "unauthorized_client" || e.Code == "invalid_grant" || e.Code == "access_denied"
		e.text = fmt.Sprintf("token endpoint %s refused the client with %d", where, e.Status)
	}
	if e.Code != "" {
		e.text += " " + e.Code
	}
	if e.Description != "" {
		e.text += " " + strconv.Quote(e.Description)
	}
	return e
}

// errorMembers reads code and description of an error answer, RFC 6749 §5.2, cleaned and free of the credential.
func errorMembers(reply *endpoint.Answer, secrets []string) *Error {
	e := &Error{}
	if !reply.JSON() {
		return e
	}
	members := parseObject(reply.Body)
	var code, description string
	_ = json.Unmarshal(members["error"], &code)
	_ = json.Unmarshal(members["error_description"], &description)
	if isCode(code) && !repeats(code, secrets) {
		e.Code = code
	}
	e.Description = describe(description, secrets)
	return e
}

// readOkta reads the members with which Okta answers where it does not keep to RFC 6749 §5.2, for an unknown client for instance. Its own codes (E0000011) say
// nothing here, so only one of the RFC's counts.
func (e *Error) readOkta(members map[string]json.RawMessage, secrets []string) {
	var code, summary string
	_ = json.Unmarshal(members["errorCode"], &code)
	_ = json.Unmarshal(members["errorSummary"], &summary)
	if permanentCodes[code] {
		e.Code = code
	}
	e.Description = describe(summary, secrets)
}

// isCode keeps out sentences, which gateways put into a member named error, and anything else that is no registered-looking name.
func isCode(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") == ""
}

const maxDescription = 200

func describe(s string, secrets []string) string {
	if len(s) > 4*maxDescription {
		s = s[:4*maxDescription]
	}
	if repeats(s, secrets) {
		return "(withheld: it repeats a part of the credential)"
	}
	return printable(s, maxDescription)
}

// printable is s in printable ASCII, cut to limit characters.
func printable(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if r < 0x20 || r > 0x7e {
			return '?'
		}
		return r
	}, s)
	if len(s) > limit {
		s = s[:limit-3] + "..."
	}
	return s
}

// fragment is how many characters of a credential in a row count as a repetition of it.
const fragment = 8

// repeats reports whether text holds a credential, a form of it that was or could be sent, or a piece of one that is long enough to help an attacker.
// Servers do echo what they were sent.
func repeats(text string, secrets []string) bool {
	lower := strings.ToLower(text)
	for _, secret := range secrets {
		for _, form := range forms(secret) {
			form = strings.ToLower(form)
			if len(form) <= fragment {
				if strings.Contains(lower, form) {
					return true
				}
				continue
			}
			for i := 0; i+fragment <= len(lower); i++ {
				if strings.Contains(form, lower[i:i+fragment]) {
					return true
				}
			}
		}
	}
	return false
}

// forms returns the shapes in which a sent value can come back.
func forms(sent string) []string {
	plain := []string{sent}
	if scheme, credential, ok := strings.Cut(sent, " "); ok && strings.EqualFold(scheme, "Basic") {
		plain = []string{credential}
		if pair, err := base64.StdEncoding.DecodeString(credential); err == nil {
			_, secret, _ := strings.Cut(string(pair), ":")
			plain = append(plain, secret)
			if decoded, err := url.QueryUnescape(secret); err == nil {
				plain = append(plain, decoded)
			}
		}
	} else if ok {
		plain = append(plain, credential)
	}
	var all []string
	for _, p := range plain {
		if p == "" {
			continue
		}
		raw := []byte(p)
		all = append(all, p, formEncode(p), url.QueryEscape(p), url.PathEscape(p), strings.Trim(strconv.QuoteToASCII(p), `"`),
			base64.RawStdEncoding.EncodeToString(raw), base64.RawURLEncoding.EncodeToString(raw), hex.EncodeToString(raw))
	}
	return all
}
