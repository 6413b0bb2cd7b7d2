package keycloaktest

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/svcauth/svcauth/internal/jose"
)

func TestTokenOfTheZeroRealm(t *testing.T) {
	s := start(t, Config{})
	claims := claimsOf(t, s.Token(Token{}))
	assert.Equal(t, "job", claims["azp"])
	assert.Equal(t, "service", claims["aud"])
	assert.Equal(t, map[string]any{"roles": []any{"ROLE_JOB"}}, claims["realm_access"])
	claims = claimsOf(t, s.Token(Token{User: "alice"}))
	assert.Equal(t, "webapp", claims["azp"])
	assert.Equal(t, []any{"service", "account"}, claims["aud"])
	assert.Subset(t, claims["realm_access"].(map[string]any)["roles"], []any{"ROLE_ADMIN", "ROLE_USER"})
	status, answer := issue(t, s, "job", "job-secret", "")
	assert.Equal(t, 200, status)
	assert.True(t, verified(t, s, answer.AccessToken))
}

func TestTokenFields(t *testing.T) {
	s := start(t, Config{})
	now := float64(time.Now().Unix())
	for _, c := range []struct {
		name  string
		token Token
		claim string
		want  any // nil: absent
	}{
		{"audience, none", Token{Audience: []string{}}, "aud", nil},
		{"audience, one", Token{Audience: []string{"a"}}, "aud", "a"},
		{"audience, two", Token{Audience: []string{"a", "b"}}, "aud", []any{"a", "b"}},
		{"roles, none", Token{Roles: []string{}}, "realm_access", nil},
		{"roles, two", Token{User: "alice", Roles: []string{"a", "b"}}, "realm_access", map[string]any{"roles": []any{"a", "b"}}},
		{"roles stand for client roles too", Token{User: "alice", Roles: []string{"a"}}, "resource_access", nil},
		{"scope", Token{User: "alice", Scope: "openid address"}, "scope", "openid profile email address"},
		{"client of a person", Token{User: "alice", Client: "job"}, "azp", "job"},
		{"person has no client_id", Token{User: "alice", Client: "job"}, "client_id", nil},
		{"ID token", Token{Type: "ID"}, "typ", "ID"},
		{"ID token is for the client", Token{Type: "ID"}, "aud", "job"},
		{"claim replaced", Token{Claims: map[string]any{"iss": "https://elsewhere.example"}}, "iss", "https://elsewhere.example"},
		{"claim removed", Token{Claims: map[string]any{"exp": nil}}, "exp", nil},
		{"claim added", Token{Claims: map[string]any{"tenant": "t"}}, "tenant", "t"},
	} {
		t.Run(c.name, func(t *testing.T) {
			token := s.Token(c.token)
			claims := claimsOf(t, token)
			if c.want == nil {
				assert.NotContains(t, claims, c.claim)
			} else {
				assert.Equal(t, c.want, claims[c.claim])
			}
			assert.True(t, verified(t, s, token))
		})
	}

	expiry := func(token Token) (exp, iat float64) {
		claims := claimsOf(t, s.Token(token))
		return claims["exp"].(float64), claims["iat"].(float64)
	}
	exp, iat := expiry(Token{Lifetime: time.Hour})
	assert.InDelta(t, now+3600, exp, 60)
	assert.InDelta(t, now, iat, 60)
	exp, iat = expiry(Token{Lifetime: -time.Hour})
	assert.InDelta(t, now-3600, exp, 60)
	assert.Equal(t, exp-300, iat)
}

func TestTokenHeader(t *testing.T) {
	s := start(t, Config{})
	header, _ := parts(t, s.Token(Token{Header: map[string]any{"typ": "at+jwt", "kid": nil}}))
	assert.Equal(t, map[string]any{"alg": "RS256", "typ": "at+jwt"}, header)
	token := s.Token(Token{Header: map[string]any{"alg": "none"}})
	header, _ = parts(t, token)
	assert.Equal(t, "none", header["alg"])
	assert.True(t, verified(t, s, token), "signed all the same")
}

func TestTokenDoesNotTouchTheCallersMaps(t *testing.T) {
	s := start(t, Config{})
	token := Token{Claims: map[string]any{"exp": nil}, Header: map[string]any{"kid": nil}}
	s.Token(token)
	assert.Equal(t, Token{Claims: map[string]any{"exp": nil}, Header: map[string]any{"kid": nil}}, token)
}

func TestTokenMistakesPanicWithAClearText(t *testing.T) {
	s := start(t, Config{})
	for want, token := range map[string]Token{
		`keycloaktest: realm "test" has no client "nope" (it has service, job, webapp)`:                                                              {Client: "nope"},
		`keycloaktest: realm "test" has no user "nope" (it has alice, bob)`:                                                                          {User: "nope"},
		`keycloaktest: realm "test" gives client "job" not all scopes of "nope" (it has openid, service_account, basic, acr, profile, email, roles)`: {Scope: "nope"},
		`keycloaktest: realm "test" gives client "webapp" no service account: set Token.User, or serviceAccountsEnabled in the JSON`:                 {Client: "webapp"},
		`keycloaktest: Token.Type "Logout" is none of Bearer, ID and Refresh: set the claim typ in Token.Claims`:                                     {Type: "Logout"},
		`keycloaktest: Token.Type Refresh without a User: service accounts have no refresh tokens, set Token.User`:                                   {Type: "Refresh"},
		`keycloaktest: Token.Type Refresh with Roles, Lightweight, Algorithm or Forged, which are for the other types: leave them out`: {
			Type: "Refresh", User: "alice", Roles: []string{"a"}},
		`keycloaktest: Token.Algorithm "RS1" is not supported: want none, HS256, HS384, HS512 or one of ` + strings.Join(jose.Algorithms(), ", "): {
			Algorithm: "RS1"},
		`keycloaktest: Token.Forged and Token.Algorithm "none" are both set: choose one, no key of the realm signs by that algorithm`: {
			Forged: true, Algorithm: "none"},
		`keycloaktest: the claims can't be encoded as JSON: json: unsupported type: func()`: {Claims: map[string]any{"f": func() {}}},
	} {
		assert.PanicsWithValue(t, want, func() { s.Token(token) })
	}
	none := startJSON(t, `{"realm": "r"}`)
	assert.PanicsWithValue(t, `keycloaktest: realm "r" has no client that fits: set Token.Client`, func() { none.Token(Token{}) })
}
