package resourceserver_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	rs "github.com/svcauth/svcauth/resourceserver"
)

// TestTokensOfOtherIssuers holds that each issuer's tokens pass with the configuration beside them, and say who calls; and that they pass nowhere else.
func TestTokensOfOtherIssuers(t *testing.T) {
	for name, s := range issuerShapes {
		t.Run(name, func(t *testing.T) {
			auth := s.auth(t)
			p, err := auth.Verify(t.Context(), s.token(nil))
			require.NoError(t, err, "%v", auth.Explain(t.Context(), s.token(nil)))
			assert.Equal(t, s.client, p.ClientID)
			assert.Equal(t, s.username, p.Username)
			assert.ElementsMatch(t, s.roles, p.Roles)
			assert.ElementsMatch(t, s.scopes, p.Scopes)

			for reason, change := range map[rs.Reason]claims{
				rs.ReasonIssuer:      {"iss": s.config.Issuer + "x"},
				rs.ReasonExpired:     {"exp": time.Now().Unix() - 100, "iat": 1},
				rs.ReasonAudience:    {"aud": "another"},
				rs.ReasonSenderBound: {"cnf": claims{"jkt": "x"}},
			} {
				if reason == rs.ReasonAudience && s.config.SkipAudienceCheck {
					continue
				}
				_, err := auth.Verify(t.Context(), s.token(change))
				require.ErrorIs(t, err, &rs.Error{Reason: reason})
			}
		})
	}
}

// TestNotForUs holds what is refused of these issuers although they sign it, and that the hint is in their terms.
func TestNotForUs(t *testing.T) {
	long := strings.Repeat("x", 300)
	for _, c := range []struct {
		name, issuer string
		token        func(*issuerShape) string
		want         rs.Reason
		hint         string
	}{
		{"Cognito's ID token", "AWS Cognito, which writes no aud", with(claims{"token_use": "id", "aud": "c0de"}), rs.ReasonTokenKind, "access_token"},
		{"Okta's ID token", "Okta", with(claims{"aud": "api://default", "at_hash": "h"}), rs.ReasonTokenKind, "access_token"},
		{"authentik's, of a sign-in with a nonce", "authentik", with(claims{"nonce": "n"}), rs.ReasonTokenKind, "authentik sign in without a nonce"},
		{"Okta's own server's", "Okta", headed("typ", "application/okta-internal-at+jwt"), rs.ReasonHeader, ""},
		{"Auth0's encrypted token", "Auth0", func(*issuerShape) string { return "eyJhbGciOiJkaXIifQ..aXY.Y2lwaGVy.dGFn" }, rs.ReasonMalformedToken, "a reference or encrypted"},
		{"Hydra's opaque token", "Ory Hydra", func(*issuerShape) string { return "ory_at_x" }, rs.ReasonMalformedToken, "a reference or encrypted"},
		{"PingFederate's Username", "PingOne", with(claims{"Username": "siva"}), rs.ReasonMalformedClaims, ""},

		{"Entra's other version", "Microsoft Entra ID v2, an app", with(claims{"iss": "https://sts.windows.net/7d8e/"}), rs.ReasonIssuer, "requestedAccessTokenVersion"},
		{"Entra's other tenant", "Microsoft Entra ID v2, an app", with(claims{"iss": "https://login.microsoftonline.com/beef/v2.0"}), rs.ReasonIssuer, "by the tenant"},
		{"Google's other name", "Google's name without a scheme", with(claims{"iss": "https://accounts.google.com"}), rs.ReasonIssuer, "differ by the scheme"},
		{"Okta's other server", "Okta", with(claims{"iss": "https://x.okta.com/oauth2/other"}), rs.ReasonIssuer, "another tenant or server of the same host"},
		{"another issuer", "Okta", with(claims{"iss": "https://evil.test/" + long}), rs.ReasonIssuer, "if it is to be trusted"},
		{"SPIRE without jwt_issuer", "SPIFFE, by a trust bundle", with(claims{"iss": ""}), rs.ReasonIssuer, "jwt_issuer"},

		{"Entra's client id for its URI", "Microsoft Entra ID v1, a person", with(claims{"aud": "a2b1"}), rs.ReasonAudience, "api:// URI"},
		{"Hydra without an audience", "Ory Hydra", with(claims{"aud": []string{}}), rs.ReasonAudience, "let the client ask for messages"},
		{"a long audience", "Auth0", with(claims{"aud": long}), rs.ReasonAudience, "let the client ask for https://api.example"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := issuerShapes[c.issuer]
			_, err := s.auth(t).Verify(t.Context(), c.token(&s))
			var refused *rs.Error
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, c.want, refused.Reason)
			assert.Contains(t, refused.Hint, c.hint)
			assert.Less(t, len(refused.Hint), 400)
		})
	}
}

// TestFoldedNameIsTold holds that whoever has to rename a claim at the issuer learns which.
func TestFoldedNameIsTold(t *testing.T) {
	_, err := rs.ParseClaims([]byte(`{"Username":"siva"}`))
	assert.EqualError(t, err, "resourceserver: claims: a claim name differs from a registered one only in case, username")
	for _, name := range []string{"AppId", "CID", "Token_use"} { // they decide about other issuers' tokens
		_, err := rs.ParseClaims([]byte(`{"` + name + `":"x"}`))
		assert.ErrorContains(t, err, "only in case, "+strings.ToLower(name))
	}
}

func with(change claims) func(*issuerShape) string {
	return func(s *issuerShape) string { return s.token(change) }
}

func headed(name, value string) func(*issuerShape) string {
	return func(s *issuerShape) string {
		own := *s
		own.header = map[string]any{name: value}
		return own.token(nil)
	}
}

// TestRoleHintsOfOtherIssuers holds that a missing role is not blamed on Keycloak's settings where there is none.
func TestRoleHintsOfOtherIssuers(t *testing.T) {
	elsewhere := rs.RolesFromClaim("https://x.example/roles")
	for issuer, want := range map[string]string{
		"Okta": "the token holds other roles", "PingOne": "are []", "Auth0": "are [permissions]", "Zitadel, with roles as an object": "[urn:zitadel:iam:org:project:roles]",
	} {
		s := issuerShapes[issuer]
		if issuer != "Okta" {
			s.config.Roles = elsewhere
		}
		p, err := s.auth(t).Verify(t.Context(), s.token(nil))
		require.NoError(t, err)
		var refused *rs.Error
		require.ErrorAs(t, rs.Role("ADMIN").Check(nil, p), &refused)
		assert.Contains(t, refused.Hint, want, issuer)
		assert.NotContains(t, refused.Hint, "Keycloak", issuer)
		assert.Less(t, len(refused.Hint), 400)
	}
}

// TestWhichClaimNamesTheClient holds the order, and that what is no text names nobody.
func TestWhichClaimNamesTheClient(t *testing.T) {
	auth := newAuth(t, newFakeIssuer(keyFor("EdDSA")).config())
	for _, c := range []struct {
		claims claims
		want   string
	}{
		{claims{"azp": "a", "client_id": "b", "appid": "c", "cid": "d"}, "a"},
		{claims{"azp": absent, "client_id": "b", "appid": "c", "cid": "d"}, "b"},
		{claims{"azp": absent, "appid": "c", "cid": "d"}, "c"},
		{claims{"azp": absent, "cid": "d"}, "d"},
		{claims{"azp": absent, "cid": 5, "appid": []string{"c"}}, ""},
		{claims{"azp": "", "cid": "d"}, ""},
		{claims{"azp": absent, "client_id": "", "appid": "c"}, ""},
	} {
		p, err := auth.Verify(t.Context(), sign(keyFor("EdDSA"), nil, good(c.claims)))
		require.NoError(t, err)
		assert.Equal(t, c.want, p.ClientID, "%v", c.claims)
	}
}

func TestRolesFromNames(t *testing.T) {
	mapper := rs.RolesFromNames("x", "roles")
	for text, want := range map[string][]string{
		`{"x":{"roles":{"a":{"1":"o"},"b":{},"c":true,"d":false,"e":null}}}`: {"a", "b", "c"},
		`{"x":{"roles":["a"]}}`: nil, `{"x":{"roles":"a"}}`: nil, `{"x":5}`: nil, `{}`: nil,
	} {
		c, err := rs.ParseClaims([]byte(text))
		require.NoError(t, err)
		assert.Equal(t, want, mapper(c), text)
	}
	assert.Panics(t, func() { rs.RolesFromNames() })
	assert.Panics(t, func() { rs.RolesFromNames("x", "") })
}
