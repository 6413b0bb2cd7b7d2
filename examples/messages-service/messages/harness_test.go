package messages

import (
	"bufio"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/svcauth/svcauth/examples/realm"
	"github.com/svcauth/svcauth/keycloak/keycloaktest"
)

// sivalabs is the realm of the examples; one for all tests that don't disturb it.
var sivalabs = sync.OnceValue(func() *keycloaktest.Server {
	return keycloaktest.NewServer(keycloaktest.Config{RealmJSON: realm.JSON})
})

func newService(t *testing.T, issuer string) *Service {
	t.Helper()
	s, err := New(Config{Issuer: issuer, Audience: "messages-service", Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	return s
}

// call sends one request to the handler; an empty token sends no Authorization.
func call(s http.Handler, method, path, token, contentType, body string) *http.Response {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Result()
}

// raw sends head, the lines of a request without its end, over a connection of its own: what no client library would send.
func raw(t *testing.T, addr, head, body string) *http.Response {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	_, err = io.WriteString(conn, head+"Host: localhost\r\nConnection: close\r\n\r\n"+body)
	require.NoError(t, err)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	return resp
}

func text(t *testing.T, resp *http.Response) string {
	t.Helper()
	data, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return string(data)
}

func decode(t *testing.T, resp *http.Response) map[string]any {
	t.Helper()
	var v map[string]any
	require.NoError(t, json.Unmarshal([]byte(text(t, resp)), &v))
	return v
}

// The challenges of RFC 6750 that the service answers with.
const (
	bare      = `Bearer`
	forbidden = `Bearer error="insufficient_scope", error_description="the request requires higher privileges than provided by the access token"`
	doubled   = `Bearer error="invalid_request", error_description="more than one Authorization header in the request"`

	malformedHeader = `Bearer error="invalid_token", error_description="the Authorization header is malformed"`
	malformed       = `Bearer error="invalid_token", error_description="the token is malformed"`
	badClaims       = `Bearer error="invalid_token", error_description="the token's claims are malformed"`
	badHeader       = `Bearer error="invalid_token", error_description="the token's header is not supported"`
	badAlgorithm    = `Bearer error="invalid_token", error_description="the signature algorithm is not allowed"`
	badSignature    = `Bearer error="invalid_token", error_description="the signature is not valid"`
	badIssuer       = `Bearer error="invalid_token", error_description="the issuer is not trusted"`
	badAudience     = `Bearer error="invalid_token", error_description="the audience does not match"`
	unknownKey      = `Bearer error="invalid_token", error_description="no key of the issuer fits the token"`
	expired         = `Bearer error="invalid_token", error_description="the token has expired"`
	notYetValid     = `Bearer error="invalid_token", error_description="the token is not valid yet"`
	notAccessToken  = `Bearer error="invalid_token", error_description="the token is not an access token"`
)

// compare holds a row of a reference table: ours is the original's status, or another one with the reason in words.
func compare(t *testing.T, original, ours int, better string) {
	t.Helper()
	if original == ours {
		assert.Empty(t, better, "the status is the original's, so there is nothing to explain")
	} else {
		assert.NotEmpty(t, better, "the original answered %d: say why %d is better", original, ours)
	}
}

// checkRefusal holds what every refusal has: the right kind of challenge, a problem as its body, and nothing of the token.
func checkRefusal(t *testing.T, resp *http.Response, challenge, token string) {
	t.Helper()
	assert.Equal(t, challenge, resp.Header.Get("WWW-Authenticate"))
	if resp.StatusCode < 400 {
		return
	}
	body := text(t, resp)
	assert.Equal(t, "application/problem+json", resp.Header.Get("Content-Type"))
	assert.Equal(t, "no-store", resp.Header.Get("Cache-Control"))
	assert.Equal(t, "nosniff", resp.Header.Get("X-Content-Type-Options"))
	var problem struct{ Status int }
	require.NoError(t, json.Unmarshal([]byte(body), &problem))
	assert.Equal(t, resp.StatusCode, problem.Status)
	if len(token) > 20 {
		assert.NotContains(t, body, token[:20])
	}
}
