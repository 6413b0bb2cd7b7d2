package clientcreds

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	testTokenURL = "https://issuer.example/token"
	testSecret   = "p1anted-secret%+ /:ü"
)

// script is a token endpoint without a network, so that it works inside a synctest bubble: it answers each request with what next says.
type script struct {
	next func(n int, r *http.Request) (*http.Response, error) // n counts from 1

	mu    sync.Mutex // guards calls
	calls []call
}

type call struct {
	at     time.Time
	url    string
	header http.Header
	form   url.Values
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	c := call{at: time.Now(), url: r.URL.String(), header: r.Header.Clone()}
	if r.Body != nil {
		body, _ := io.ReadAll(r.Body)
		r.Body.Close()
		c.form, _ = url.ParseQuery(string(body))
	}
	s.mu.Lock()
	s.calls = append(s.calls, c)
	n := len(s.calls)
	s.mu.Unlock()
	return s.next(n, r)
}

func (s *script) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.calls)
}

func (s *script) call(i int) call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[i]
}

// hang answers when the client gives up.
func hang(_ int, r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func reply(status int, body string, header ...string) (*http.Response, error) {
	h := http.Header{"Content-Type": {"application/json"}}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), ProtoMajor: 1, ProtoMinor: 1}, nil
}

// tokens answers token-1, token-2 and so on.
func tokens(lifetime time.Duration) func(int, *http.Request) (*http.Response, error) {
	return func(n int, _ *http.Request) (*http.Response, error) {
		return reply(200, fmt.Sprintf(`{"access_token":"token-%d","token_type":"Bearer","expires_in":%v}`, n, lifetime.Seconds()))
	}
}

var errDown = errors.New("no route")

func newTestSource(t testing.TB, s *script, change ...func(*Config)) *Source {
	t.Helper()
	config := Config{
		TokenURL: testTokenURL, ClientID: "archival-service", ClientSecret: testSecret,
		HTTPClient: &http.Client{Transport: s}, Logger: slog.New(slog.DiscardHandler),
	}
	for _, f := range change {
		f(&config)
	}
	source, err := New(config)
	require.NoError(t, err)
	return source
}

func token(t testing.TB, s *Source) string {
	t.Helper()
	tok, err := s.TokenContext(t.Context())
	require.NoError(t, err)
	return tok.AccessToken
}

func newLogger(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}
