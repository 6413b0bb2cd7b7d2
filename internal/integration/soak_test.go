package integration

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/svcauth/svcauth/clientcreds"
	"github.com/svcauth/svcauth/resourceserver"
)

const soakRealm = "soak"

// TestSoak is sixteen callers of a resource server with tokens that live for seconds, while the client's secret is changed and, in the long run, the realm gets
// another key and Keycloak goes away and comes back. No call fails while a token could be had, and no more tokens are asked for than is documented.
func TestSoak(t *testing.T) {
	s := newSoak(t)
	stop := s.callers()
	t.Cleanup(stop)

	s.awaitToken(t)
	theKeycloak.SetSecret(t, soakRealm, "archiver", "another secret")
	replaceFile(t, s.secretPath, "another secret")
	s.awaitToken(t)
	keys := 1
	if long {
		theKeycloak.addKey(t, soakRealm, "ES256")
		keys++
		s.awaitToken(t)
		s.restartKeycloak(t)
		for range 3 {
			s.awaitToken(t)
		}
	}
	for range 3 * soakCallers { // with the last token, too
		<-s.called
	}
	stop()

	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case problem := <-s.failed:
		assert.Fail(t, "a call failed", "%s", problem)
	default:
	}
	assert.Greater(t, s.calls, 100)
	if !long {
		assert.Zero(t, s.excused, "Keycloak was always there")
		assert.Len(t, s.fetches, 2)
	}
	assert.Len(t, s.auth.Status().Issuers[0].KeyIDs, keys)
	s.checkFetches(t)
	assert.NotContains(t, s.log.String(), "first secret")
	assert.NotContains(t, s.log.String(), "another secret")
	assert.NotRegexp(t, jwtBegins, s.log.String())
	t.Logf("%d calls, %d of them while no token was to be had, and %d token requests, in %v", s.calls, s.excused, len(s.fetches), time.Since(s.began))
}

// soak is what the callers share.
type soak struct {
	lifetime   time.Duration // of tokens
	secretPath string
	client     *http.Client
	auth       *resourceserver.Authenticator
	service    string // URL of the resource server
	log        *output
	began      time.Time
	called     chan struct{} // gets one for a call, if somebody waits
	tokens     chan struct{} // gets one for each token
	failed     chan string   // gets the first call that failed

	mu      sync.Mutex // guards the following
	fetches []clientcreds.Fetch
	gone    time.Time // when Keycloak was told to end
	back    time.Time // when it gave tokens again
	calls   int
	excused int // of them
}

const soakCallers = 16

func newSoak(t *testing.T) *soak {
	s := &soak{
		lifetime: 6 * time.Second, secretPath: secretFile(t, "first secret"), log: &output{},
		began: time.Now(), called: make(chan struct{}), tokens: make(chan struct{}, 100), failed: make(chan string, 1),
	}
	if long {
		s.lifetime = 12 * time.Second
	}
	theKeycloak.makeRealm(t, soakRealm, "ES256", object{"clients": []any{object{
		"clientId": "archiver", "secret": "first secret", "serviceAccountsEnabled": true, "standardFlowEnabled": false,
		"protocolMappers": []any{customAudience(ordersAudience)},
		"attributes":      object{"access.token.lifespan": fmt.Sprint(s.lifetime.Seconds())},
	}}})
	logger := slog.New(slog.NewTextHandler(s.log, nil))
	var err error
	s.auth, err = resourceserver.New(resourceserver.Config{
		Issuer: theKeycloak.URL(soakRealm), Audiences: []string{ordersAudience}, Logger: logger,
		Leeway: time.Second, // exp has no fractions of seconds
	})
	require.NoError(t, err)
	mux := s.auth.NewMux()
	mux.HandleFunc("GET /{$}", func(http.ResponseWriter, *http.Request) {})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	s.service = server.URL

	source, err := clientcreds.New(clientcreds.Config{
		Issuer: theKeycloak.URL(soakRealm), ClientID: "archiver", Auth: clientcreds.SecretBasic{Secret: clientcreds.FromFile(s.secretPath)},
		Logger: logger, OnFetch: s.onFetch,
	})
	require.NoError(t, err)
	s.client = &http.Client{Timeout: 20 * time.Second, Transport: source.Transport(&http.Transport{MaxIdleConnsPerHost: soakCallers})}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log:\n%s", s.log)
		}
	})
	return s
}
