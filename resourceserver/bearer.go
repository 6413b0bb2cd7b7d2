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
	token, refused := bearerCredential(authorization, math.MaxInt)
	if refused != nil {
		return "", refused
	}
	if !isToken68(token) {
		return "", refuse(ReasonMalformedHeader)
	}
	return token, nil
}

// bearerCredential returns what follows the scheme Bearer, which need not be a token68 yet. What is longer than limit bytes
// is refused unread.
func bearerCredential(authorization []string, limit int) (string, *Error) {
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
	if len(token) == len(rest) {
		return "", refuse(ReasonMalformedHeader)
	}
	if len(token) > limit {
		return "", refuse(ReasonTokenTooLarge)
	}
	return token, nil
}

// isTokenByte reports whether c may stand in an auth-scheme (RFC 9110 §5.6.2).
func isTokenByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

// token68Bytes are the bytes of which a token68 (RFC 9110 §11.2) is made, but for the "=" at its end.
var token68Bytes = func() (in [256]bool) {
	for _, c := range []byte("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~+/") {
		in[c] = true
	}
	return in
}()

// isToken68 reports whether s is a token68.
func isToken68(s string) bool {
	body := strings.TrimRight(s, "=")
	for i := range len(body) {
		if !token68Bytes[body[i]] {
			return false
		}
	}
	return body != ""
}
