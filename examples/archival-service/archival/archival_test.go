package archival

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/svcauth/svcauth/examples/realm"
	"github.com/svcauth/svcauth/keycloak/keycloaktest"
)

func TestArchiveCallsWithItsOwnToken(t *testing.T) {
	messages := newMessagesService(t, 200)
	s, log := newService(t, sivalabs().Issuer(), messages.URL)
	admin := sivalabs().Token(keycloaktest.Token{User: "admin"})
	w := call(s, "POST", "/api/messages/archive", admin)
	assert.Equal(t, 200, w.Code)
	assert.JSONEq(t, `{"status":"success"}`, w.Body.String())
	assert.Contains(t, log.String(), `msg="Archive messages response code: 200 OK"`)

	authorization, calls := messages.seen()
	assert.Equal(t, 1, calls)
	token, ok := strings.CutPrefix(authorization, "Bearer ")
	require.True(t, ok, authorization)
	assert.NotEqual(t, admin, token, "the admin's token is not passed on")
	var claims struct{ Azp, Aud, Scope string }
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(payload, &claims))
	assert.Equal(t, "archival-service", claims.Azp)
	assert.Equal(t, "messages-service", claims.Aud)
	assert.Contains(t, claims.Scope, "openid")
	assert.NotContains(t, log.String(), token[:30])
}

func TestFailedCallIsNoSuccess(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	down := keycloaktest.NewServer(keycloaktest.Config{RealmJSON: realm.JSON})
	t.Cleanup(down.Close)
	refused := keycloaktest.NewServer(keycloaktest.Config{RealmJSON: realm.JSON})
	t.Cleanup(refused.Close)
	refused.SetSecret("archival-service", "another")

	for _, c := range []struct {
		name        string
		realm       *keycloaktest.Server
		messagesURL string
		logged      string
	}{
		{"messages-service is down", sivalabs(), closed.URL, `msg="Error while invoking Archive messages API" error=`},
		{"messages-service refuses", sivalabs(), newMessagesService(t, 403).URL, `msg="Error while invoking Archive messages API" error="Archive messages response code: 403 Forbidden"`},
		{"messages-service fails", sivalabs(), newMessagesService(t, 500).URL, `msg="Error while invoking Archive messages API" error="Archive messages response code: 500 Internal Server Error"`},
		{"a redirect to some login page", sivalabs(), newMessagesService(t, 302).URL, `msg="Error while invoking Archive messages API" error="Archive messages response code: 302 Found"`},
		{"the issuer is down", down, newMessagesService(t, 200).URL, `msg="Error while invoking Archive messages API" error=`},
		{"the secret is wrong", refused, newMessagesService(t, 200).URL, `msg="Error while invoking Archive messages API" error=`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, log := newService(t, c.realm.Issuer(), c.messagesURL)
			admin := c.realm.Token(keycloaktest.Token{User: "admin"})
			require.Equal(t, 404, call(s, "GET", "/nope", admin).Code) // now it has the issuer's keys
			if c.realm == down {
				down.SetDown(true)
			}
			w := call(s, "POST", "/api/messages/archive", admin)
			assert.Equal(t, 502, w.Code)
			assert.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
			assert.JSONEq(t, `{"type":"about:blank","title":"Bad Gateway","status":502,"detail":"messages-service did not archive: try again later"}`, w.Body.String())
			assert.Contains(t, log.String(), c.logged)
			assert.NotContains(t, log.String(), "demo-secret")
		})
	}
}

func TestNewRefuses(t *testing.T) {
	good := Config{Issuer: "https://issuer", Audience: "a", ClientID: "c", ClientSecret: secret, MessagesURL: "http://localhost:8181", Interval: time.Second}
	_, err := New(good)
	require.NoError(t, err)
	for _, c := range []struct {
		says   string
		change func(*Config)
	}{
		{"interval", func(c *Config) { c.Interval = 0 }},
		{"want http://host:port", func(c *Config) { c.MessagesURL = "" }},
		{"want http://host:port", func(c *Config) { c.MessagesURL = "localhost:8181" }},
		{"want http://host:port", func(c *Config) { c.MessagesURL = "http://me:hunter2@localhost" }},
		{"want http://host:port", func(c *Config) { c.MessagesURL = "http://me:hunter2@local host" }},
		{"want http://host:port", func(c *Config) { c.MessagesURL = "http://localhost/?x" }},
		{"plain http", func(c *Config) { c.MessagesURL = "http://messages.example.com" }},
		{"Secret", func(c *Config) { c.ClientSecret = nil }},
		{"ClientID", func(c *Config) { c.ClientID = "" }},
		{"Issuer", func(c *Config) { c.Issuer = "" }},
		{"Audiences", func(c *Config) { c.Audience = "" }},
	} {
		config := good
		c.change(&config)
		_, err := New(config)
		assert.ErrorContains(t, err, c.says)
		assert.NotContains(t, err.Error(), "hunter2")
	}
}

func TestMessagesURLMayHaveAPath(t *testing.T) {
	for _, base := range []string{"http://localhost:8181/base", "http://localhost:8181/base/"} {
		s, _ := newService(t, "https://issuer", base)
		assert.Equal(t, "http://localhost:8181/base/api/messages/archive", s.archiveURL)
	}
}

func TestServeRunsTheJobAndCutsItOff(t *testing.T) {
	inside := make(chan struct{})
	blocked := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(inside)
		<-r.Context().Done()
	}))
	t.Cleanup(blocked.Close)
	s, log := newService(t, sivalabs().Issuer(), blocked.URL)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, end := context.WithCancel(t.Context())
	defer end()
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, listener) }()
	<-inside
	end()
	assert.NoError(t, <-served, "long before the ten seconds that the call may take")
	assert.Regexp(t, `msg="Running MessageArchivalJob at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"`, log.String())
	assert.NotContains(t, log.String(), "Error while invoking", "the end of the service is no fault of messages-service")
}

func TestServeWaitsForTheJob(t *testing.T) {
	var ended atomic.Bool
	started := make(chan struct{})
	s := jobService(io.Discard, func(r *http.Request) (*http.Response, error) {
		close(started)
		<-r.Context().Done()
		time.Sleep(50 * time.Millisecond) // a job that is slow to end
		ended.Store(true)
		return nil, r.Context().Err()
	})
	s.handler = http.NotFoundHandler()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, end := context.WithCancel(t.Context())
	defer end()
	go func() { <-started; end() }()
	assert.NoError(t, s.Serve(ctx, listener))
	assert.True(t, ended.Load(), "nothing is left running")
}
