package resourceserver

import (
	"math"
	"strings"
)

// DefaultMaxTokenSize is the size in bytes above which a token is refused before any work is spent on it.
const DefaultMaxTokenSize = 16 << 10

// BearerToken returns the token from the values of a request's Authorization fields (RFC 6750 §2.1, RFC 9110 §11.4): the scheme Bearer in any case, one or more
// spaces, one token. The token itself is not looked at. Errors are *Error:
//   - no field, an empty one or another scheme: ReasonMissingToken;
//   - more than one field: ReasonMultipleTokens, since two readers might each choose another;
//   - Bearer without exactly one token: ReasonMalformedHeader.
func BearerToken(authorization []string) (string, error) {
	token, err := bearerToken(authorization, math.MaxInt)
	if err != nil {
		return "", err
	}
	return token, nil
}

// bearerToken looks at no more of a token than limit bytes: what is longer is refused unread.
func bearerToken(authorization []string, limit int) (string, *Error) {
	if len(authorization) > 1 {
		return "", refuse(ReasonMultipleTokens)
	}
	if len(authorization) == 0 {
		return "", refuse(ReasonMissingToken)
	}
	value := strings.Trim(authorization[0], " \t")
	end := 0
	for end < len(value) && isTokenByte(value[end]) {
		end++
	}
	if !strings.EqualFold(value[:end], "Bearer") {
		return "", refuse(ReasonMissingToken)
	}
	rest := value[end:]
	token := strings.TrimLeft(rest, " ")
	if len(token) != len(rest) && len(token) > limit {
		return "", refuse(ReasonTokenTooLarge)
	}
	if len(token) == len(rest) || !isToken68(token) {
		return "", refuse(ReasonMalformedHeader)
	}
	return token, nil
}

// isTokenByte reports whether c may stand in an auth-scheme (RFC 9110 §5.6.2).
func isTokenByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

// isToken68 reports whether s is a token68 (RFC 9110 §11.2).
func isToken68(s string) bool {
	body := strings.TrimRight(s, "=")
	if body == "" {
		return false
	}
	for i := range len(body) {
		c := body[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~+/", c) >= 0) {
			return false
		}
	}
	return true
}
