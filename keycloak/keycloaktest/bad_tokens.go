package keycloaktest

import (
	"encoding/base64"
	"iter"
	"maps"
	"strings"
	"time"
)

// BadTokens gives, by a name for each, tokens that a resource server must refuse with 401: a test that ranges over them shows that it does. They are made from
// good, a Token that the service accepts, each with one thing wrong: its time, who it is from or for, its kind, its signature, its form.
//
// A service that checks no audience accepts those whose names begin with "audience", and should do so knowingly.
func (s *Server) BadTokens(good Token) iter.Seq2[string, string] {
	s.test.Helper()
	hour, another := time.Hour, "PS512"
	if s.realm.algorithm == another {
		another = "RS256"
	}
	claim := func(name string, value any) func(*Token) { return func(t *Token) { t.Claims[name] = value } }
	header := func(name string, value any) func(*Token) { return func(t *Token) { t.Header[name] = value } }
	cases := []struct {
		name   string
		change func(*Token)
	}{
		{"expired an hour ago", func(t *Token) { t.Lifetime = -hour }},
		{"without an expiry", claim("exp", nil)},
		{"expiry is text", claim("exp", "tomorrow")},
		{"not valid for another hour", claim("nbf", s.now().Add(hour).Unix())},

		{"issuer is another realm", claim("iss", s.Issuer()+"-too")},
		{"issuer with a slash at the end", claim("iss", s.Issuer()+"/")},
		{"without an issuer", claim("iss", nil)},
		{"audience is another service", claim("aud", "another-service")},
		{"audience is only Keycloak's own account", claim("aud", "account")},
		{"audience is missing", claim("aud", nil)},

		{"ID token", func(t *Token) { t.Type, t.Scope = "ID", "openid" }},
		{"marked as a refresh token", claim("typ", "Refresh")},
		{"marked as a logout token", claim("typ", "Logout")},

		{"forged, with the realm's key ID", func(t *Token) { t.Forged = true }},
		{"forged, with an unknown key ID", func(t *Token) { t.Forged = true; t.Header["kid"] = "unknown" }},
		{"forged, without a key ID", func(t *Token) { t.Forged = true; t.Header["kid"] = nil }},
		{"unsigned", func(t *Token) { t.Algorithm = "none" }},
		{"signed, but says none", header("alg", "none")},
		{"signed with the public key as a shared secret", func(t *Token) { t.Algorithm = "HS256" }},
		{"signed, but says another algorithm", header("alg", another)},
		{"critical header that nobody knows", func(t *Token) { t.Header["crit"], t.Header["unknown"] = []string{"unknown"}, true }},
	}
	damaged := []struct {
		name   string
		change func(head, payload, signature string) string
	}{
		{"changed after it was signed", func(head, payload, signature string) string {
			s.test.Helper()
			return head + "." + s.promoted(payload) + "." + signature
		}},
		{"signature removed", func(head, payload, _ string) string { return head + "." + payload + "." }},
		{"signature cut off with its dot", func(head, payload, _ string) string { return head + "." + payload }},
		{"signature cut short", func(head, payload, signature string) string {
			return head + "." + payload + "." + signature[:len(signature)/8*4]
		}},
		{"not a JWT", func(string, string, string) string { return "a-token-that-is-opaque" }},
	}
	return func(yield func(name, token string) bool) {
		s.test.Helper()
		for _, one := range cases {
			t := good
			t.Claims, t.Header = maps.Clone(good.Claims), maps.Clone(good.Header)
			if t.Claims == nil {
				t.Claims = map[string]any{}
			}
			if t.Header == nil {
				t.Header = map[string]any{}
			}
			if one.name == "ID token" && t.Audience == nil {
				t.Audience = s.audienceOf(good)
			}
			one.change(&t)
			if !yield(one.name, s.Token(t)) {
				return
			}
		}
		if good.User != "" && !yield("refresh token", s.Token(Token{Client: good.Client, User: good.User, Type: "Refresh", Scope: good.Scope})) {
			return
		}
		for _, one := range damaged {
			parts := strings.Split(s.Token(good), ".")
			if !yield(one.name, one.change(parts[0], parts[1], parts[2])) {
				return
			}
		}
	}
}

// audienceOf is what the access token is for, so that an ID token can be refused for nothing but its kind.
func (s *Server) audienceOf(t Token) []string {
	s.test.Helper()
	switch audience := s.accessClaims(s.session(t), s.now())["aud"].(type) {
	case string:
		return []string{audience}
	case []string:
		return audience
	}
	return nil
}

// promoted is a payload in which the caller has given themselves a role.
func (s *Server) promoted(payload string) string {
	s.test.Helper()
	claims := map[string]any{}
	decodeSegment(payload, &claims)
	claims["realm_access"] = map[string]any{"roles": []string{"admin"}}
	return base64.RawURLEncoding.EncodeToString(s.payload(claims))
}
