package compare

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// messagesURL is the service that is called.
const messagesURL = "https://messages.example/"

var clientRows = []row{
	{
		text:    "The token follows a redirect to another host",
		observe: onClient(followsRedirect),
		want:    cells{"no", "yes", none, none},
	},
	{
		text:    "The token goes out over plain `http` to another machine",
		observe: onClient(plainHTTP),
		want:    cells{"no", "yes", none, none},
	},
	{
		text:    "The token endpoint takes a minute: a call with a deadline of 1 s returns after",
		observe: onClient(callsDeadline),
		want:    cells{"1 s", "60 s", none, none},
	},
	{
		text:    "The token endpoint takes 2 s: calls that wait for a renewal, in an hour with one call a second",
		observe: onClient(waitsForRenewals),
		want:    cells{"0", "12", none, none},
	},
	{
		text:    "The token endpoint is down for 20 s, at whatever moment: calls fail, though there was a token",
		observe: briefOutage,
		want:    cells{"no", "yes", none, none},
	},
	{
		text:    "A token that the service refuses (401 `invalid_token`) is replaced, and the request sent again",
		observe: onClient(refusedToken),
		want:    cells{"yes", "no", none, none},
	},
	{
		text:    "A client secret that changes in its file counts without a restart",
		observe: onClient(rotatedSecret),
		want:    cells{"yes", "no", none, none},
	},
	{
		text:    "The secret is wrong: token requests for 100 calls in a row",
		observe: onClient(wrongSecret),
		want:    cells{"1", "200", none, none},
	},
	{
		text:    "What the token endpoint answers stands in the error, whole",
		observe: onClient(rawBody),
		want:    cells{"no", "yes", none, none},
	},
}

// caller is a service that calls another one.
type caller struct {
	t          *testing.T
	network    *network
	issuer     *issuer
	client     *http.Client
	secretFile string
}

// onClient observes a caller in virtual time.
func onClient(look func(*caller) string) func(*testing.T, column) string {
	return func(t *testing.T, c column) (seen string) {
		if c.client == nil {
			return none
		}
		file := filepath.Join(t.TempDir(), "secret")
		require.NoError(t, os.WriteFile(file, []byte("first-secret\n"), 0o600))
		virtually(t, func(t *testing.T) {
			n, i := newNetwork()
			n.hosts["messages.example"] = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
			client, err := c.client(t.Context(), n, file)
			require.NoError(t, err)
			seen = look(&caller{t, n, i, client, file})
		})
		return seen
	}
}

// call is one request to the service.
func (c *caller) call(ctx context.Context, url string) (int, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	require.NoError(c.t, err)
	answer, err := c.client.Do(r)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	return answer.StatusCode, nil
}

// works is a call that must succeed: without it a row would show a library that was set up wrong.
func (c *caller) works() {
	c.t.Helper()
	code, err := c.call(c.t.Context(), messagesURL)
	require.NoError(c.t, err)
	require.Equal(c.t, http.StatusOK, code)
}

func followsRedirect(c *caller) string {
	var followed atomic.Bool
	var leaked atomic.Value
	c.network.hosts["messages.example"] = http.RedirectHandler("https://elsewhere.example/", http.StatusFound)
	c.network.hosts["elsewhere.example"] = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		followed.Store(true)
		leaked.Store(r.Header.Get("Authorization"))
	})
	_, err := c.call(c.t.Context(), messagesURL)
	require.NoError(c.t, err)
	require.True(c.t, followed.Load())
	return yes(leaked.Load() != "")
}

func plainHTTP(c *caller) string {
	c.works()
	var leaked atomic.Bool
	c.network.hosts["messages.example"] = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		leaked.Store(r.Header.Get("Authorization") != "")
	})
	_, err := c.call(c.t.Context(), "http://messages.example/")
	require.Equal(c.t, leaked.Load(), err == nil)
	return yes(leaked.Load())
}

func callsDeadline(c *caller) string {
	c.issuer.answerTokens(slowly(time.Minute))
	start := time.Now()
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Second)
	defer cancel()
	_, err := c.call(ctx, messagesURL)
	require.Error(c.t, err)
	return seconds(time.Since(start))
}

func waitsForRenewals(c *caller) string {
	c.issuer.answerTokens(slowly(2 * time.Second))
	c.works()
	waited := 0
	for end := time.Now().Add(time.Hour); time.Now().Before(end); time.Sleep(time.Second) {
		start := time.Now()
		c.works()
		if time.Since(start) > 0 {
			waited++
		}
	}
	return fmt.Sprint(waited)
}

// slowly gives tokens after a while.
func slowly(delay time.Duration) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(delay)
		giveTokens(w, r)
	}
}

// briefOutage tries every moment of a token's later life.
func briefOutage(t *testing.T, c column) string {
	for begin := lifetime / 2; begin < lifetime; begin += 5 * time.Second {
		if seen := onClient(func(c *caller) string { return outageFrom(c, begin) })(t, c); seen != "no" {
			return seen
		}
	}
	return "no"
}

// outageFrom has the token endpoint down for 20 s from that age of the token on, with a call a second until the token is over and replaced.
func outageFrom(c *caller, begin time.Duration) string {
	c.works()
	start := time.Now()
	down := func() bool { return time.Since(start) >= begin && time.Since(start) < begin+20*time.Second }
	c.issuer.answerTokens(func(w http.ResponseWriter, r *http.Request) {
		if down() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		giveTokens(w, r)
	})
	for time.Since(start) < lifetime+time.Minute {
		time.Sleep(time.Second)
		if _, err := c.call(c.t.Context(), messagesURL); err != nil {
			return "yes"
		}
	}
	return "no"
}

func refusedToken(c *caller) string {
	c.works()
	var refused atomic.Value
	refused.Store("")
	c.network.hosts["messages.example"] = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The first token that comes is no longer good: the issuer has withdrawn its key, for instance.
		if token := r.Header.Get("Authorization"); refused.CompareAndSwap("", token) || refused.Load() == token {
			w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	time.Sleep(time.Minute)
	code, err := c.call(c.t.Context(), messagesURL)
	require.NoError(c.t, err)
	return yes(code == http.StatusOK)
}

// knows answers those who authenticate with secret, in whichever of the two ways (RFC 6749 §2.3.1).
func knows(secret string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, sent, ok := r.BasicAuth()
		if !ok {
			sent = r.PostFormValue("client_secret")
		}
		if sent != secret {
			w.WriteHeader(http.StatusUnauthorized)
			writeJSON(w, map[string]string{"error": "unauthorized_client", "error_description": "Invalid client or Invalid client credentials"})
			return
		}
		giveTokens(w, r)
	}
}

func rotatedSecret(c *caller) string {
	c.issuer.answerTokens(knows("first-secret"))
	c.works()
	require.NoError(c.t, os.WriteFile(c.secretFile, []byte("second-secret\n"), 0o600))
	c.issuer.answerTokens(knows("second-secret"))
	time.Sleep(lifetime)
	_, err := c.call(c.t.Context(), messagesURL)
	return yes(err == nil)
}

func wrongSecret(c *caller) string {
	c.issuer.answerTokens(knows("another-secret"))
	for range 100 {
		_, err := c.call(c.t.Context(), messagesURL)
		require.Error(c.t, err)
	}
	_, tokens := c.issuer.requests()
	return fmt.Sprint(tokens)
}

func rawBody(c *caller) string {
	const body = "<html><!-- upstream 10.0.0.7:8443, admin@example.com --></html>"
	c.issuer.answerTokens(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadGateway)
		w.Write([]byte(body))
	})
	_, err := c.call(c.t.Context(), messagesURL)
	require.Error(c.t, err)
	return yes(strings.Contains(err.Error(), body))
}
