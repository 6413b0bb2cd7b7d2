package messages

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/svcauth/svcauth/keycloak/keycloaktest"
)

func TestListAtTheStart(t *testing.T) {
	resp := call(newService(t, sivalabs().Issuer()), "GET", "/api/messages", "", "", "")
	assert.Equal(t, 200, resp.StatusCode)
	assert.Equal(t, "application/json", resp.Header.Get("Content-Type"))
	var list []Message
	require.NoError(t, json.Unmarshal([]byte(text(t, resp)), &list))
	require.Len(t, list, 2)
	assert.Equal(t, "Test Message 1", list[0].Content)
	assert.Equal(t, "Test Message 2", list[1].Content)
	assert.Equal(t, []int64{1, 2}, []int64{list[0].ID, list[1].ID})
}

func TestMe(t *testing.T) {
	s := newService(t, sivalabs().Issuer())
	admin := sivalabs().Token(keycloaktest.Token{User: "admin", Claims: object{"sub": "0815"}})
	resp := call(s, "GET", "/api/me", admin, "", "")
	body := text(t, resp)
	assert.NotContains(t, body, admin[:30], "the token itself")
	assert.JSONEq(t, `{"subject":"0815","username":"admin","email":"admin@example.com","name":"Ada Admin","client":"messages-webapp",
		"issuer":"`+sivalabs().Issuer()+`","roles":["default-roles-sivalabs","offline_access","uma_authorization","ROLE_ADMIN","ROLE_USER","ADMIN","USER"],
		"scopes":["profile","email"]}`, sortedRoles(t, body))

	nobody := sivalabs().Token(keycloaktest.Token{User: "admin", Claims: object{
		"sub": nil, "preferred_username": nil, "email": nil, "name": nil, "azp": nil, "scope": nil, "realm_access": nil,
	}})
	assert.JSONEq(t, `{"subject":"","username":"","email":"","name":"","client":"","issuer":"`+sivalabs().Issuer()+`","roles":[],"scopes":[]}`,
		text(t, call(s, "GET", "/api/me", nobody, "", "")))
}

// sortedRoles puts the roles of an answer into the order of the test, for a realm's roles have none.
func sortedRoles(t *testing.T, body string) string {
	t.Helper()
	var answer map[string]any
	require.NoError(t, json.Unmarshal([]byte(body), &answer))
	want := []any{"default-roles-sivalabs", "offline_access", "uma_authorization", "ROLE_ADMIN", "ROLE_USER", "ADMIN", "USER"}
	if assert.ElementsMatch(t, want, answer["roles"]) {
		answer["roles"] = want
	}
	return asJSON(answer)
}

func TestAuthorWithoutAName(t *testing.T) {
	s := newService(t, sivalabs().Issuer())
	lightweight := sivalabs().Token(keycloaktest.Token{User: "admin", Claims: object{"sub": nil, "preferred_username": nil}})
	resp := call(s, "POST", "/api/messages", lightweight, "application/json", `{"content":"a","createdBy":"admin"}`)
	assert.Equal(t, "messages-webapp", decode(t, resp)["createdBy"])
}

func TestArchiveLogsAndKeepsTheList(t *testing.T) {
	var log bytes.Buffer
	s, err := New(Config{Issuer: sivalabs().Issuer(), Audience: "messages-service", Logger: slog.New(slog.NewTextHandler(&log, nil))})
	require.NoError(t, err)
	job := sivalabs().Token(keycloaktest.Token{Client: "archival-service"})
	resp := call(s, "POST", "/api/messages/archive", job, "", "")
	assert.Equal(t, 200, resp.StatusCode)
	assert.JSONEq(t, `{"status":"success"}`, text(t, resp))
	assert.Contains(t, log.String(), `msg="Archiving all messages" caller=service-account-archival-service`)
	assert.NotContains(t, log.String(), job[:30])
	assert.Len(t, s.messages.list(), 2)

	log.Reset()
	user := sivalabs().Token(keycloaktest.Token{User: "user"})
	assert.Equal(t, 403, call(s, "POST", "/api/messages/archive", user, "", "").StatusCode)
	assert.NotContains(t, log.String(), "Archiving")
}

func TestSecurityHeaders(t *testing.T) {
	s := newService(t, sivalabs().Issuer())
	user := sivalabs().Token(keycloaktest.Token{User: "user"})
	for _, c := range []struct {
		method, path, token string
		status              int
	}{
		{"GET", "/api/messages", "", 200},
		{"GET", "/api/me", user, 200},
		{"GET", "/api/me", "", 401},
		{"POST", "/api/messages/archive", user, 403},
		{"GET", "/nope", user, 404},
		{"DELETE", "/api/me", user, 405},
		{"POST", "/api/messages", user, 415},
	} {
		resp := call(s, c.method, c.path, c.token, "", "")
		assert.Equal(t, c.status, resp.StatusCode, c.path)
		assert.Equal(t, "nosniff", resp.Header.Get("X-Content-Type-Options"), c.path)
		assert.Equal(t, "no-store", resp.Header.Get("Cache-Control"), c.path)
		assert.Equal(t, "DENY", resp.Header.Get("X-Frame-Options"), c.path)
		assert.Contains(t, resp.Header.Get("Content-Security-Policy"), "default-src 'none'", c.path)
	}
}

func TestAudienceMustBeNamedOrSkipped(t *testing.T) {
	_, err := New(Config{Issuer: sivalabs().Issuer()})
	assert.ErrorContains(t, err, "Audiences is empty")

	var log bytes.Buffer
	s, err := New(Config{Issuer: sivalabs().Issuer(), SkipAudienceCheck: true, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	require.NoError(t, err)
	assert.Equal(t, 1, strings.Count(log.String(), "level=WARN"))
	assert.Contains(t, log.String(), "Audience mapper")
	other := sivalabs().Token(keycloaktest.Token{User: "admin", Audience: []string{"account"}})
	assert.Equal(t, 200, call(s, "GET", "/api/me", other, "", "").StatusCode)
}

func TestStoreIsBounded(t *testing.T) {
	s := newStore()
	var writers sync.WaitGroup
	for n := range 4 {
		writers.Go(func() {
			for i := range maxMessages / 2 {
				s.add(fmt.Sprint(n, i), "a")
				s.list()
			}
		})
	}
	writers.Wait()
	list := s.list()
	assert.Len(t, list, maxMessages)
	for i, m := range list {
		require.Equal(t, int64(2+2*maxMessages-maxMessages+1+i), m.ID, "the latest, in order, each once")
	}
	list[0].Content = "changed"
	assert.NotEqual(t, "changed", s.list()[0].Content, "a copy")
}

func TestServeLetsRequestsFinish(t *testing.T) {
	s := newService(t, sivalabs().Issuer())
	inside, finish := make(chan struct{}), make(chan struct{})
	s.handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(inside)
		<-finish
		w.WriteHeader(http.StatusTeapot)
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, end := context.WithCancel(t.Context())
	defer end()
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, listener) }()
	status := make(chan int, 1)
	go func() {
		resp, err := http.Get("http://" + listener.Addr().String())
		if err != nil {
			status <- 0
			return
		}
		resp.Body.Close()
		status <- resp.StatusCode
	}()
	<-inside
	end()
	assert.Eventually(t, func() bool { _, err := net.Dial("tcp", listener.Addr().String()); return err != nil }, 5*time.Second, 10*time.Millisecond, "no more connections")
	close(finish)
	assert.Equal(t, http.StatusTeapot, <-status)
	assert.NoError(t, <-served)
}

func TestServeReportsABrokenListener(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	assert.ErrorContains(t, newService(t, sivalabs().Issuer()).Serve(t.Context(), listener), "can't serve")
}
