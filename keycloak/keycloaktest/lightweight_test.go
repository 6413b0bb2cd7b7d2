package keycloaktest

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// lightRealm has a client whose mappers show which of them write into lightweight tokens.
const lightRealm = `{"realm": "r", "enabled": true,
  "clients": [{"clientId": "light", "secret": "x", "serviceAccountsEnabled": true, "redirectUris": ["http://127.0.0.1/*"],
    "attributes": {"client.use.lightweight.access.token.enabled": "true"},
    "protocolMappers": [
      {"protocolMapper": "oidc-audience-mapper", "config": {"included.custom.audience": "plain", "access.token.claim": "true"}},
      {"protocolMapper": "oidc-audience-mapper", "config": {"included.custom.audience": "light", "lightweight.claim": "true"}},
      {"protocolMapper": "oidc-usermodel-realm-role-mapper", "config": {"claim.name": "roles", "access.token.claim": "true"}},
      {"protocolMapper": "oidc-usermodel-realm-role-mapper", "config": {"claim.name": "groups", "lightweight.claim": "true"}}]}],
  "users": [{"username": "ann", "enabled": true, "email": "a@example.com", "realmRoles": ["ROLE_A"]},
    {"username": "service-account-light", "enabled": true, "serviceAccountClientId": "light", "realmRoles": ["ROLE_B"]}]}`

func TestLightweightTokens(t *testing.T) {
	s := startJSON(t, lightRealm)
	names := func(claims map[string]any) (all []string) {
		for name := range claims {
			all = append(all, name)
		}
		return all
	}
	status, answer := issue(t, s, "light", "x", "")
	require.Equal(t, 200, status)
	claims := claimsOf(t, answer.AccessToken)
	assert.ElementsMatch(t, []string{"iss", "exp", "iat", "jti", "typ", "azp", "scope", "sub", "aud", "groups"}, names(claims))
	assert.Equal(t, []any{"light", []any{"ROLE_B"}}, []any{claims["aud"], claims["groups"]})
	assert.Regexp(t, "^trltcc:", claims["jti"])

	claims = claimsOf(t, s.Token(Token{User: "ann"}))
	assert.ElementsMatch(t, []string{"iss", "exp", "iat", "jti", "typ", "azp", "scope", "sid", "aud", "groups"}, names(claims), "of a person, no sub")
	assert.Regexp(t, "^onltac:", claims["jti"])
	assert.Equal(t, "a@example.com", claimsOf(t, s.Token(Token{User: "ann", Type: "ID"}))["email"], "ID tokens are as ever")
}

func TestLightweightTokenOfAnyClient(t *testing.T) {
	s := start(t, Config{})
	claims := claimsOf(t, s.Token(Token{User: "alice", Lightweight: true}))
	for _, name := range []string{"sub", "aud", "realm_access", "resource_access", "preferred_username", "email", "acr", "auth_time"} {
		assert.NotContains(t, claims, name)
	}
	assert.Equal(t, "service", claimsOf(t, s.Token(Token{Lightweight: true, Audience: []string{"service"}}))["aud"])
}

func TestUserinfoTakesNoLightweightToken(t *testing.T) {
	s := startJSON(t, lightRealm)
	_, answer := issue(t, s, "light", "x", "&scope=openid")
	res, _ := send(t, http.MethodGet, s.Issuer()+UserinfoEndpoint, "", http.Header{"Authorization": {"Bearer " + answer.AccessToken}})
	assert.Equal(t, 401, res.StatusCode)
	assert.Equal(t, `Bearer realm="r", error="invalid_token", error_description="Lightweight access token not allowed for userinfo endpoint"`,
		res.Header.Get("WWW-Authenticate"))
}
