package archival

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/svcauth/svcauth/examples/realm"
	"github.com/svcauth/svcauth/keycloak/keycloaktest"
)

// sivalabs is the realm of the examples; one for all tests that don't disturb it.
var sivalabs = sync.OnceValue(func() *keycloaktest.Server {
	return keycloaktest.NewServer(keycloaktest.Config{RealmJSON: realm.JSON})
})

func secret(context.Context) ([]byte, error) { return []byte("archival-service-demo-secret"), nil }

// logBuffer is a log that may be read while it is written.
type logBuffer struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func newService(t *testing.T, issuer, messagesURL string) (*Service, *logBuffer) {
	t.Helper()
	log := &logBuffer{}
	s, err := New(Config{
		Issuer: issuer, Audience: "archival-service", ClientID: "archival-service", ClientSecret: secret, MessagesURL: messagesURL,
		Interval: time.Hour, Logger: slog.New(slog.NewTextHandler(log, nil)),
	})
	require.NoError(t, err)
	return s, log
}

// messagesService stands in for messages-service: it answers with status, and remembers the last Authorization.
type messagesService struct {
	URL    string
	status int

	mu            sync.Mutex // guards the following
	authorization string
	calls         int
}

func newMessagesService(t *testing.T, status int) *messagesService {
	t.Helper()
	m := &messagesService{status: status}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.calls++
		m.authorization = r.Header.Get("Authorization")
		if r.Method != "POST" || r.URL.Path != "/api/messages/archive" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Location", "/login")
		w.WriteHeader(m.status)
		_, _ = io.WriteString(w, "a body")
	}))
	t.Cleanup(server.Close)
	m.URL = server.URL
	return m
}

func (m *messagesService) seen() (authorization string, calls int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.authorization, m.calls
}

func call(s http.Handler, method, path, token string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}
