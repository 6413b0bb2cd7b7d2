package archtest

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/svcauth/svcauth/examples/messages-service/messages"
	"github.com/svcauth/svcauth/examples/realm"
	"github.com/svcauth/svcauth/keycloak/keycloaktest"
)

// addresses stand for those that the documents name.
type addresses struct {
	realm   string // a base URL
	service string // host:port
}

func (a addresses) relocate(text string) string {
	return strings.NewReplacer(
		"http://localhost:9191", a.realm,
		"localhost:8181", a.service, `":8181"`, strconv.Quote(a.service),
		"localhost:8282", a.service, `":8282"`, strconv.Quote(a.service),
	).Replace(text)
}

// stage is what the documents' snippets meet: the realm of the examples, and a messages-service unless their document has a server of its own.
type stage struct {
	addresses
	realm *keycloaktest.Server
	own   map[string]addresses // by document
}

func newStage(t *testing.T) *stage {
	t.Helper()
	keycloak := keycloaktest.NewServer(keycloaktest.Config{RealmJSON: realm.JSON})
	t.Cleanup(keycloak.Close)
	service, err := messages.New(messages.Config{Issuer: keycloak.Issuer(), Audience: "messages-service", Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	server := httptest.NewServer(service)
	t.Cleanup(server.Close)
	return &stage{addresses{keycloak.URL, strings.TrimPrefix(server.URL, "http://")}, keycloak, map[string]addresses{}}
}

// serves reports whether the program is a server, which never ends by itself.
func (f *goFile) serves() bool { return strings.Contains(f.text, "ListenAndServe") }

// addressesOf returns a server's, which are free, and a client's: those of its document's first server, if it has one. So servers must be asked for first.
func (s *stage) addressesOf(t *testing.T, f *goFile) addresses {
	t.Helper()
	own, found := s.own[f.document]
	if !f.serves() {
		if !found {
			return s.addresses
		}
		return own
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	free := addresses{s.addresses.realm, listener.Addr().String()}
	if !found {
		s.own[f.document] = free
	}
	return free
}

func environment() []string {
	return append(os.Environ(), "OAUTH_CLIENT_SECRET=archival-service-demo-secret")
}

// client runs a program to its end. One that prints a response's status must have been let in.
func (s *stage) client(t *testing.T, f goFile, binary string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	command := exec.CommandContext(ctx, binary)
	command.Env = environment()
	out, err := command.CombinedOutput()
	require.NoError(t, err, "%s\n%s", f.place(), out)
	if strings.Contains(f.text, ".Status)") {
		assert.Contains(t, string(out), "200 OK", f.place())
	}
}

var route = regexp.MustCompile(`"(GET|POST|PUT|PATCH|DELETE) (/[^"]*)"`)

// server starts a program, which runs until t ends, and calls each of its routes: with an admin's token it succeeds, and without one some refuse.
func (s *stage) server(t *testing.T, f goFile, binary string, at addresses) {
	t.Helper()
	command := exec.CommandContext(t.Context(), binary) // which kills it
	command.Env = environment()
	var out bytes.Buffer
	command.Stdout, command.Stderr = &out, &out
	require.NoError(t, command.Start(), f.place())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = command.Wait() // it was killed, or serve says what it wrote
	}()
	t.Cleanup(func() { <-ended })
	late := time.After(20 * time.Second)
	for status(t, "GET", "http://"+at.service+"/", "") == 0 {
		select {
		case <-ended:
			require.Fail(t, "the server ended", "%s\n%s", f.place(), out.String())
		case <-late:
			require.Fail(t, "no answer: its addresses must be those of the examples", "%s", f.place())
		case <-time.After(10 * time.Millisecond):
		}
	}
	token := s.realm.Token(keycloaktest.Token{User: "admin"})
	routes := route.FindAllStringSubmatch(f.text, -1)
	require.NotEmpty(t, routes, "%s: a server without routes", f.place())
	refused := 0
	for _, r := range routes {
		url := "http://" + at.service + regexp.MustCompile(`\{[^}]*\}`).ReplaceAllString(r[2], "1")
		assert.Equal(t, 200, status(t, r[1], url, token), "%s: %s with a token", f.place(), r[0])
		switch without := status(t, r[1], url, ""); without {
		case 401:
			refused++
		default:
			assert.Equal(t, 200, without, "%s: %s without a token", f.place(), r[0])
		}
	}
	assert.NotZero(t, refused, "%s: every route lets strangers in", f.place())
}

// status is that of a request's answer; 0: there was none.
func status(t *testing.T, method, url, token string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, http.NoBody)
	require.NoError(t, err)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0
	}
	response.Body.Close()
	return response.StatusCode
}
