package promauth_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/svcauth/svcauth/keycloak/keycloaktest"
	"github.com/svcauth/svcauth/resourceserver"
	promauth "github.com/svcauth/svcauth/resourceserver/adapters/prometheus"
)

var gauges = []string{"svcauth_server_jwks_ready", "svcauth_server_jwks_keys", "svcauth_server_jwks_age_seconds", "svcauth_server_jwks_failures"}

// state is the gauges of one issuer; a negative age stands for none.
func state(issuer string, ready, keys, age, failures int) string {
	line := func(name, help string, value int) string {
		name = "svcauth_server_jwks_" + name
		return fmt.Sprintf("# HELP %s %s\n# TYPE %s gauge\n%s{issuer=%q} %d\n", name, help, name, name, issuer, value)
	}
	text := line("ready", "1 if the issuer's keys are there, so that its tokens can be verified, else 0.", ready) + line("keys", "Usable keys.", keys) +
		line("failures", "Fetches in a row that failed.", failures)
	if age >= 0 {
		text += line("age_seconds", "Time since the keys were fetched.", age)
	}
	return text
}

func ask(protected http.Handler, token string) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	protected.ServeHTTP(httptest.NewRecorder(), r)
}

var handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})

// TestMetricsOfAnAuthenticator runs an Authenticator through an outage at its start and requests of all kinds.
func TestMetricsOfAnAuthenticator(t *testing.T) {
	realm := keycloaktest.NewServer(keycloaktest.Config{})
	defer realm.Close()
	synctest.Test(t, func(t *testing.T) {
		metrics, registry := promauth.New(), prometheus.NewPedanticRegistry()
		registry.MustRegister(metrics)
		config := realm.Realm().ServerConfig("service")
		config.HTTPClient, config.Logger = &http.Client{Transport: realm.Transport()}, slog.New(slog.DiscardHandler)
		var told []resourceserver.Decision
		var fetched []resourceserver.Fetch
		config.OnDecision = metrics.OnDecision(func(_ context.Context, d resourceserver.Decision) { told = append(told, d) })
		config.OnFetch = metrics.OnFetch(func(_ context.Context, f resourceserver.Fetch) { fetched = append(fetched, f) })
		auth, err := resourceserver.New(config)
		require.NoError(t, err)
		expect := func(text string) {
			t.Helper()
			assert.NoError(t, testutil.GatherAndCompare(registry, strings.NewReader(text), gauges...))
		}
		admin := auth.RequireRole("ADMIN")(handler)
		alice, bob := realm.Token(keycloaktest.Token{User: "alice"}), realm.Token(keycloaktest.Token{User: "bob"})

		expect("") // nothing is watched
		metrics.Watch(auth)
		expect(state(realm.Issuer(), 0, 0, -1, 0))
		realm.SetDown(true)
		ask(admin, alice)
		expect(state(realm.Issuer(), 0, 0, -1, 1))
		realm.SetDown(false)
		time.Sleep(5 * time.Second) // the pace at which keys are asked for
		ask(admin, alice)
		ask(admin, alice)
		time.Sleep(time.Minute)
		expect(state(realm.Issuer(), 1, 1, 60, 0))
		ask(admin, bob)
		ask(admin, "")
		ask(admin, "garbage")
		ask(auth.Optional()(handler), "")

		requests := realm.Requests(realm.Realm().JWKSURL())
		assert.NoError(t, testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP svcauth_server_decisions_total Requests that were let through or refused.
# TYPE svcauth_server_decisions_total counter
svcauth_server_decisions_total{issuer="`+realm.Issuer()+`",reason="",status="200"} 2
svcauth_server_decisions_total{issuer="",reason="",status="200"} 1
svcauth_server_decisions_total{issuer="",reason="keys_unavailable",status="503"} 1
svcauth_server_decisions_total{issuer="",reason="malformed_token",status="401"} 1
svcauth_server_decisions_total{issuer="",reason="missing_role",status="403"} 1
svcauth_server_decisions_total{issuer="",reason="missing_token",status="401"} 1
# HELP svcauth_server_jwks_fetches_total Fetches of an issuer's keys.
# TYPE svcauth_server_jwks_fetches_total counter
svcauth_server_jwks_fetches_total{class="",issuer="`+realm.Issuer()+`"} 1
svcauth_server_jwks_fetches_total{class="network",issuer="`+realm.Issuer()+`"} 1
`), "svcauth_server_decisions_total", "svcauth_server_jwks_fetches_total"))
		assert.Len(t, told, 7, "the program's own function is called too")
		assert.Len(t, fetched, 2, "the program's own function is called too")
		problems, err := testutil.GatherAndLint(registry)
		require.NoError(t, err)
		assert.Empty(t, problems)
		time.Sleep(time.Hour) // the keys are due
		_, err = registry.Gather()
		require.NoError(t, err)
		synctest.Wait()
		assert.Equal(t, requests, realm.Requests(realm.Realm().JWKSURL()), "a scrape fetches no keys")
	})
}

func TestDurations(t *testing.T) {
	metrics := promauth.New()
	onFetch := metrics.OnFetch(nil)
	onFetch(t.Context(), resourceserver.Fetch{Issuer: "https://issuer.test", Duration: 30 * time.Millisecond})
	onFetch(t.Context(), resourceserver.Fetch{Issuer: "https://issuer.test", Duration: 7 * time.Second, Err: errors.New("a secret")})
	metrics.OnDecision(nil)(t.Context(), resourceserver.Decision{Allowed: true, Status: 200, Issuer: "https://issuer.test", ClientID: "some client"})
	text, err := testutil.CollectAndFormat(metrics, expfmt.TypeTextPlain, "svcauth_server_jwks_fetch_duration_seconds", "svcauth_server_jwks_fetches_total",
		"svcauth_server_decisions_total")
	require.NoError(t, err)
	for _, line := range []string{
		`svcauth_server_jwks_fetch_duration_seconds_bucket{issuer="https://issuer.test",le="0.025"} 0`,
		`svcauth_server_jwks_fetch_duration_seconds_bucket{issuer="https://issuer.test",le="0.05"} 1`,
		`svcauth_server_jwks_fetch_duration_seconds_bucket{issuer="https://issuer.test",le="10"} 2`,
		`svcauth_server_jwks_fetch_duration_seconds_sum{issuer="https://issuer.test"} 7.03`,
		`svcauth_server_decisions_total{issuer="https://issuer.test",reason="",status="200"} 1`,
	} {
		assert.Contains(t, string(text), line+"\n")
	}
	assert.NotContains(t, string(text), "a secret")
	assert.NotContains(t, string(text), "some client", "clients can't make new time series")
}

// keySet is the realm's keys, for Config.JWKS.
func keySet(t *testing.T, realm *keycloaktest.Server) []byte {
	t.Helper()
	answer, err := http.Get(realm.Realm().JWKSURL())
	require.NoError(t, err)
	defer answer.Body.Close()
	keys, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return keys
}

func TestSeveral(t *testing.T) {
	realm, second := keycloaktest.NewServer(keycloaktest.Config{}), keycloaktest.NewServer(keycloaktest.Config{})
	defer realm.Close()
	defer second.Close()
	quiet := slog.New(slog.DiscardHandler)
	static := realm.Realm().ServerConfig("service")
	static.JWKS = keySet(t, realm)
	auth, err := resourceserver.New(resourceserver.Config{Issuers: []resourceserver.Config{static, second.Realm().ServerConfig("service")}, Logger: quiet})
	require.NoError(t, err)
	require.NoError(t, auth.Warm(t.Context()))
	other, err := resourceserver.New(resourceserver.Config{Issuer: realm.Issuer(), Audiences: []string{"service"}, Logger: quiet})
	require.NoError(t, err)

	registry := prometheus.NewPedanticRegistry()
	metrics, beside := promauth.New(), promauth.New()
	prometheus.WrapRegistererWith(prometheus.Labels{"api": "public"}, registry).MustRegister(metrics)
	prometheus.WrapRegistererWith(prometheus.Labels{"api": "internal"}, registry).MustRegister(beside)
	metrics.Watch(auth)
	beside.Watch(other)
	for name, want := range map[string]int{"svcauth_server_jwks_ready": 3, "svcauth_server_jwks_age_seconds": 1} { // keys that were configured have no age
		count, err := testutil.GatherAndCount(registry, name)
		require.NoError(t, err)
		assert.Equal(t, want, count, name)
	}
	metrics.Watch(other)
	count, err := testutil.GatherAndCount(registry, "svcauth_server_jwks_ready")
	require.NoError(t, err)
	assert.Equal(t, 2, count)
	assert.PanicsWithValue(t, "promauth: a nil Authenticator", func() { metrics.Watch(nil) })
}

func Example() {
	realm := keycloaktest.NewServer(keycloaktest.Config{}) // stands for a Keycloak
	defer realm.Close()

	config := realm.Realm().ServerConfig("service")
	config.Logger = slog.New(slog.DiscardHandler)
	metrics, registry := promauth.New(), prometheus.NewRegistry()
	registry.MustRegister(metrics)
	config.OnDecision = metrics.OnDecision(config.OnDecision)
	config.OnFetch = metrics.OnFetch(config.OnFetch)
	auth, err := resourceserver.New(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	metrics.Watch(auth)
	protected := auth.RequireRole("ADMIN")(handler)
	ask(protected, realm.Token(keycloaktest.Token{User: "alice"}))
	ask(protected, realm.Token(keycloaktest.Token{User: "bob"}))
	ask(protected, "")

	text, err := testutil.CollectAndFormat(metrics, expfmt.TypeTextPlain, "svcauth_server_decisions_total", "svcauth_server_jwks_ready")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(strings.ReplaceAll(string(text), realm.Issuer(), "https://keycloak.example/realms/test"))
	// Output:
	// # HELP svcauth_server_decisions_total Requests that were let through or refused.
	// # TYPE svcauth_server_decisions_total counter
	// svcauth_server_decisions_total{issuer="",reason="missing_role",status="403"} 1
	// svcauth_server_decisions_total{issuer="",reason="missing_token",status="401"} 1
	// svcauth_server_decisions_total{issuer="https://keycloak.example/realms/test",reason="",status="200"} 1
	// # HELP svcauth_server_jwks_ready 1 if the issuer's keys are there, so that its tokens can be verified, else 0.
	// # TYPE svcauth_server_jwks_ready gauge
	// svcauth_server_jwks_ready{issuer="https://keycloak.example/realms/test"} 1
}
