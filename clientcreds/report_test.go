package clientcreds

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestLog follows a source through a night: what is logged, how often, and at which level.
func TestLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		up := tokens(300 * time.Second)
		issuer := &script{next: up}
		source := newTestSource(t, issuer, func(c *Config) {
			c.Scopes = []string{"openid"}
			c.Logger = slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
		})
		records := func() (all []map[string]any) {
			synctest.Wait()
			for dec := json.NewDecoder(&out); dec.More(); {
				var r map[string]any
				require.NoError(t, dec.Decode(&r))
				all = append(all, r)
			}
			return all
		}
		busy := func(d time.Duration) {
			for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
				_, _ = source.TokenContext(t.Context())
			}
		}

		busy(time.Second)
		got := records()
		require.Len(t, got, 1)
		assert.Equal(t, "INFO", got[0]["level"])
		assert.Equal(t, "clientcreds: token obtained", got[0]["msg"])
		assert.Equal(t, "archival-service", got[0]["client_id"])
		assert.Equal(t, testTokenURL, got[0]["token_url"])
		assert.Equal(t, "first", got[0]["trigger"])

		busy(260 * time.Second)
		got = records()
		require.Len(t, got, 1)
		assert.Equal(t, "DEBUG", got[0]["level"])
		assert.Equal(t, "ahead", got[0]["trigger"])

		issuer.next = func(int, *http.Request) (*http.Response, error) { return reply(503, "") }
		busy(340 * time.Second) // past the token's end by more than the longest backoff
		got = records()
		assert.LessOrEqual(t, len(got), 12, "3,000 requests, a record an attempt")
		assert.Equal(t, "WARN", got[0]["level"])
		assert.Equal(t, "clientcreds: token not refreshed; the current one is still valid", got[0]["msg"])
		assert.Equal(t, "token endpoint https://issuer.example/token answered 503", got[0]["error"])
		assert.Equal(t, "the issuer is overloaded or down: look at its log", got[0]["hint"])
		assert.Contains(t, got[0], "token_expires_in")
		last := got[len(got)-1]
		assert.Equal(t, "ERROR", last["level"])
		assert.Equal(t, "clientcreds: no token", last["msg"])
		assert.Equal(t, "status", last["class"])
		assert.EqualValues(t, 503, last["status"])
		assert.EqualValues(t, len(got), last["failures"])
		assert.Contains(t, last, "next_attempt_in")

		issuer.next = up
		busy(31 * time.Second)
		got = records()
		require.Len(t, got, 1)
		assert.Equal(t, "INFO", got[0]["level"])
		assert.Equal(t, "clientcreds: token obtained again", got[0]["msg"])
		assert.Equal(t, last["failures"], got[0]["failures"])
	})
}

// TestHint shows that a refusal says what to do about it, to the log and to the caller, and that the text which callers pass on does not.
func TestHint(t *testing.T) {
	var out bytes.Buffer
	issuer := &script{next: func(int, *http.Request) (*http.Response, error) {
		return reply(401, `{"error":"unauthorized_client","error_description":"Invalid client or Invalid client credentials"}`)
	}}
	source := newTestSource(t, issuer, func(c *Config) { c.Logger = slog.New(slog.NewJSONHandler(&out, nil)) })
	for _, s := range []*Source{source, source.For(Target{Scopes: []string{"other"}})} { // the other shares the refusal
		_, err := s.Token()
		var failed *Error
		require.ErrorAs(t, err, &failed)
		assert.Contains(t, failed.Hint, "Clients > archival-service > Credentials: compare the secret")
		assert.NotContains(t, failed.Error(), "Clients >")
		var record map[string]any
		require.NoError(t, json.NewDecoder(&out).Decode(&record))
		out.Reset()
		assert.Equal(t, failed.Hint, record["hint"])
	}
	assert.Equal(t, 1, issuer.count())
}

func TestStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := &script{next: tokens(300 * time.Second)}
		source := newTestSource(t, issuer)
		assert.Equal(t, Status{State: StateNone}, source.Status())
		token(t, source)
		time.Sleep(100 * time.Second)
		status := source.Status()
		assert.Equal(t, StateFresh, status.State)
		assert.Equal(t, 100*time.Second, status.Age)
		assert.Equal(t, 200*time.Second, status.ExpiresIn)
		assert.WithinDuration(t, time.Now().Add(147*time.Second), status.NextAttempt, 8*time.Second)
		time.Sleep(160 * time.Second)
		assert.Equal(t, StateStale, source.Status().State)
		issuer.next = func(int, *http.Request) (*http.Response, error) { return nil, errDown }
		time.Sleep(60 * time.Second)
		_, err := source.Token()
		status = source.Status()
		assert.Equal(t, StateExpired, status.State)
		assert.Equal(t, -20*time.Second, status.ExpiresIn)
		assert.Equal(t, 1, status.Failures)
		assert.Equal(t, ClassNetwork, status.ErrorClass)
		assert.Equal(t, err, status.LastError)
		assert.WithinDuration(t, time.Now().Add(450*time.Millisecond), status.NextAttempt, 51*time.Millisecond)
		assert.Equal(t, 2, issuer.count())
	})
}
