package keycloaktest_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/svcauth/svcauth/keycloak/keycloaktest"
)

func grantError(code, description string) string {
	return `{"error":"` + code + `","error_description":"` + description + `"}`
}

var (
	codeNotValid   = grantError("invalid_grant", "Code not valid")
	badRefresh     = grantError("invalid_grant", "Invalid refresh token")
	sessionEnded   = grantError("invalid_grant", "Session not active")
	clientDetached = grantError("invalid_grant", "Session doesn't have required client")
)

// Every answer is that of Keycloak 26.7.4 to the same request.
func TestAuthorizationCodeGrant(t *testing.T) {
	s := people(t)
	b := newBrowser(t, s)
	const s256, plain = "code_challenge_method=S256&code_challenge=" + pkceS256, "code_challenge_method=plain&code_challenge=" + verifier
	refused := func(description string) string { return grantError("invalid_grant", description) }
	for _, c := range []struct {
		name, authorize, redeem string
		status                  int
		body                    string // of a refusal
	}{
		{"good", "", "", 200, ""},
		{"scope is not read", "", "scope=orders", 200, ""},
		{"no code", "", "code=", 400, grantError("invalid_request", "Missing parameter: code")},
		{"garbage", "", "code=a.b.c", 400, codeNotValid},
		{"no redirect URI", "", "redirect_uri=", 400, refused("Incorrect redirect_uri")},
		{"other redirect URI", "", "redirect_uri=http://localhost:8080/wild/", 400, refused("Incorrect redirect_uri")},
		{"code of another client", "", "client_id=other&client_secret=other-secret", 400, refused("Auth error: Found different client_id in clientSession")},
		{"other redirect URI and client", "", "redirect_uri=http://x/&client_id=other&client_secret=other-secret", 400, refused("Incorrect redirect_uri")},

		{"S256", s256, "code_verifier=" + verifier, 200, ""},
		{"public client", s256 + "&client_id=spa", "client_id=spa&client_secret=&code_verifier=" + verifier, 200, ""},
		{"plain", plain, "code_verifier=" + verifier, 200, ""},
		{"no method is plain", "code_challenge=" + verifier, "code_verifier=" + verifier, 200, ""},
		{"verifier missing", s256, "", 400, refused("PKCE code verifier not specified")},
		{"verifier wrong", s256, "code_verifier=" + strings.Repeat("x", 43), 400, refused("PKCE verification failed: Code mismatch")},
		{"challenge as the verifier", s256, "code_verifier=" + pkceS256, 400, refused("PKCE verification failed: Code mismatch")},
		{"plain, verifier wrong", plain, "code_verifier=" + verifier + "a", 400, refused("PKCE verification failed: Code mismatch")},
		{"verifier short", s256, "code_verifier=x", 400, refused("PKCE verification failed: Invalid code verifier")},
		{"verifier long", s256, "code_verifier=" + strings.Repeat("x", 129), 400, refused("PKCE verification failed: Invalid code verifier")},
		{"verifier with an odd character", s256, "code_verifier=!" + verifier, 400, refused("PKCE verification failed: Invalid code verifier")},
		{"verifier without challenge", "", "code_verifier=" + verifier, 400, refused("PKCE code verifier specified but challenge not present in authorization")},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.t = t
			code := b.signIn(c.authorize)
			status, body := b.redeem(code, c.redeem)
			require.Equal(t, c.status, status, body)
			if c.status == 200 {
				got := parse[tokens](t, body)
				assert.Equal(t, "openid profile email", got.Scope)
				assert.Equal(t, []int{60, 1800}, []int{got.ExpiresIn, got.RefreshExpiresIn})
				return
			}
			assert.Equal(t, c.body, body)
			if !strings.HasPrefix(c.redeem, "code=") {
				status, body = b.redeem(code, "code_verifier="+verifier)
				assert.Equal(t, 400, status, "a code is good for one attempt")
				assert.Equal(t, codeNotValid, body)
			}
		})
	}
	b.t = t
	code := b.signIn("")
	status, _ := b.redeem(code, "client_secret=wrong")
	assert.Equal(t, 401, status)
	status, _ = b.redeem(code, "")
	assert.Equal(t, 200, status, "who isn't the client can't spend its code")
}

func TestReplayedCodeRevokesWhatItGave(t *testing.T) {
	b := newBrowser(t, people(t))
	code := b.signIn("")
	_, body := b.redeem(code, "")
	given := parse[tokens](t, body)
	_, body = b.redeem(b.signIn("client_id=other"), "client_id=other&client_secret=other-secret")
	untouched := parse[tokens](t, body)

	status, body := b.redeem(code, "")
	assert.Equal(t, 400, status)
	assert.Equal(t, codeNotValid, body)
	status, body = b.refresh(given.Refresh, "")
	assert.Equal(t, 400, status)
	assert.Equal(t, clientDetached, body)
	status, challenge := b.userinfo(given.Access)
	assert.Equal(t, 401, status)
	assert.Equal(t, `Bearer realm="people", error="invalid_token", error_description="user_session_not_found"`, challenge)

	status, _ = b.refresh(untouched.Refresh, "client_id=other&client_secret=other-secret")
	assert.Equal(t, 200, status, "another client's part of the session")
	assert.NotEmpty(t, b.signIn("prompt=none"), "the person is still signed in")
}

func TestTokensOfAPerson(t *testing.T) {
	s := people(t)
	b := newBrowser(t, s)
	got := b.tokens()
	access, id, refresh := claims(t, got.Access, 1), claims(t, got.ID, 1), claims(t, got.Refresh, 1)
	assert.Regexp(t, "^onrtac:", access["jti"])
	for name, want := range map[string]any{"typ": "Bearer", "azp": "web", "acr": "1", "sid": got.SessionState, "aud": "account", "nonce": nil} {
		assert.Equal(t, want, access[name], name)
	}
	sum := sha256.Sum256([]byte(got.Access))
	for name, want := range map[string]any{
		"typ": "ID", "azp": "web", "aud": "web", "acr": "1", "sid": got.SessionState, "nonce": "no", "sub": access["sub"], "auth_time": access["auth_time"],
		"at_hash": base64.RawURLEncoding.EncodeToString(sum[:16]), "preferred_username": "alice",
		"realm_access": map[string]any{"roles": []any{"app", "default-roles-people", "offline_access", "uma_authorization"}},
	} {
		assert.Equal(t, want, id[name], name)
	}
	assert.Equal(t, "RS256", claims(t, got.ID, 0)["alg"])

	header := claims(t, got.Refresh, 0)
	assert.Equal(t, "HS512", header["alg"])
	assert.Equal(t, "JWT", header["typ"])
	assert.NotEqual(t, claims(t, got.Access, 0)["kid"], header["kid"])
	b.do(b.endpoint("certs"), nil, nil)
	assert.NotContains(t, b.page, header["kid"])
	for name, want := range map[string]any{
		"typ": "Refresh", "azp": "web", "sid": got.SessionState, "aud": s.Issuer(), "iss": s.Issuer(), "aud_x": "account", "prov": "default", "sub": access["sub"],
		"scope": "openid web-origins acr roles profile basic email", "realm_access": nil,
	} {
		assert.Equal(t, want, refresh[name], name)
	}
	assert.Equal(t, refresh["iat"].(float64)+1800, refresh["exp"])

	_, body := b.redeem(b.signIn("client_id=other&scope=profile"), "client_id=other&client_secret=other-secret")
	again := parse[tokens](t, body)
	assert.Empty(t, again.ID, "not asked for")
	assert.Equal(t, "0", claims(t, again.Access, 1)["acr"], "no password was given")
	assert.Equal(t, access["auth_time"], claims(t, again.Access, 1)["auth_time"])

	_, body = b.redeem(b.signIn("client_id=norefresh"), "client_id=norefresh&client_secret=x")
	assert.Empty(t, parse[tokens](t, body).Refresh)
	assert.Zero(t, parse[tokens](t, body).RefreshExpiresIn)
}

func TestRefreshTokenGrant(t *testing.T) {
	s := people(t)
	b := newBrowser(t, s)
	given := b.tokens()
	elsewhere := newBrowser(t, people(t)).tokens()
	segments := strings.Split(given.Refresh, ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + segments[1] + "."
	for _, c := range []struct {
		name, token, changes string
		status               int
		want                 string // scope, or the body of a refusal
	}{
		{"good", given.Refresh, "", 200, "openid profile email"},
		{"the same again", given.Refresh, "", 200, "openid profile email"},
		{"scope, all", given.Refresh, "scope=openid+profile", 200, "openid profile email"},
		{"scope, less", given.Refresh, "scope=profile", 200, "profile email"},
		{"scope, more", given.Refresh, "scope=openid+address", 200, "openid profile email"},
		{"scope, unknown", given.Refresh, "scope=openid+orders", 400, grantError("invalid_scope", "Invalid scopes: openid orders")},
		{"none", given.Refresh, "refresh_token=", 400, grantError("invalid_request", "No refresh token")},
		{"garbage", "garbage", "", 400, badRefresh},
		{"three dots", "a.b.c", "", 400, badRefresh},
		{"access token", given.Access, "", 400, badRefresh},
		{"ID token", given.ID, "", 400, badRefresh},
		{"not signed", none, "", 400, badRefresh},
		{"other payload", segments[0] + "." + strings.Split(elsewhere.Refresh, ".")[1] + "." + segments[2], "", 400, badRefresh},
		{"of another realm", elsewhere.Refresh, "", 400, badRefresh},
		{"of another client", given.Refresh, "client_id=other&client_secret=other-secret", 400,
			grantError("invalid_grant", "Invalid refresh token. Token client and authorized client don't match")},
		{"wrong secret", given.Refresh, "client_secret=wrong", 401, grantError("unauthorized_client", "Invalid client or Invalid client credentials")},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.t = t
			status, body := b.refresh(c.token, c.changes)
			require.Equal(t, c.status, status, body)
			if c.status != 200 {
				assert.Equal(t, c.want, body)
				return
			}
			got := parse[tokens](t, body)
			assert.Equal(t, c.want, got.Scope)
			id := claims(t, got.ID, 1)
			assert.NotContains(t, id, "nonce")
			assert.Equal(t, given.SessionState, id["sid"])
			assert.Regexp(t, "^onrtrt:", claims(t, got.Access, 1)["jti"])
			assert.Equal(t, claims(t, given.Refresh, 1)["scope"], claims(t, got.Refresh, 1)["scope"])
			assert.NotEqual(t, given.Refresh, got.Refresh)
		})
	}
}

func TestRevokeRefreshToken(t *testing.T) {
	rotating := strings.Replace(peopleRealm, `"enabled": true,`, `"enabled": true, "revokeRefreshToken": true,`, 1)
	s := keycloaktest.NewServer(keycloaktest.Config{RealmJSON: []byte(rotating)})
	defer s.Close()
	b := newBrowser(t, s)
	first := b.tokens()
	status, body := b.refresh(first.Refresh, "")
	require.Equal(t, 200, status)
	second := parse[tokens](t, body)
	_, body = b.refresh(first.Refresh, "")
	assert.Equal(t, grantError("invalid_grant", "Maximum allowed refresh token reuse exceeded"), body)
	_, body = b.refresh(second.Refresh, "")
	assert.Equal(t, clientDetached, body, "the thief's and the owner's")
}

func TestRefreshAfterTheSessionEnded(t *testing.T) {
	s := people(t)
	first, second := newBrowser(t, s), newBrowser(t, s)
	one, two := first.tokens(), second.tokens()
	pending := first.signIn("")
	assert.Equal(t, 2, s.EndSessions("Alice"))
	assert.Zero(t, s.EndSessions("alice"))
	for _, token := range []string{one.Refresh, two.Refresh} {
		status, body := first.refresh(token, "")
		assert.Equal(t, 400, status)
		assert.Equal(t, sessionEnded, body)
	}
	_, body := first.redeem(pending, "")
	assert.Equal(t, codeNotValid, body)
	assert.Equal(t, url.Values{"error": {"login_required"}, "state": {"st"}, "iss": {s.Issuer()}}, parameters(t, first.authorize("prompt=none")))
	assert.PanicsWithValue(t, `keycloaktest: realm "people" has no user "nobody" (it has alice, bob, gone, nopw)`, func() { s.EndSessions("nobody") })
}
