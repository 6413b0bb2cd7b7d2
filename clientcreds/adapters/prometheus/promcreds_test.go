package promcreds_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/svcauth/svcauth/clientcreds"
	promcreds "github.com/svcauth/svcauth/clientcreds/adapters/prometheus"
	"github.com/svcauth/svcauth/keycloak/keycloaktest"
)

// tokens are the gauges of one token that an hour-long fresh token has after so many seconds.
func tokens(client, target, state string, failures int, times string) string {
	text := "# HELP svcauth_client_token_failures Attempts in a row that failed.\n# TYPE svcauth_client_token_failures gauge\n" +
		fmt.Sprintf("svcauth_client_token_failures{client=%q,target=%q} %d\n", client, target, failures) +
		"# HELP svcauth_client_token_state 1 for the state that the token is in, 0 for the others.\n# TYPE svcauth_client_token_state gauge\n"
	for _, s := range []string{"none", "fresh", "stale", "expired"} {
		value := 0
		if s == state {
			value = 1
		}
		text += fmt.Sprintf("svcauth_client_token_state{client=%q,state=%q,target=%q} %d\n", client, s, target, value)
	}
	return text + times
}

func times(client, target string, age, expiresIn int) string {
	return "# HELP svcauth_client_token_age_seconds Time since the token was asked for.\n# TYPE svcauth_client_token_age_seconds gauge\n" +
		fmt.Sprintf("svcauth_client_token_age_seconds{client=%q,target=%q} %d\n", client, target, age) +
		"# HELP svcauth_client_token_expires_in_seconds Time until the token's end, negative after it.\n# TYPE svcauth_client_token_expires_in_seconds gauge\n" +
		fmt.Sprintf("svcauth_client_token_expires_in_seconds{client=%q,target=%q} %d\n", client, target, expiresIn)
}

var gauges = []string{
	"svcauth_client_token_failures", "svcauth_client_token_state", "svcauth_client_token_age_seconds", "svcauth_client_token_expires_in_seconds",
}

// TestMetricsOfASource runs a Source through its states.
func TestMetricsOfASource(t *testing.T) {
	realm := keycloaktest.NewServer(keycloaktest.Config{})
	defer realm.Close()
	realm.SetTokenLifetime(time.Hour)
	synctest.Test(t, func(t *testing.T) {
		metrics, registry := promcreds.New("job"), prometheus.NewPedanticRegistry()
		registry.MustRegister(metrics)
		config := realm.ClientConfig("job")
		config.HTTPClient, config.Logger = &http.Client{Transport: realm.Transport()}, slog.New(slog.DiscardHandler)
		var told []clientcreds.Fetch
		config.OnFetch = metrics.OnFetch(func(_ context.Context, f clientcreds.Fetch) { told = append(told, f) })
		source, err := clientcreds.New(config)
		require.NoError(t, err)
		metrics.Watch("messages", source)
		expect := func(text string) {
			t.Helper()
			assert.NoError(t, testutil.GatherAndCompare(registry, strings.NewReader(text), gauges...))
		}

		expect(tokens("job", "messages", "none", 0, ""))
		_, err = source.TokenContext(t.Context())
		require.NoError(t, err)
		time.Sleep(time.Minute)
		expect(tokens("job", "messages", "fresh", 0, times("job", "messages", 60, 3540)))
		time.Sleep(58 * time.Minute)
		expect(tokens("job", "messages", "stale", 0, times("job", "messages", 3540, 60)))
		time.Sleep(2 * time.Minute)
		expect(tokens("job", "messages", "expired", 0, times("job", "messages", 3660, -60)))
		realm.SetDown(true)
		_, err = source.TokenContext(t.Context())
		require.ErrorIs(t, err, clientcreds.ErrUnavailable)
		expect(tokens("job", "messages", "expired", 1, times("job", "messages", 3660, -60)))
		realm.SetDown(false)
		realm.SetSecret("job", "another")
		time.Sleep(time.Minute)
		_, err = source.TokenContext(t.Context())
		require.ErrorIs(t, err, clientcreds.ErrRefused)

		assert.NoError(t, testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP svcauth_client_token_fetches_total Attempts to get a token.
# TYPE svcauth_client_token_fetches_total counter
svcauth_client_token_fetches_total{class="",client="job",trigger="first"} 1
svcauth_client_token_fetches_total{class="network",client="job",trigger="expired"} 1
svcauth_client_token_fetches_total{class="refused",client="job",trigger="expired"} 1
`), "svcauth_client_token_fetches_total"))
		assert.Len(t, told, 3, "the program's own function is called too")
		requests := realm.Requests(realm.Realm().TokenURL())
		problems, err := testutil.GatherAndLint(registry)
		require.NoError(t, err)
		assert.Empty(t, problems)
		assert.Equal(t, requests, realm.Requests(realm.Realm().TokenURL()), "a scrape asks for no token")
	})
}

func TestDurations(t *testing.T) {
	metrics := promcreds.New("job")
	onFetch := metrics.OnFetch(nil)
	onFetch(t.Context(), clientcreds.Fetch{Trigger: clientcreds.TriggerFirst, Duration: 30 * time.Millisecond})
	onFetch(t.Context(), clientcreds.Fetch{Trigger: clientcreds.TriggerFirst, Duration: 7 * time.Second, Err: errors.New("a secret")})
	text, err := testutil.CollectAndFormat(metrics, expfmt.TypeTextPlain, "svcauth_client_token_fetch_duration_seconds", "svcauth_client_token_fetches_total")
	require.NoError(t, err)
	for _, line := range []string{
		`svcauth_client_token_fetch_duration_seconds_bucket{client="job",le="0.025"} 0`,
		`svcauth_client_token_fetch_duration_seconds_bucket{client="job",le="0.05"} 1`,
		`svcauth_client_token_fetch_duration_seconds_bucket{client="job",le="10"} 2`,
		`svcauth_client_token_fetch_duration_seconds_sum{client="job"} 7.03`,
		`svcauth_client_token_fetches_total{class="other",client="job",trigger="first"} 1`,
	} {
		assert.Contains(t, string(text), line+"\n")
	}
	assert.NotContains(t, string(text), "a secret")
}

// TestSeveral holds that clients and targets stand beside each other, and that a target's source can be changed.
func TestSeveral(t *testing.T) {
	realm := keycloaktest.NewServer(keycloaktest.Config{})
	defer realm.Close()
	config := realm.ClientConfig("job")
	config.Logger = slog.New(slog.DiscardHandler)
	source, err := clientcreds.New(config)
	require.NoError(t, err)
	one, other, registry := promcreds.New("one"), promcreds.New("other"), prometheus.NewPedanticRegistry()
	registry.MustRegister(one, other)
	one.Watch("messages", source)
	one.Watch("orders", source.For(clientcreds.Target{Scopes: []string{"profile"}}))
	other.Watch("messages", source)
	count, err := testutil.GatherAndCount(registry, "svcauth_client_token_failures")
	require.NoError(t, err)
	assert.Equal(t, 3, count)

	_, err = source.TokenContext(t.Context())
	require.NoError(t, err)
	count, err = testutil.GatherAndCount(registry, "svcauth_client_token_age_seconds")
	require.NoError(t, err)
	assert.Equal(t, 2, count, "of the target orders there is no token")
	one.Watch("messages", source.For(clientcreds.Target{Scopes: []string{"email"}}))
	count, err = testutil.GatherAndCount(registry, "svcauth_client_token_age_seconds")
	require.NoError(t, err)
	assert.Equal(t, 1, count)
	assert.PanicsWithValue(t, "promcreds: a nil Source", func() { one.Watch("messages", nil) })
}

func Example() {
	realm := keycloaktest.NewServer(keycloaktest.Config{}) // stands for a Keycloak
	defer realm.Close()

	config := realm.ClientConfig("job")
	config.Logger = slog.New(slog.DiscardHandler)
	metrics, registry := promcreds.New(config.ClientID), prometheus.NewRegistry()
	registry.MustRegister(metrics)
	config.OnFetch = metrics.OnFetch(config.OnFetch)
	source, err := clientcreds.New(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	metrics.Watch("messages", source)
	if _, err := source.Token(); err != nil {
		fmt.Println(err)
		return
	}

	text, err := testutil.CollectAndFormat(metrics, expfmt.TypeTextPlain, "svcauth_client_token_fetches_total", "svcauth_client_token_state")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(string(text))
	// Output:
	// # HELP svcauth_client_token_fetches_total Attempts to get a token.
	// # TYPE svcauth_client_token_fetches_total counter
	// svcauth_client_token_fetches_total{class="",client="job",trigger="first"} 1
	// # HELP svcauth_client_token_state 1 for the state that the token is in, 0 for the others.
	// # TYPE svcauth_client_token_state gauge
	// svcauth_client_token_state{client="job",state="expired",target="messages"} 0
	// svcauth_client_token_state{client="job",state="fresh",target="messages"} 1
	// svcauth_client_token_state{client="job",state="none",target="messages"} 0
	// svcauth_client_token_state{client="job",state="stale",target="messages"} 0
}
