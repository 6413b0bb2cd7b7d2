package clientcreds

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
)

// maxLifetime keeps sums of times within their types.
const maxLifetime = 50 * 365 * 24 * time.Hour

// answer is a token endpoint's success, RFC 6749 §5.1, as far as it is used.
type answer struct {
	token    string
	scopes   []string      // granted; nil: not said
	lifetime time.Duration // zero: not said
}

// parseAnswer reads a 2xx body. The text of its error is fit for callers: it holds nothing of the body but a token type, and not one that repeats the token or
// one of secrets, which is what was sent.
//
// Names are exact; encoding/json alone would take ACCESS_TOKEN as well.
func parseAnswer(body []byte, secrets []string) (answer, string) {
	members := parseObject(body)
	if members == nil {
		return answer{}, "a body that is not a JSON object"
	}
	var a answer
	if json.Unmarshal(members["access_token"], &a.token) != nil || a.token == "" {
		return answer{}, "a body without an access_token"
	}
	if strings.ContainsFunc(a.token, func(r rune) bool { return r < 0x21 || r > 0x7e }) {
		// It would break, or break out of, the Authorization field.
		return answer{}, "an access_token with characters that no token may have"
	}
	// token_type is required, but issuers leave it out for bearer tokens (Shopify does for this very grant, LinkedIn for others).
	if raw, ok := members["token_type"]; ok && string(raw) != "null" {
		var kind string
		if json.Unmarshal(raw, &kind) != nil {
			return answer{}, "a token_type that is not a string"
		}
		// Apigee writes BearerToken unless it is told to follow the RFC.
		if kind != "" && !strings.EqualFold(kind, "bearer") && !strings.EqualFold(kind, "BearerToken") {
			if len(a.token) >= fragment && repeats(kind, []string{a.token}) || repeats(kind, secrets) {
				return answer{}, "a token_type that repeats the token or the credential, want Bearer"
			}
			return answer{}, "a token of type " + strconv.Quote(printable(kind, 40)) + ", want Bearer"
		}
	}
	a.scopes = parseScope(members["scope"])
	a.lifetime = parseExpiresIn(members["expires_in"])
	return a, ""
}

// accessToken is the token of a body, or empty.
func accessToken(body []byte) string {
	var token string
	_ = json.Unmarshal(parseObject(body)["access_token"], &token)
	return token
}

// parseObject returns nil for anything but one whole JSON object.
func parseObject(body []byte) map[string]json.RawMessage {
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) != nil {
		return nil
	}
	return members
}

// parseExpiresIn reads seconds as a number, whole or not, or as a string of one: issuers send all of these. Zero, negative, null and nonsense say nothing.
func parseExpiresIn(raw json.RawMessage) time.Duration {
	text := string(raw)
	if strings.HasPrefix(text, `"`) {
		if json.Unmarshal(raw, &text) != nil {
			return 0
		}
		text = strings.TrimSpace(text)
	}
	// ParseFloat reads more than numbers: inf, nan, hexadecimal.
	if text == "" || strings.Trim(text, "0123456789.eE+-") != "" {
		return 0
	}
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil && !math.IsInf(seconds, 1) {
		return 0
	}
	return duration(seconds)
}

func duration(seconds float64) time.Duration {
	switch {
	case !(seconds > 0):
		return 0
	case seconds >= maxLifetime.Seconds():
		return maxLifetime
	}
	return time.Duration(seconds * float64(time.Second))
}

// jwtLifetime reads how long a token lives from sent on out of its exp claim, if it is a JWT, and returns zero if it can't. Nothing is verified: it is a
// hint about when to ask again, and a wrong one costs a request or a 401.
func jwtLifetime(token string, sent time.Time) time.Duration {
	var exp float64
	if json.Unmarshal(parseObject(jwtPayload(token))["exp"], &exp) != nil || !(exp > 0) {
		return 0
	}
	now := float64(sent.UnixNano()) / float64(time.Second)
	return duration(exp - now)
}

// jwtPayload returns the payload of a token that has the shape of a JWT, not verified, and nil for any other.
func jwtPayload(token string) []byte {
	parts := strings.SplitN(token, ".", 4)
	if len(parts) != 3 {
		return nil
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil
	}
	return payload
}
