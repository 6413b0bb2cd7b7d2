package resourceserver_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	rs "github.com/svcauth/svcauth/resourceserver"
)

// inBubble runs a test in virtual time, with an issuer that publishes the usual key.
func inBubble(t *testing.T, test func(t *testing.T, f *fakeIssuer, auth *rs.Authenticator)) {
	t.Helper()
	keyFor("EdDSA") // made outside the bubble, since it outlives it
	keyFor("EdDSA/other")
	synctest.Test(t, func(t *testing.T) {
		f := newFakeIssuer(keyFor("EdDSA"))
		test(t, f, newAuth(t, f.config()))
	})
}

func unknownKid() string { return sign(keyFor("EdDSA/other"), nil, good(nil)) }

func verifyErr(t *testing.T, auth *rs.Authenticator, token string) error {
	t.Helper()
	_, err := auth.Verify(t.Context(), token)
	return err
}

func requireReason(t *testing.T, err error, reason rs.Reason) {
	t.Helper()
	require.ErrorIs(t, err, &rs.Error{Reason: reason})
}

func TestKeysAreFetchedOnceForAll(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fakeIssuer, auth *rs.Authenticator) {
		f.respond(func(r *http.Request) (*http.Response, error) {
			time.Sleep(time.Second)
			f.respond(nil)
			return f.RoundTrip(r)
		})
		token := goodToken()
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() { assert.NoError(t, verifyErr(t, auth, token)) })
		}
		wg.Wait()
		assert.Equal(t, 1, f.count(certsPath))
		for range 50 {
			require.NoError(t, verifyErr(t, auth, goodToken()))
		}
		assert.Equal(t, 1, f.count(certsPath))
	})
}

func TestStartsWhileIssuerIsDown(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fakeIssuer, auth *rs.Authenticator) {
		f.down()
		start := time.Now()
		var refused *rs.Error
		require.ErrorAs(t, verifyErr(t, auth, goodToken()), &refused)
		require.ErrorIs(t, refused, rs.ErrKeysUnavailable)
		assert.Equal(t, 503, refused.Status)
		assert.Positive(t, refused.RetryAfter)
		attempts := f.count(discoveryPath)
		require.ErrorIs(t, verifyErr(t, auth, goodToken()), rs.ErrKeysUnavailable)
		assert.Equal(t, attempts, f.count(discoveryPath), "within the backoff nothing is asked")

		// A request each 100 ms for a minute of outage: never more than one attempt in 4 s once the backoff has grown.
		for time.Since(start) < time.Minute {
			time.Sleep(100 * time.Millisecond)
			require.ErrorIs(t, verifyErr(t, auth, goodToken()), rs.ErrKeysUnavailable)
		}
		assert.Less(t, f.count(discoveryPath), 25)
		assert.Greater(t, f.count(discoveryPath), 12)

		f.respond(nil)
		up := time.Now()
		for verifyErr(t, auth, goodToken()) != nil {
			time.Sleep(50 * time.Millisecond)
			require.Less(t, time.Since(up), 5*time.Second, "a service recovers within 5 s of its issuer")
		}
	})
}

func TestWaiterLeavesAtItsOwnDeadline(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fakeIssuer, auth *rs.Authenticator) {
		f.respond(func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() })
		start := time.Now()
		done := make(chan error)
		go func() { done <- verifyErr(t, auth, goodToken()) }()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		_, err := auth.Verify(ctx, goodToken())
		assert.Equal(t, 20*time.Millisecond, time.Since(start))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, rs.ErrKeysUnavailable)
		requireReason(t, <-done, rs.ReasonKeysUnavailable)
		assert.Equal(t, 5*time.Second, time.Since(start), "the shared fetch has a deadline of its own")
	})
}

func TestRotation(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fakeIssuer, auth *rs.Authenticator) {
		require.NoError(t, verifyErr(t, auth, goodToken()))
		time.Sleep(time.Minute)
		f.publish(keyFor("EdDSA"), keyFor("EdDSA/other"))
		require.NoError(t, verifyErr(t, auth, unknownKid()), "the first token of a new key is accepted at once")
		require.NoError(t, verifyErr(t, auth, goodToken()))
		assert.Equal(t, 2, f.count(certsPath))
	})
}

// TestRotationUnderLoad holds that all who come with the new key while it is being fetched share that fetch, and none of them is refused.
func TestRotationUnderLoad(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fakeIssuer, auth *rs.Authenticator) {
		require.NoError(t, verifyErr(t, auth, goodToken()))
		time.Sleep(time.Minute)
		f.publish(keyFor("EdDSA"), keyFor("EdDSA/other"))
		f.respond(func(r *http.Request) (*http.Response, error) {
			time.Sleep(time.Second)
			f.respond(nil)
			return f.RoundTrip(r)
		})
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * 10 * time.Millisecond)
				assert.NoError(t, verifyErr(t, auth, unknownKid()))
			})
		}
		wg.Wait()
		assert.Equal(t, 3, f.count(certsPath), "the first, the delayed one (counted twice), and no more")
	})
}

func TestRotationOfKeysWithoutKid(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fakeIssuer, auth *rs.Authenticator) {
		bare := map[string]any{"kid": nil}
		require.NoError(t, verifyErr(t, auth, sign(keyFor("EdDSA"), bare, good(nil))))
		f.publish(keyFor("EdDSA/other"))
		time.Sleep(time.Second)
		require.NoError(t, verifyErr(t, auth, sign(keyFor("EdDSA/other"), bare, good(nil))))
		requireReason(t, verifyErr(t, auth, sign(keyFor("EdDSA"), bare, good(nil))), rs.ReasonUnknownKey)
	})
}

func TestUnknownKidsCostOneFetchPerCooldown(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fakeIssuer, auth *rs.Authenticator) {
		require.NoError(t, verifyErr(t, auth, goodToken()))
		time.Sleep(time.Second)
		start := time.Now()
		for time.Since(start) < 3*time.Minute {
			requireReason(t, verifyErr(t, auth, unknownKid()), rs.ReasonUnknownKey)
			require.NoError(t, verifyErr(t, auth, goodToken()), "a known key never waits")
			time.Sleep(100 * time.Millisecond)
		}
		assert.LessOrEqual(t, f.count(certsPath), 2+6)
		assert.GreaterOrEqual(t, f.count(certsPath), 6)
	})
}

// TestHintOfAHeldBackKey holds that a key which is not worth a fetch at the moment is not said to be unpublished.
func TestHintOfAHeldBackKey(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fakeIssuer, auth *rs.Authenticator) {
		hint := func() string {
			var refused *rs.Error
			require.ErrorAs(t, verifyErr(t, auth, unknownKid()), &refused)
			require.Equal(t, rs.ReasonUnknownKey, refused.Reason)
			return refused.Hint
		}
		require.NoError(t, verifyErr(t, auth, goodToken()))
		time.Sleep(time.Second)
		assert.Contains(t, hint(), "does not publish the key")
		f.publish(keyFor("EdDSA"), keyFor("EdDSA/other")) // the second rotation
		time.Sleep(7 * time.Second)
		assert.Contains(t, hint(), "not among those fetched 7s ago")
		assert.Contains(t, hint(), "at most every 30s: after a rotation this passes by itself")
		time.Sleep(30 * time.Second)
		require.NoError(t, verifyErr(t, auth, unknownKid()))
	})
}

func TestFollowUpFetchAfterCooldown(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fakeIssuer, auth *rs.Authenticator) {
		require.NoError(t, verifyErr(t, auth, goodToken()))
		time.Sleep(time.Second)
		requireReason(t, verifyErr(t, auth, unknownKid()), rs.ReasonUnknownKey) // an attacker burns the cooldown
		f.publish(keyFor("EdDSA"), keyFor("EdDSA/other"))
		time.Sleep(time.Second)
		requireReason(t, verifyErr(t, auth, unknownKid()), rs.ReasonUnknownKey)
		fetched := f.count(certsPath)
		time.Sleep(30 * time.Second)
		assert.Equal(t, fetched+1, f.count(certsPath), "the fetch at the end of the cooldown needs no request")
		require.NoError(t, verifyErr(t, auth, unknownKid()))
		time.Sleep(time.Hour)
		assert.Equal(t, fetched+1, f.count(certsPath), "an idle authenticator fetches nothing")
	})
}

func TestUnknownKidDuringOutageIs503(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fakeIssuer, auth *rs.Authenticator) {
		require.NoError(t, verifyErr(t, auth, goodToken()))
		time.Sleep(time.Second)
		f.down()
		requireReason(t, verifyErr(t, auth, unknownKid()), rs.ReasonKeysUnavailable)
		fetched := f.count(certsPath)
		for range 20 {
			time.Sleep(time.Second)
			requireReason(t, verifyErr(t, auth, unknownKid()), rs.ReasonKeysUnavailable)
		}
		assert.Equal(t, fetched, f.count(certsPath), "failures count for the cooldown")
		require.NoError(t, verifyErr(t, auth, goodToken()))
	})
}

func TestRefreshAheadInBackground(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fakeIssuer, auth *rs.Authenticator) {
		require.NoError(t, verifyErr(t, auth, goodToken()))
		f.respond(func(r *http.Request) (*http.Response, error) {
			time.Sleep(2 * time.Second)
			return nil, errors.New("reset")
		})
		time.Sleep(9 * time.Minute)
		start := time.Now()
		require.NoError(t, verifyErr(t, auth, goodToken()))
		assert.Zero(t, time.Since(start), "no request waits for a refresh")
		synctest.Wait()
		time.Sleep(3 * time.Second)
		f.respond(nil)
		require.NoError(t, verifyErr(t, auth, goodToken()))
		synctest.Wait()
		assert.Equal(t, 3, f.count(certsPath), "the first fetch, one failed refresh, one good one after it")
		assert.Less(t, auth.Status().Issuers[0].Age, time.Second)
	})
}

func TestWithdrawnKeyAfterIdleness(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fakeIssuer, auth *rs.Authenticator) {
		require.NoError(t, verifyErr(t, auth, goodToken()))
		time.Sleep(5 * time.Hour)
		f.publish(keyFor("EdDSA/other"))
		requireReason(t, verifyErr(t, auth, goodToken()), rs.ReasonUnknownKey)
	})
}

// TestShortMaxStale holds that keys are refreshed before they are too old to serve, so that no request with a known key waits.
func TestShortMaxStale(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fakeIssuer, _ *rs.Authenticator) {
		c := f.config()
		c.MaxStale = 5 * time.Minute
		c.HTTPClient = &http.Client{Transport: &slow{base: f, delay: time.Second}}
		auth := newAuth(t, c)
		require.NoError(t, auth.Warm(t.Context()))
		for range 200 {
			time.Sleep(5 * time.Second)
			start := time.Now()
			require.NoError(t, verifyErr(t, auth, goodToken()))
			require.Zero(t, time.Since(start))
		}
		settle()
	})
}

// TestImpatientAfterIdleness holds that a caller who can't wait for fresh keys is verified by those that are there.
func TestImpatientAfterIdleness(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fakeIssuer, auth *rs.Authenticator) {
		remembered := sign(keyFor("EdDSA"), nil, good(claims{"exp": time.Now().Add(5 * time.Hour).Unix()}))
		require.NoError(t, verifyErr(t, auth, remembered))
		f.respond(func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() })
		time.Sleep(time.Hour)
		for name, token := range map[string]string{"remembered": remembered, "new": goodToken()} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			start := time.Now()
			_, err := auth.Verify(ctx, token)
			cancel()
			require.NoError(t, err, name)
			assert.Equal(t, time.Second, time.Since(start), name)
		}
		settle()
	})
}

func TestOutage(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fakeIssuer, auth *rs.Authenticator) {
		require.NoError(t, verifyErr(t, auth, goodToken()))
		f.respond(func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() })
		start, waited := time.Now(), 0
		for time.Since(start) < 23*time.Hour {
			time.Sleep(10 * time.Minute)
			before := time.Now()
			require.NoError(t, verifyErr(t, auth, goodToken()))
			if time.Since(before) > 0 {
				waited++
			}
		}
		assert.LessOrEqual(t, waited, 1, "at most the first request after idleness waits")
		assert.True(t, auth.Status().Ready())
		time.Sleep(2 * time.Hour)
		requireReason(t, verifyErr(t, auth, goodToken()), rs.ReasonKeysUnavailable)
		assert.False(t, auth.Status().Ready())
		f.respond(nil)
		time.Sleep(5 * time.Second)
		require.NoError(t, verifyErr(t, auth, goodToken()))
	})
}

func TestBadAnswersNeverReplaceGoodKeys(t *testing.T) {
	for name, answer := range map[string]func() *http.Response{
		"500":                  func() *http.Response { return reply(500, "", nil) },
		"404":                  func() *http.Response { return reply(404, "", nil) },
		"HTML":                 func() *http.Response { return reply(200, "<html>sorry</html>", nil) },
		"nothing":              func() *http.Response { return reply(200, "", nil) },
		"no keys":              func() *http.Response { return reply(200, `{"keys":[]}`, nil) },
		"keys null":            func() *http.Response { return reply(200, `{"keys":null}`, nil) },
		"an object of nothing": func() *http.Response { return reply(200, `{}`, nil) },
		"only odd keys":        func() *http.Response { return reply(200, `{"keys":[{"kty":"oct","k":"AAAA"},{"kty":"AKP"},5]}`, nil) },
		"too large":            func() *http.Response { return reply(200, strings.Repeat(" ", 2<<20), nil) },
		"a redirect":           func() *http.Response { return reply(302, "", http.Header{"Location": {"https://evil.test/"}}) },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, f *fakeIssuer, auth *rs.Authenticator) {
				require.NoError(t, verifyErr(t, auth, goodToken()))
				f.respond(func(*http.Request) (*http.Response, error) { return answer(), nil })
				time.Sleep(time.Hour)
				require.NoError(t, verifyErr(t, auth, goodToken()))
				assert.Positive(t, auth.Status().Issuers[0].Failures)
			})
		})
	}
}

func TestOddKeysAreSkipped(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fakeIssuer, auth *rs.Authenticator) {
		f.publishRaw(`{"keys":[5,null,"x",{},{"kty":"AKP","kid":"pq"},{"kty":"oct","k":"c2VjcmV0"},{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"},` +
			`{"kty":"RSA","use":"enc","n":"AA","e":"AQAB"},` + string(keyFor("EdDSA").PublicJWK("sig")) + `]}`)
		require.NoError(t, verifyErr(t, auth, goodToken()))
		status := auth.Status().Issuers[0]
		assert.Equal(t, 8, status.Skipped)
		assert.Equal(t, []string{keyFor("EdDSA").ID()}, status.KeyIDs)
	})
}

func TestKeysLifetime(t *testing.T) {
	for name, c := range map[string]struct {
		cacheControl string
		fresh, due   time.Duration
	}{
		"none":                      {"", 6 * time.Minute, 8 * time.Minute},
		"Keycloak's":                {"no-cache, must-revalidate, no-transform, no-store", 6 * time.Minute, 8 * time.Minute},
		"max-age=0":                 {"max-age=0", 6 * time.Minute, 8 * time.Minute},
		"max-age of a second":       {"max-age=1", 30 * time.Second, time.Minute},
		"max-age of an hour":        {"public, max-age=3600", 38 * time.Minute, 48 * time.Minute},
		"max-age of a year":         {"max-age=31536000", 15 * time.Hour, 20 * time.Hour},
		"max-age that is no number": {"max-age=soon", 6 * time.Minute, 8 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, f *fakeIssuer, auth *rs.Authenticator) {
				f.header.Set("Cache-Control", c.cacheControl)
				require.NoError(t, auth.Warm(t.Context()))
				time.Sleep(c.fresh)
				require.NoError(t, verifyErr(t, auth, goodToken()))
				synctest.Wait()
				assert.Equal(t, 1, f.count(certsPath))
				time.Sleep(c.due - c.fresh)
				require.NoError(t, verifyErr(t, auth, goodToken()))
				synctest.Wait()
				assert.Equal(t, 2, f.count(certsPath))
			})
		})
	}
}

func TestKeysWithoutKidOrAlg(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fakeIssuer, auth *rs.Authenticator) {
		bare := strings.NewReplacer(`"kid":"`+keyFor("EdDSA").ID()+`",`, "", `"alg":"EdDSA",`, "", `,"use":"sig"`, "").Replace(string(keyFor("EdDSA").PublicJWK("sig")))
		require.NotContains(t, bare, "kid")
		require.NotContains(t, bare, "alg")
		require.NotContains(t, bare, "use")
		f.publishRaw(`{"keys":[` + bare + `]}`)
		require.NoError(t, verifyErr(t, auth, goodToken()), "the token names a kid that the issuer did not publish")
		require.NoError(t, verifyErr(t, auth, sign(keyFor("EdDSA"), map[string]any{"kid": nil}, good(nil))))
		requireReason(t, verifyErr(t, auth, unknownKid()), rs.ReasonUnknownKey)
	})
}

func TestDiscovery(t *testing.T) {
	answer := func(document string) func(*http.Request) (*http.Response, error) {
		return func(r *http.Request) (*http.Response, error) {
			switch r.URL.Path {
			case discoveryPath:
				return reply(404, "", nil), nil
			case rfc8414Path:
				return reply(200, document, nil), nil
			case certsPath:
				return reply(200, `{"keys":[`+string(keyFor("EdDSA").PublicJWK("sig"))+`]}`, nil), nil
			}
			return reply(500, "", nil), nil
		}
	}
	for name, c := range map[string]struct {
		document string
		ok       bool
	}{
		"at the RFC 8414 place":     {`{"issuer":"` + issuerName + `","jwks_uri":"https://issuer.test` + certsPath + `"}`, true},
		"for another issuer":        {`{"issuer":"https://evil.test","jwks_uri":"https://issuer.test` + certsPath + `"}`, false},
		"with a slash more":         {`{"issuer":"` + issuerName + `/","jwks_uri":"https://issuer.test` + certsPath + `"}`, false},
		"without an issuer":         {`{"jwks_uri":"https://issuer.test` + certsPath + `"}`, false},
		"without a jwks_uri":        {`{"issuer":"` + issuerName + `"}`, false},
		"with keys over plain http": {`{"issuer":"` + issuerName + `","jwks_uri":"http://localhost` + certsPath + `"}`, false},
		"with keys in a file":       {`{"issuer":"` + issuerName + `","jwks_uri":"file:///etc/keys"}`, false},
		"not JSON":                  {`<html>`, false},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, f *fakeIssuer, auth *rs.Authenticator) {
				f.respond(answer(c.document))
				err := verifyErr(t, auth, goodToken())
				if c.ok {
					require.NoError(t, err)
					return
				}
				require.ErrorIs(t, err, rs.ErrKeysUnavailable)
				assert.Zero(t, f.count(certsPath))
			})
		})
	}
}

// TestOutageIsLogged holds that there is one line to find at 3 a.m., with what is needed to act on it, and not one a request.
func TestOutageIsLogged(t *testing.T) {
	keyFor("EdDSA")
	synctest.Test(t, func(t *testing.T) {
		var book logBook
		f := newFakeIssuer(keyFor("EdDSA"))
		c := f.config()
		c.Logger = book.logger()
		auth := newAuth(t, c)
		require.NoError(t, verifyErr(t, auth, goodToken()))
		f.down()
		time.Sleep(9 * time.Minute)
		for range 100 {
			require.NoError(t, verifyErr(t, auth, goodToken()))
			synctest.Wait()
		}
		records := book.records(t, "issuer's keys can't be refreshed; the last good ones serve on")
		require.Len(t, records, 1)
		assert.Equal(t, issuerName, records[0]["issuer"])
		assert.Equal(t, "WARN", records[0]["level"])
		assert.Contains(t, records[0], "keys_serve_for")
		assert.Contains(t, records[0]["error"], "keys at https://issuer.test"+certsPath)
		f.respond(nil)
		time.Sleep(time.Minute)
		require.NoError(t, verifyErr(t, auth, goodToken()))
		synctest.Wait()
		assert.Len(t, book.records(t, "issuer's keys fetched again"), 1)
	})
}

// TestRotationIsLogged holds that one record tells of it, with the names of the keys, and none of an answer that says the same.
func TestRotationIsLogged(t *testing.T) {
	keyFor("EdDSA")
	keyFor("EdDSA/other")
	synctest.Test(t, func(t *testing.T) {
		var book logBook
		f := newFakeIssuer(keyFor("EdDSA"))
		c := f.config()
		c.Logger = book.logger()
		auth := newAuth(t, c)
		refresh := func() []map[string]any {
			time.Sleep(time.Hour)
			require.NoError(t, auth.Warm(t.Context()))
			_ = verifyErr(t, auth, goodToken())
			synctest.Wait()
			return book.records(t, "issuer's keys changed")
		}
		first, other := keyFor("EdDSA").ID(), keyFor("EdDSA/other").ID()
		require.Empty(t, refresh())
		require.Empty(t, refresh())
		f.publish(keyFor("EdDSA/other"), keyFor("EdDSA"))
		records := refresh()
		require.Len(t, records, 1)
		assert.Equal(t, "INFO", records[0]["level"])
		assert.Equal(t, issuerName, records[0]["issuer"])
		assert.Equal(t, []any{other, "", 2.0}, []any{records[0]["new"], records[0]["gone"], records[0]["keys"]})
		f.publish(keyFor("EdDSA"), keyFor("EdDSA/other"))
		require.Len(t, refresh(), 1, "another order is no other key")
		f.publish(keyFor("EdDSA/other"))
		records = refresh()
		require.Len(t, records, 2)
		assert.Equal(t, []any{"", first, 1.0}, []any{records[1]["new"], records[1]["gone"], records[1]["keys"]})

		var many []string
		for n := range 100 {
			many = append(many, jwkWith(keyFor("EdDSA"), map[string]any{"kid": fmt.Sprint("odd\n", n)}))
		}
		f.publishRaw(`{"keys":[` + strings.Join(append(many, jwkWith(keyFor("EdDSA/other"), map[string]any{"kid": absent})), ",") + `]}`)
		records = refresh()
		require.Len(t, records, 3)
		assert.Less(t, len(records[2]["new"].(string)), 100)
		assert.Equal(t, other, records[2]["gone"])
	})
}

// TestRotationDuringRefresh holds that a fetch which began before the issuer had the new key does not speak for one that began after.
func TestRotationDuringRefresh(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fakeIssuer, auth *rs.Authenticator) {
		require.NoError(t, verifyErr(t, auth, goodToken()))
		time.Sleep(9 * time.Minute)
		stale := `{"keys":[` + string(keyFor("EdDSA").PublicJWK("sig")) + `]}`
		f.respond(func(*http.Request) (*http.Response, error) {
			f.respond(nil)
			time.Sleep(time.Second)
			return reply(200, stale, nil), nil
		})
		require.NoError(t, verifyErr(t, auth, goodToken())) // starts the refresh in the background
		synctest.Wait()
		time.Sleep(500 * time.Millisecond)
		f.publish(keyFor("EdDSA"), keyFor("EdDSA/other"))
		require.NoError(t, verifyErr(t, auth, unknownKid()))
		assert.Equal(t, 3, f.count(certsPath))
	})
}

func TestPanickingClientBacksOff(t *testing.T) {
	var book logBook
	f := newFakeIssuer(keyFor("EdDSA"))
	c := f.config()
	c.Logger = book.logger()
	auth := newAuth(t, c)
	f.respond(func(*http.Request) (*http.Response, error) { panic("hunter2") })
	requireReason(t, verifyErr(t, auth, goodToken()), rs.ReasonKeysUnavailable)
	requireReason(t, verifyErr(t, auth, goodToken()), rs.ReasonKeysUnavailable)
	assert.Equal(t, 1, f.count(discoveryPath))
	assert.Equal(t, 1, auth.Status().Issuers[0].Failures)
	assert.Contains(t, book.text(), "panic of type string in the key fetch")
	assert.NotContains(t, book.text(), "hunter2")
}

func TestPanickingCallbackCostsNothing(t *testing.T) {
	var book logBook
	f := newFakeIssuer(keyFor("EdDSA"))
	c := f.config()
	c.Logger = book.logger()
	c.OnFetch = func(context.Context, rs.Fetch) { panic("x") }
	require.NoError(t, verifyErr(t, newAuth(t, c), goodToken()))
	assert.Len(t, book.records(t, "Config.OnFetch panicked"), 1)
}

func TestManyKeysWithoutKid(t *testing.T) {
	f := newFakeIssuer()
	var set []string
	for i := range 20 {
		key := keyFor("EdDSA/" + string(rune('a'+i)))
		set = append(set, strings.Replace(string(key.PublicJWK("sig")), `"kid":"`+key.ID()+`",`, "", 1))
	}
	f.publishRaw(`{"keys":[` + strings.Join(set, ",") + `]}`)
	require.NoError(t, verifyErr(t, newAuth(t, f.config()), sign(keyFor("EdDSA/t"), map[string]any{"kid": nil}, good(nil))))
}

func TestOnFetch(t *testing.T) {
	var fetches []rs.Fetch
	f := newFakeIssuer(keyFor("EdDSA"))
	c := f.config()
	c.OnFetch = func(_ context.Context, fetch rs.Fetch) { fetches = append(fetches, fetch) }
	before := time.Now()
	require.NoError(t, newAuth(t, c).Warm(t.Context()))
	require.Len(t, fetches, 1)
	assert.Equal(t, issuerName, fetches[0].Issuer)
	assert.Equal(t, 1, fetches[0].Keys)
	assert.WithinRange(t, fetches[0].Start, before, time.Now())
	require.NoError(t, fetches[0].Err)
	assert.Empty(t, fetches[0].Class)

	f.respond(func(*http.Request) (*http.Response, error) { return reply(404, "", nil), nil })
	auth := newAuth(t, c)
	require.Error(t, auth.Warm(t.Context()))
	require.Len(t, fetches, 2)
	assert.Equal(t, "unreachable", fetches[1].Class)
	assert.Equal(t, auth.Status().Issuers[0].LastError, fetches[1].Class)
}

func TestStatusBeforeAnything(t *testing.T) {
	assert.False(t, rs.Status{}.Ready())
	f := newFakeIssuer(keyFor("EdDSA"))
	assert.False(t, newAuth(t, f.config()).Status().Ready())
	assert.Zero(t, f.count(discoveryPath), "Status asks nobody")
}

func TestWarmSaysWhy(t *testing.T) {
	f := newFakeIssuer(keyFor("EdDSA"))
	f.respond(func(*http.Request) (*http.Response, error) { return reply(404, "", nil), nil })
	err := newAuth(t, f.config()).Warm(t.Context())
	require.ErrorIs(t, err, rs.ErrKeysUnavailable)
	require.ErrorContains(t, err, issuerName)
	require.ErrorContains(t, err, "status 404")
}

// TestKeyPublishedDuringCallback holds that a fetch which has brought its keys and only runs OnFetch yet does not speak for a key published meanwhile.
func TestKeyPublishedDuringCallback(t *testing.T) {
	keyFor("EdDSA")
	keyFor("EdDSA/other")
	synctest.Test(t, func(t *testing.T) {
		f := newFakeIssuer(keyFor("EdDSA"))
		c := f.config()
		c.OnFetch = func(context.Context, rs.Fetch) { time.Sleep(time.Second) }
		auth := newAuth(t, c)
		go func() { _ = auth.Warm(t.Context()) }()
		time.Sleep(500 * time.Millisecond)
		f.publish(keyFor("EdDSA"), keyFor("EdDSA/other"))
		require.NoError(t, verifyErr(t, auth, unknownKid()))
		time.Sleep(time.Minute)
	})
}

// TestClientThatEndsTheGoroutine holds that such a fetch counts as failed.
func TestClientThatEndsTheGoroutine(t *testing.T) {
	f := newFakeIssuer(keyFor("EdDSA"))
	auth := newAuth(t, f.config())
	f.respond(func(*http.Request) (*http.Response, error) { runtime.Goexit(); return nil, nil })
	for range 5 {
		requireReason(t, verifyErr(t, auth, goodToken()), rs.ReasonKeysUnavailable)
	}
	assert.Equal(t, 1, f.count(discoveryPath))
	assert.Equal(t, "panic", auth.Status().Issuers[0].LastError)
}
