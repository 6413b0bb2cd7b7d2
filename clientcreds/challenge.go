package clientcreds

import (
	"net/http"
	"strings"
)

// maxChallenge bounds how much of a WWW-Authenticate field is read, in bytes.
const maxChallenge = 8 << 10

// challenge is one of the challenges of a WWW-Authenticate field (RFC 9110 §11.6.1).
type challenge struct {
	scheme string            // lower case
	params map[string]string // names in lower case; of repeated ones the first
}

// saysInvalidToken reports whether one of the challenges is a Bearer one that says invalid_token (RFC 6750 §3.1). The same words under another scheme,
// such as DPoP's, mean another token.
func saysInvalidToken(header http.Header) bool {
	for _, field := range header.Values("WWW-Authenticate") {
		for _, c := range parseChallenges(field) {
			if c.scheme == "bearer" && c.params["error"] == "invalid_token" {
				return true
			}
		}
	}
	return false
}

// parseChallenges reads a list of challenges, each a scheme and then a token68, or parameters, or nothing. A comma separates challenges and parameters
// alike, so what follows one is a parameter if it has the shape name=value, and else a scheme. Reading ends where the field breaks the grammar; what was
// read until there counts.
func parseChallenges(field string) []challenge {
	if len(field) > maxChallenge {
		field = field[:maxChallenge]
	}
	var all []challenge
	s := scanner{rest: field}
	for {
		s.skip(" \t,")
		name := s.token()
		if name == "" {
			return all
		}
		all = append(all, challenge{scheme: strings.ToLower(name), params: map[string]string{}})
		spaced := s.skip(" \t")
		if s.rest == "" {
			return all
		}
		if s.rest[0] == ',' {
			continue
		}
		if !spaced || !s.params(all[len(all)-1].params) {
			return all
		}
	}
}

type scanner struct{ rest string }

func (s *scanner) skip(set string) bool {
	trimmed := strings.TrimLeft(s.rest, set)
	some := len(trimmed) < len(s.rest)
	s.rest = trimmed
	return some
}

func (s *scanner) token() string {
	n := 0
	for n < len(s.rest) && isTokenChar(s.rest[n]) {
		n++
	}
	name := s.rest[:n]
	s.rest = s.rest[n:]
	return name
}

// token68 skips the other form of credentials, such as Negotiate sends, if the rest begins with one that ends where a challenge may end.
func (s *scanner) token68() bool {
	n := 0
	for n < len(s.rest) && isToken68Char(s.rest[n]) {
		n++
	}
	if n == 0 {
		return false
	}
	after := scanner{rest: strings.TrimLeft(s.rest[n:], "=")}
	after.skip(" \t")
	if after.rest != "" && after.rest[0] != ',' {
		return false
	}
	s.rest = after.rest
	return true
}

// params reads the rest of one challenge, and stops where the next begins. False: the grammar is broken.
func (s *scanner) params(into map[string]string) bool {
	if s.token68() {
		return true
	}
	for {
		start := s.rest
		name := strings.ToLower(s.token())
		s.skip(" \t")
		if name == "" {
			return s.rest == "" // a comma at the end
		}
		if s.rest == "" || s.rest[0] != '=' {
			s.rest = start // the next challenge's scheme
			return true
		}
		s.rest = s.rest[1:]
		s.skip(" \t")
		value, ok := s.value()
		if !ok {
			return false
		}
		if _, repeated := into[name]; !repeated {
			into[name] = value
		}
		s.skip(" \t")
		if s.rest == "" {
			return true
		}
		if s.rest[0] != ',' {
			return false
		}
		s.skip(" \t,")
	}
}

func (s *scanner) value() (string, bool) {
	if strings.HasPrefix(s.rest, `"`) {
		return s.quoted()
	}
	value := s.token()
	return value, value != ""
}

func (s *scanner) quoted() (string, bool) {
	var b strings.Builder
	for i := 1; i < len(s.rest); i++ {
		switch c := s.rest[i]; c {
		case '"':
			s.rest = s.rest[i+1:]
			return b.String(), true
		case '\\':
			if i++; i == len(s.rest) {
				return "", false
			}
			b.WriteByte(s.rest[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", false
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

func isTokenChar(c byte) bool {
	return isAlphanumeric(c) || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

func isToken68Char(c byte) bool { return isAlphanumeric(c) || strings.IndexByte("-._~+/", c) >= 0 }
