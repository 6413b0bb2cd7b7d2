package keycloaktest_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/svcauth/svcauth/keycloak/keycloaktest"
)

// Every answer is that of Keycloak 26.7.4 to the same request.
func TestUserinfo(t *testing.T) {
	s := people(t)
	b := newBrowser(t, s)
	given := b.tokens()
	_, body := b.redeem(b.signIn("scope=profile"), "")
	plain := parse[tokens](t, body)
	service := func(scope string) string {
		status, body := b.token(url.Values{"grant_type": {"client_credentials"}, "client_id": {"noflow"}, "client_secret": {"x"}, "scope": {scope}})
		require.Equal(t, 200, status)
		return parse[tokens](t, body).Access
	}
	const (
		none    = `Bearer realm="people"`
		invalid = none + `, error="invalid_token", error_description="Token verification failed"`
		ended   = none + `, error="invalid_token", error_description="user_session_not_found"`
		scope   = none + `, error="insufficient_scope", error_description="Missing openid scope"`
	)
	for _, c := range []struct {
		name, token string
		status      int
		want        string
	}{
		{"no token", "", 401, none},
		{"garbage", "abc", 401, invalid},
		{"three dots", "a.b.c", 401, invalid},
		{"ID token", given.ID, 401, invalid},
		{"refresh token", given.Refresh, 401, invalid},
		{"other signature", given.Access[:len(given.Access)-4] + "AAAA", 401, invalid},
		{"of another realm", people(t).Token(keycloaktest.Token{User: "alice", Scope: "openid"}), 401, invalid},
		{"says alg none", s.Token(keycloaktest.Token{User: "alice", Scope: "openid", Header: map[string]any{"alg": "none"}}), 401, invalid},
		{"expired", s.Token(keycloaktest.Token{User: "alice", Scope: "openid", Lifetime: -1}), 401, invalid},
		{"of no session", s.Token(keycloaktest.Token{User: "alice", Scope: "openid"}), 401, ended},
		{"without openid", plain.Access, 403, scope},
		{"service account without openid", service("profile"), 403, scope},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, challenge := b.userinfo(c.token)
			assert.Equal(t, c.status, status)
			assert.Equal(t, c.want, challenge)
		})
	}
	sub := claims(t, given.Access, 1)["sub"]
	status, body := b.userinfo(given.Access)
	require.Equal(t, 200, status, body)
	alice := map[string]any{
		"sub": sub, "email_verified": true, "name": "Alice A", "preferred_username": "alice", "given_name": "Alice", "family_name": "A", "email": "alice@example.com",
		"realm_access": map[string]any{"roles": []any{"app", "default-roles-people", "offline_access", "uma_authorization"}},
	}
	assert.Equal(t, alice, parse[map[string]any](t, body))

	account := service("openid")
	status, body = b.userinfo(account)
	require.Equal(t, 200, status, body)
	assert.Equal(t, map[string]any{"sub": claims(t, account, 1)["sub"], "email_verified": false, "preferred_username": "service-account-noflow"},
		parse[map[string]any](t, body))

	bearer := http.Header{"Authorization": {"bearer " + given.Access}}
	assert.Equal(t, 200, b.do(b.endpoint("userinfo"), url.Values{}, bearer).StatusCode, "POST")
	assert.Equal(t, 200, b.do(b.endpoint("userinfo"), url.Values{"access_token": {given.Access}}, nil).StatusCode, "in the form")
	res := b.do(b.endpoint("userinfo"), url.Values{"access_token": {given.Access}}, bearer)
	assert.Equal(t, 400, res.StatusCode, "in both")
	assert.Equal(t, none+`, error="invalid_request", error_description="More than one method used for including an access token"`, res.Header.Get("WWW-Authenticate"))
	assert.Equal(t, 401, b.do(b.endpoint("userinfo")+"?access_token="+given.Access, nil, nil).StatusCode, "in the query")
}
