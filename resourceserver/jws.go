package resourceserver

import (
	"encoding/base64"
	"strings"

	"github.com/svcauth/svcauth/internal/strictjson"
)

// compact is a JWS in compact serialization (RFC 7515 §3.1), split and decoded but not verified.
type compact struct {
	alg, kid     string
	typ          string // lower case, without "application/"
	payload      []byte
	signingInput string
	signature    []byte
}

// maxKeyID bounds kid, which becomes a map key and stands in logs.
const maxKeyID = 512

// parseCompact takes a token apart: exactly three parts, strict base64url, a header that asks for nothing this package does not do. Five parts would be a JWE,
// which no access token for us is; an algorithm's name alone decides whether any further work is spent.
func parseCompact(token string, algorithms []string) (*compact, *Error) {
	head, rest, ok := strings.Cut(token, ".")
	body, sig, ok2 := strings.Cut(rest, ".")
	if !ok || !ok2 || head == "" || body == "" || strings.IndexByte(sig, '.') >= 0 {
		return nil, refuse(ReasonMalformedToken).because("three parts", "")
	}
	if sig == "" {
		return nil, refuse(ReasonMalformedToken).because("a signature", "none")
	}
	rawHeader, ok := decodeBase64URL(head)
	if !ok {
		return nil, refuse(ReasonMalformedToken).because("a header in base64url", "")
	}
	header, err := strictjson.Object(rawHeader)
	if err != nil {
		return nil, refuse(ReasonMalformedToken).because("a JSON header", err.Error())
	}
	c := &compact{signingInput: token[:len(head)+1+len(body)]}
	if refused := c.readHeader(header, algorithms); refused != nil {
		return nil, refused
	}
	if c.payload, ok = decodeBase64URL(body); !ok {
		return nil, refuse(ReasonMalformedToken).because("claims in base64url", "")
	}
	if c.signature, ok = decodeBase64URL(sig); !ok {
		return nil, refuse(ReasonMalformedToken).because("a signature in base64url", "")
	}
	return c, nil
}

// headerNames are the header parameters that decide. As with claims, a name that differs from one only in case is refused: what one reader takes for "alg" another
// ignores.
var headerNames = []string{"alg", "typ", "kid", "crit", "b64", "zip", "enc"}

// readHeader checks the JOSE header (RFC 7515 §4.1, RFC 8725 §3). Keys that the header brings along (jwk, jku, x5u, x5c) are never looked at: they are the
// sender's word.
func (c *compact) readHeader(header map[string]any, algorithms []string) *Error {
	for name := range header {
		for _, r := range headerNames {
			if name != r && strings.EqualFold(name, r) {
				return refuse(ReasonMalformedToken).because("header names in lower case", name)
			}
		}
	}
	alg, ok := header["alg"].(string)
	if !ok {
		return refuse(ReasonMalformedToken).because("an alg", "")
	}
	allowed := false
	for _, a := range algorithms {
		allowed = allowed || a == alg
	}
	if !allowed {
		return refuse(ReasonAlgorithm).because(strings.Join(algorithms, " "), alg)
	}
	c.alg = alg
	for _, name := range []string{"crit", "b64", "zip", "enc"} {
		if _, present := header[name]; present {
			return refuse(ReasonHeader).because("no "+name+" in the header", name)
		}
	}
	if kid, present := header["kid"]; present {
		if c.kid, ok = kid.(string); !ok || len(c.kid) > maxKeyID {
			return refuse(ReasonMalformedToken).because("a short text as kid", "")
		}
	}
	if typ, present := header["typ"]; present {
		text, ok := typ.(string)
		if !ok {
			return refuse(ReasonMalformedToken).because("a text as typ", "")
		}
		c.typ = strings.TrimPrefix(strings.ToLower(text), "application/")
		if c.typ != "jwt" && c.typ != "at+jwt" {
			return refuse(ReasonHeader).because("typ JWT or at+jwt", text)
		}
	}
	return nil
}

var strictBase64URL = base64.RawURLEncoding.Strict()

// decodeBase64URL decodes without padding, white space or spare bits, so that a token has one spelling only. (The standard decoder skips line breaks.)
func decodeBase64URL(s string) ([]byte, bool) {
	if strings.ContainsAny(s, "\r\n") {
		return nil, false
	}
	data, err := strictBase64URL.DecodeString(s)
	return data, err == nil
}
