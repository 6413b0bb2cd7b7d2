package keycloaktest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// renew asks for new tokens with a refresh token of webapp.
func renew(t *testing.T, s *Server, token string) (int, string) {
	t.Helper()
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}
	res, body := send(t, http.MethodPost, s.tokenURL(), form.Encode(), http.Header{"Authorization": {basic("webapp", s.secret("webapp"))}, "Content-Type": {formType}})
	return res.StatusCode, body
}

func askUserinfo(t *testing.T, s *Server, token string) (int, string) {
	t.Helper()
	res, _ := send(t, http.MethodGet, s.Issuer()+UserinfoEndpoint, "", http.Header{"Authorization": {"Bearer " + token}})
	return res.StatusCode, res.Header.Get("WWW-Authenticate")
}

func TestRefreshTokenFromNowhere(t *testing.T) {
	s := start(t, Config{})
	token := s.Token(Token{User: "alice", Type: "Refresh", Scope: "openid"})
	header, claims := parts(t, token)
	assert.Equal(t, map[string]any{"alg": "HS512", "typ": "JWT", "kid": s.refresh.id}, header)
	assert.Equal(t, []any{"Refresh", "webapp", s.Issuer()}, []any{claims["typ"], claims["azp"], claims["aud"]})
	assert.Equal(t, claims["iat"].(float64)+1800, claims["exp"], "the realm's ssoSessionIdleTimeout")

	s.SetClockSkew(10 * time.Minute)
	status, body := renew(t, s, token)
	require.Equal(t, 200, status, body)
	var answer tokenResponse
	require.NoError(t, json.Unmarshal([]byte(body), &answer))
	assert.Equal(t, "alice", claimsOf(t, answer.AccessToken)["preferred_username"])
	assert.NotEmpty(t, answer.IDToken)
	assert.InDelta(t, time.Now().Unix(), claimsOf(t, answer.AccessToken)["auth_time"], 60, "the session began with the refresh token")
	s.SetClockSkew(0)
	status, _ = askUserinfo(t, s, answer.AccessToken)
	assert.Equal(t, 200, status)

	assert.Equal(t, 1, s.EndSessions("alice"))
	status, body = renew(t, s, token)
	assert.Equal(t, 400, status)
	assert.JSONEq(t, `{"error": "invalid_grant", "error_description": "Session not active"}`, body)

	status, body = renew(t, s, s.Token(Token{User: "alice", Type: "Refresh", Lifetime: -time.Minute}))
	assert.Equal(t, 400, status)
	assert.Contains(t, body, "Token is not active")
	_, claims = parts(t, s.Token(Token{User: "alice", Type: "Refresh", Claims: map[string]any{"typ": nil, "x": 1}}))
	assert.NotContains(t, claims, "typ")
	assert.Equal(t, 1.0, claims["x"])
}

func TestSetClientEnabled(t *testing.T) {
	s := start(t, Config{})
	refresh := s.Token(Token{User: "alice", Type: "Refresh", Scope: "openid"})
	_, body := renew(t, s, refresh)
	var answer tokenResponse
	require.NoError(t, json.Unmarshal([]byte(body), &answer))
	const unknown = `{"error": "invalid_client", "error_description": "Invalid client or Invalid client credentials"}`

	s.SetClientEnabled("webapp", false)
	status, body := renew(t, s, refresh)
	assert.Equal(t, 401, status)
	assert.JSONEq(t, unknown, body)
	status, challenge := askUserinfo(t, s, answer.AccessToken)
	assert.Equal(t, 401, status)
	assert.Contains(t, challenge, `error_description="Client disabled"`)
	res, page := get(t, s.Issuer()+AuthorizationEndpoint+"?client_id=webapp&response_type=code&redirect_uri=http://127.0.0.1/")
	assert.Equal(t, 400, res.StatusCode)
	assert.Contains(t, page, "Client disabled.")
	status, _ = issue(t, s, "job", "job-secret", "")
	assert.Equal(t, 200, status, "others notice nothing")
	assert.NotEmpty(t, s.Token(Token{User: "alice"}))

	s.SetClientEnabled("webapp", true)
	status, _ = renew(t, s, refresh)
	assert.Equal(t, 200, status)
	assert.PanicsWithValue(t, `keycloaktest: realm "test" has no client "nope" (it has service, job, webapp)`, func() { s.SetClientEnabled("nope", true) })
}

func TestSetNotBefore(t *testing.T) {
	s := start(t, Config{})
	refresh := s.Token(Token{User: "alice", Type: "Refresh", Scope: "openid"})
	_, body := renew(t, s, refresh)
	var person tokenResponse
	require.NoError(t, json.Unmarshal([]byte(body), &person))
	assert.Zero(t, person.NotBeforePolicy)

	soon := time.Now().Add(time.Minute)
	s.SetNotBefore(soon)
	status, body := renew(t, s, refresh)
	assert.Equal(t, 400, status)
	assert.JSONEq(t, `{"error": "invalid_grant", "error_description": "Stale token"}`, body)
	status, challenge := askUserinfo(t, s, person.AccessToken)
	assert.Equal(t, 401, status)
	assert.Contains(t, challenge, "Token verification failed")
	_, answer := issue(t, s, "job", "job-secret", "")
	assert.Equal(t, soon.Unix(), answer.NotBeforePolicy)

	s.SetNotBefore(time.Time{})
	status, _ = renew(t, s, refresh)
	assert.Equal(t, 200, status)
	status, _ = askUserinfo(t, s, person.AccessToken)
	assert.Equal(t, 200, status)
}

func TestSetClockSkew(t *testing.T) {
	s := start(t, Config{})
	for _, skew := range []time.Duration{time.Hour, -time.Hour, 0} {
		s.SetClockSkew(0)
		refresh := s.Token(Token{User: "alice", Type: "Refresh"})
		s.SetClockSkew(skew)
		want := float64(time.Now().Add(skew).Unix())
		_, answer := issue(t, s, "job", "job-secret", "")
		assert.Equal(t, 300, answer.ExpiresIn)
		for _, token := range []string{answer.AccessToken, s.Token(Token{})} {
			claims := claimsOf(t, token)
			assert.InDelta(t, want, claims["iat"], 30)
			assert.Equal(t, claims["iat"].(float64)+300, claims["exp"])
		}
		status, _ := renew(t, s, refresh)
		assert.Equal(t, map[bool]int{true: 400, false: 200}[skew > 0], status, "it expires by the server's clock")
	}
}

func TestRotateSecret(t *testing.T) {
	s := start(t, Config{})
	status := func(secret string) int {
		status, _ := issue(t, s, "job", secret, "")
		return status
	}
	second := s.RotateSecret("job", time.Minute)
	assert.GreaterOrEqual(t, len(second), 32)
	assert.Equal(t, []int{200, 200, 401}, []int{status("job-secret"), status(second), status("other")})
	assert.Equal(t, second, s.ClientConfig("job").ClientSecret)
	s.SetClockSkew(time.Minute)
	assert.Equal(t, []int{401, 200}, []int{status("job-secret"), status(second)}, "the overlap is over")
	third := s.RotateSecret("job", 0)
	assert.Equal(t, []int{401, 200}, []int{status(second), status(third)})
	s.RotateSecret("job", time.Hour)
	s.SetSecret("job", "fifth")
	assert.Equal(t, []int{401, 200}, []int{status(third), status("fifth")}, "SetSecret ends an overlap")
	assert.Equal(t, 401, status(""))
	assert.PanicsWithValue(t, `keycloaktest: realm "test" has no client "nope" (it has service, job, webapp)`, func() { s.RotateSecret("nope", 0) })
}
