package benchmarks

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"time"
)

// tokenEndpoint gives tokens for an hour (RFC 6749 §4.4.3), on a loopback address.
type tokenEndpoint struct {
	server   *httptest.Server
	delay    time.Duration // before each answer
	down     bool          // answers 503
	requests atomic.Int64
}

// newTokenEndpoint starts one; close it after use.
func newTokenEndpoint(delay time.Duration, down bool) *tokenEndpoint {
	e := &tokenEndpoint{delay: delay, down: down}
	e.server = httptest.NewServer(e)
	return e
}

func (e *tokenEndpoint) close() { e.server.Close() }

// ServeHTTP implements http.Handler.
func (e *tokenEndpoint) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	e.requests.Add(1)
	time.Sleep(e.delay)
	if e.down {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	// Nobody checks it: it only has to be as long as a token.
	filler := make([]byte, 1399)
	answer(w, map[string]any{"access_token": base64url(filler), "token_type": "Bearer", "expires_in": 3600, "scope": "profile email"})
}
