package resourceserver_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	rs "github.com/svcauth/svcauth/resourceserver"
)

func TestStatusSaysWhyTheLastFetchFailed(t *testing.T) {
	fail := func(err error) func(*http.Request) (*http.Response, error) {
		return func(*http.Request) (*http.Response, error) { return nil, err }
	}
	answer := func(status int, body string) func(*http.Request) (*http.Response, error) {
		return func(*http.Request) (*http.Response, error) { return reply(status, body, nil), nil }
	}
	const metadata = `{"issuer":"` + issuerName + `"`
	for _, c := range []struct {
		name, want       string
		discovery, fetch func(*http.Request) (*http.Response, error) // before and after the keys' place is known
	}{
		{"refused", "connection refused", fail(syscall.ECONNREFUSED), fail(syscall.ECONNREFUSED)},
		{"broken", "network", fail(errors.New("hunter2")), fail(errors.New("hunter2"))},
		{"timed out", "timeout", fail(context.DeadlineExceeded), fail(context.DeadlineExceeded)},
		{"status", "unreachable", answer(500, ""), answer(404, "hunter2")},
		{"HTML", "malformed", answer(200, "<html>hunter2"), answer(200, "<html>hunter2")},
		{"no keys", "no usable keys", answer(200, metadata+`,"jwks_uri":"https://issuer.test/none","keys":[]}`), answer(200, `{"keys":[]}`)},
		{"no place of keys", "bad endpoint", answer(200, metadata+`}`), nil},
		{"another issuer", "issuer mismatch", answer(200, `{"issuer":"https://hunter2.test"}`), nil},
		{"keys over plain http", "bad endpoint", answer(200, metadata+`,"jwks_uri":"http://issuer.test/certs"}`), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, f *fakeIssuer, auth *rs.Authenticator) {
				f.respond(c.discovery)
				require.ErrorIs(t, auth.Warm(t.Context()), rs.ErrKeysUnavailable)
				status := auth.Status().Issuers[0]
				assert.False(t, status.Ready)
				assert.Equal(t, c.want, status.LastError)
				assert.Equal(t, 1, status.Failures)
				assert.Zero(t, status.NextRefresh)
				assert.True(t, status.NextAttempt.After(time.Now()))

				f.respond(nil)
				time.Sleep(5 * time.Second)
				require.NoError(t, auth.Warm(t.Context()))
				status = auth.Status().Issuers[0]
				assert.Empty(t, status.LastError)
				due := time.Until(status.NextRefresh)
				assert.Greater(t, due, 6*time.Minute)
				assert.LessOrEqual(t, due, 8*time.Minute)

				if c.fetch != nil {
					f.respond(c.fetch)
					time.Sleep(due)
					require.NoError(t, auth.Warm(t.Context()))
					synctest.Wait()
					status = auth.Status().Issuers[0]
					assert.True(t, status.Ready, "the last good keys serve")
					assert.Equal(t, c.want, status.LastError)
				}
			})
		})
	}
}

func TestStatusOfAPanickingClient(t *testing.T) {
	f := newFakeIssuer(keyFor("EdDSA"))
	f.respond(func(*http.Request) (*http.Response, error) { panic("hunter2") })
	auth := newAuth(t, f.config())
	require.Error(t, auth.Warm(t.Context()))
	assert.Equal(t, "panic", auth.Status().Issuers[0].LastError)
}

// TestQueryOfJWKSURLStaysPrivate is for sets that are handed out against a key in the query.
func TestQueryOfJWKSURLStaysPrivate(t *testing.T) {
	var book logBook
	f := newFakeIssuer(keyFor("EdDSA"))
	f.respond(func(*http.Request) (*http.Response, error) { return nil, errors.New("down") })
	c := f.config()
	c.JWKSURL = "https://keys.test/set?code=hunter2"
	c.Logger = book.logger()
	var fetched error
	c.OnFetch = func(_ context.Context, f rs.Fetch) { fetched = f.Err }
	auth := newAuth(t, c)
	err := auth.Warm(t.Context())
	require.ErrorContains(t, fetched, "keys at https://keys.test/set?...:")
	assert.NotContains(t, fmt.Sprint(err, fetched, auth.Status(), book.text()), "hunter2")
}
