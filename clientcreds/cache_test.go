package clientcreds

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"
)

func TestFreshTokenIsServedWithoutAsking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := &script{next: tokens(300 * time.Second)}
		source := newTestSource(t, issuer)
		assert.Equal(t, 0, issuer.count(), "New does no I/O")
		first, err := source.TokenContext(t.Context())
		require.NoError(t, err)
		assert.Equal(t, "Bearer", first.TokenType)
		assert.True(t, first.Valid())
		time.Sleep(239 * time.Second)
		second, err := source.TokenContext(t.Context())
		require.NoError(t, err)
		assert.Same(t, first, second)
		synctest.Wait()
		assert.Equal(t, 1, issuer.count())
	})
}

func TestStaleTokenIsServedAndReplacedInTheBackground(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := &script{}
		issuer.next = func(n int, r *http.Request) (*http.Response, error) {
			time.Sleep(2 * time.Second) // nobody may have to wait for this
			return tokens(300*time.Second)(n, r)
		}
		source := newTestSource(t, issuer)
		assert.Equal(t, "token-1", token(t, source))
		time.Sleep(256 * time.Second)
		began := time.Now()
		for range 100 {
			assert.Equal(t, "token-1", token(t, source))
		}
		assert.Equal(t, began, time.Now())
		time.Sleep(3 * time.Second)
		assert.Equal(t, "token-2", token(t, source))
		assert.Equal(t, 2, issuer.count())
	})
}

func TestIdleSourceDoesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := &script{next: tokens(60 * time.Second)}
		source := newTestSource(t, issuer)
		token(t, source)
		time.Sleep(24 * time.Hour)
		assert.Equal(t, 1, issuer.count())
		assert.Equal(t, StateExpired, source.Status().State)
		assert.Equal(t, 1, issuer.count(), "Status starts nothing")
		// That the bubble ends shows that no goroutine is left.
	})
}

func TestExpiredCallersShareOneFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := &script{}
		issuer.next = func(n int, r *http.Request) (*http.Response, error) {
			time.Sleep(time.Second)
			return tokens(300*time.Second)(n, r)
		}
		source := newTestSource(t, issuer)
		for round := 1; round <= 2; round++ {
			var wg sync.WaitGroup
			for range 1000 {
				wg.Go(func() { assert.Equal(t, fmt.Sprintf("token-%d", round), token(t, source)) })
			}
			wg.Wait()
			assert.Equal(t, round, issuer.count())
			time.Sleep(291 * time.Second) // past the hard margin
		}
	})
}

type contextKey struct{}

func TestFetchOutlivesItsFirstCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := &script{}
		issuer.next = func(n int, r *http.Request) (*http.Response, error) {
			assert.Nil(t, r.Context().Value(contextKey{}), "no caller's values")
			deadline, ok := r.Context().Deadline()
			assert.True(t, ok)
			assert.Equal(t, time.Now().Add(5*time.Second), deadline)
			select {
			case <-time.After(time.Second):
				return tokens(300*time.Second)(n, r)
			case <-r.Context().Done():
				return nil, r.Context().Err()
			}
		}
		source := newTestSource(t, issuer)
		var wg sync.WaitGroup
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(context.WithValue(t.Context(), contextKey{}, 1), 10*time.Millisecond)
			defer cancel()
			began := time.Now()
			_, err := source.TokenContext(ctx)
			assert.ErrorIs(t, err, context.DeadlineExceeded)
			assert.Equal(t, 10*time.Millisecond, time.Since(began))
		})
		wg.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(20*time.Millisecond, cancel)
			_, err := source.TokenContext(ctx)
			assert.ErrorIs(t, err, context.Canceled)
		})
		wg.Go(func() {
			time.Sleep(5 * time.Millisecond)
			assert.Equal(t, "token-1", token(t, source))
		})
		wg.Wait()
		assert.Equal(t, 1, issuer.count())
	})
}

func TestHangingEndpointEndsByItsOwnDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := &script{next: hang}
		source := newTestSource(t, issuer)
		began := time.Now()
		_, err := source.Token()
		assert.Equal(t, 5*time.Second, time.Since(began))
		assert.ErrorIs(t, err, ErrUnavailable)
		assert.NotErrorIs(t, err, context.DeadlineExceeded, "that is the caller's own")
		var failed *Error
		require.ErrorAs(t, err, &failed)
		assert.Equal(t, ClassTimeout, failed.Class)
	})
}

func TestFailedRefreshKeepsTheValidToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := &script{}
		issuer.next = func(n int, r *http.Request) (*http.Response, error) {
			if n == 1 {
				return tokens(300*time.Second)(n, r)
			}
			return nil, errDown
		}
		source := newTestSource(t, issuer)
		token(t, source)
		time.Sleep(256 * time.Second)
		for range 33 * 100 { // up to the hard margin at 290 s
			assert.Equal(t, "token-1", token(t, source))
			time.Sleep(10 * time.Millisecond)
		}
		assert.LessOrEqual(t, issuer.count(), 1+8) // 0.5 1 2 4 8 16, a fifth less at most
		assert.GreaterOrEqual(t, issuer.count(), 1+6)
		assert.Equal(t, StateStale, source.Status().State)
		time.Sleep(2 * time.Second)
		_, err := source.TokenContext(t.Context())
		assert.ErrorIs(t, err, ErrUnavailable)
	})
}

func TestBackoffOfASourceThatNeverHadAToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := &script{next: func(int, *http.Request) (*http.Response, error) { return nil, errDown }}
		source := newTestSource(t, issuer)
		for range 60 * 100 {
			_, err := source.TokenContext(t.Context())
			assert.ErrorIs(t, err, ErrUnavailable)
			time.Sleep(10 * time.Millisecond)
		}
		want := []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 4 * time.Second, 4 * time.Second}
		for i, w := range want {
			gap := issuer.call(i + 1).at.Sub(issuer.call(i).at)
			assert.LessOrEqual(t, gap, w+10*time.Millisecond, "gap %d", i)
			assert.GreaterOrEqual(t, gap, w-w/5, "gap %d", i)
		}
		issuer.next = tokens(time.Minute)
		time.Sleep(4 * time.Second)
		assert.Contains(t, token(t, source), "token-", "back within 5 seconds")
	})
}

func TestErrorsWithinBackoffSayWhenTheNextAttemptIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := &script{next: func(int, *http.Request) (*http.Response, error) { return reply(503, "", "Retry-After", "20") }}
		source := newTestSource(t, issuer)
		_, err := source.TokenContext(t.Context())
		assert.EqualError(t, err, "clientcreds: token endpoint https://issuer.example/token answered 503 (next attempt in 20s)")
		time.Sleep(15 * time.Second)
		_, err = source.TokenContext(t.Context())
		var failed *Error
		require.ErrorAs(t, err, &failed)
		assert.Equal(t, 5*time.Second, failed.RetryIn)
		assert.Equal(t, 1, issuer.count())
		assert.Equal(t, time.Now().Add(5*time.Second), source.Status().NextAttempt)
		time.Sleep(5 * time.Second)
		_, _ = source.TokenContext(t.Context())
		assert.Equal(t, 2, issuer.count())
	})
}

func TestRefusalIsRememberedForFiveSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := &script{next: func(int, *http.Request) (*http.Response, error) { return reply(403, "") }}
		source := newTestSource(t, issuer)
		for range 20 * 10 {
			_, err := source.TokenContext(t.Context())
			assert.ErrorIs(t, err, ErrRefused)
			assert.NotErrorIs(t, err, ErrUnavailable)
			time.Sleep(100 * time.Millisecond)
		}
		assert.Equal(t, 4, issuer.count())
	})
}

func TestAttemptThatIsNotDueAsksNothing(t *testing.T) {
	// A caller that looked at the state before another attempt ended must not start the next.
	issuer := &script{next: tokens(300 * time.Second)}
	source := newTestSource(t, issuer)
	token(t, source)
	h, err := source.cache.attempt(t.Context())
	assert.Nil(t, h)
	assert.NoError(t, err)
	assert.Equal(t, 1, issuer.count())
}

func TestShortLivedTokensMakeCallersWaitOutTheBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := &script{next: tokens(time.Second)}
		source := newTestSource(t, issuer)
		assert.Equal(t, "token-1", token(t, source))
		time.Sleep(950 * time.Millisecond)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := source.TokenContext(ctx)
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, "token-2", token(t, source))
		assert.Equal(t, 5*time.Second, issuer.call(1).at.Sub(issuer.call(0).at))
	})
}

func TestTokenThatDiesOnTheWayIsStillServedToThoseWhoWaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := &script{}
		issuer.next = func(n int, r *http.Request) (*http.Response, error) {
			time.Sleep(2 * time.Second)
			return tokens(time.Second)(n, r)
		}
		assert.Equal(t, "token-1", token(t, newTestSource(t, issuer)))
	})
}

func TestIssuerThatRepeatsATokenIsNotAskedUntilItEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		issuer := &script{next: func(int, *http.Request) (*http.Response, error) {
			left := 300*time.Second - time.Since(began)%(300*time.Second)
			return reply(200, fmt.Sprintf(`{"access_token":"token-%d","expires_in":%d}`, time.Since(began)/(300*time.Second), int(left.Seconds())))
		}}
		source := newTestSource(t, issuer)
		for range 3000 {
			token(t, source)
			time.Sleep(time.Second)
		}
		assert.LessOrEqual(t, issuer.count(), 5*10, "at most five requests for each of ten tokens")
	})
}

// TestTokenThatComesAgainIsNotKeptBeyondItsEnd holds that an expires_in which was counted down to 0, or is left out the second time, does not turn into the
// default lifetime.
func TestTokenThatComesAgainIsNotKeptBeyondItsEnd(t *testing.T) {
	const lifetime = 300 * time.Second
	for name, member := range map[string]func(left time.Duration) string{
		"counted down": func(left time.Duration) string { return fmt.Sprint(int(left.Seconds())) },
		"said once": func(left time.Duration) string {
			if left < lifetime-10*time.Second {
				return "null"
			}
			return fmt.Sprint(int(left.Seconds()))
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				current := func() string { return fmt.Sprintf("token-%d", time.Since(began)/lifetime) }
				issuer := &script{next: func(int, *http.Request) (*http.Response, error) {
					left := lifetime - time.Since(began)%lifetime
					return reply(200, fmt.Sprintf(`{"access_token":%q,"expires_in":%s}`, current(), member(left)))
				}}
				source := newTestSource(t, issuer)
				for time.Since(began) < time.Hour {
					got := token(t, source)
					assert.Equal(t, current(), got, "at %v", time.Since(began))
					time.Sleep(97 * time.Millisecond)
				}
				assert.LessOrEqual(t, issuer.count(), 6*12)
			})
		})
	}
	synctest.Test(t, func(t *testing.T) { // one that still comes long after the end it had once has another
		n := 0
		issuer := &script{next: func(int, *http.Request) (*http.Response, error) {
			if n++; n == 1 {
				return reply(200, `{"access_token":"static","expires_in":60}`)
			}
			return reply(200, `{"access_token":"static","expires_in":0}`)
		}}
		source := newTestSource(t, issuer)
		for began := time.Now(); time.Since(began) < time.Hour; time.Sleep(time.Second) {
			token(t, source)
		}
		assert.LessOrEqual(t, issuer.count(), 20, "five until it is known, then one in 290 seconds")
	})
}

func TestClockSteps(t *testing.T) {
	// Neither clock alone decides: one of them steps back when it is corrected, the other stands still while the machine sleeps.
	now := time.Now()
	assert.False(t, passed(now, now.Add(time.Nanosecond)))
	assert.True(t, passed(now, now))
	assert.True(t, passed(asleep(now, time.Hour), now.Add(time.Minute)), "the wall clock is past it")
	assert.True(t, passed(asleep(now.Add(time.Hour), -2*time.Hour), now.Add(time.Minute)), "the monotonic clock is past it")
	assert.False(t, passed(asleep(now, time.Second), now.Add(time.Minute)))
}

// asleep is t on a machine whose wall clock went on by d while the monotonic one stood still.
func asleep(t time.Time, d time.Duration) time.Time {
	t = t.Add(d)
	monotonic := (*int64)(unsafe.Add(unsafe.Pointer(&t), 8)) // time.Time is wall and then this, when it has both
	*monotonic -= int64(d)
	return t
}

func TestInvalidate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := &script{next: tokens(300 * time.Second)}
		source := newTestSource(t, issuer)
		source.Invalidate(nil)
		source.Invalidate(&oauth2.Token{AccessToken: "never seen"})
		first, err := source.Token()
		require.NoError(t, err)
		source.Invalidate(&oauth2.Token{AccessToken: "another"})
		synctest.Wait()
		assert.Equal(t, 1, issuer.count())

		for range 50 {
			source.Invalidate(first)
		}
		assert.Equal(t, "token-2", token(t, source), "the next caller gets the replacement")
		for range 50 {
			source.Invalidate(first)
		}
		synctest.Wait()
		assert.Equal(t, 2, issuer.count(), "a token that is replaced already asks for nothing")

		source.Invalidate(&oauth2.Token{AccessToken: "token-2"})
		assert.Equal(t, "token-2", token(t, source), "not yet: refreshes are 5 seconds apart")
		assert.True(t, source.Status().Refused)
		time.Sleep(5 * time.Second)
		assert.Equal(t, "token-3", token(t, source))
		assert.Equal(t, 3, issuer.count())
	})
}

func TestInvalidateWhileTheIssuerIsDownKeepsTheToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := &script{next: tokens(300 * time.Second)}
		source := newTestSource(t, issuer)
		first, err := source.Token()
		require.NoError(t, err)
		issuer.next = hang
		source.Invalidate(first)
		assert.Equal(t, "token-1", token(t, source))
		began := time.Now()
		for range 100 {
			assert.Equal(t, "token-1", token(t, source))
			time.Sleep(100 * time.Millisecond)
		}
		assert.Equal(t, 10*time.Second, time.Since(began), "only the first attempt is waited for")
		time.Sleep(10 * time.Second) // for the last attempt's end
	})
}

func TestUserCodeThatPanicsNeitherKillsNorBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		healthy := false
		secret := func(context.Context) ([]byte, error) {
			if !healthy {
				panic("p1anted-secret in a panic")
			}
			return []byte("s"), nil
		}
		calls := 0
		issuer := &script{next: tokens(300 * time.Second)}
		source := newTestSource(t, issuer, func(c *Config) {
			c.ClientSecret, c.Auth = "", SecretBasic{Secret: secret}
			c.OnFetch = func(context.Context, Fetch) { calls++; panic(errors.New("p1anted-secret")) }
		})
		_, err := source.Token()
		assert.ErrorIs(t, err, ErrUnavailable)
		assert.ErrorContains(t, err, "clientcreds: panic of type string while asking for a token (next attempt in ")
		_, err = source.Token()
		assert.Error(t, err)
		assert.Equal(t, 1, calls, "backoff holds for panics too")
		healthy = true
		time.Sleep(time.Second)
		assert.Equal(t, "token-1", token(t, source))
		assert.Equal(t, 2, calls)
	})
}

func TestUserCodeThatEndsItsGoroutineFailsTheAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := &script{next: tokens(300 * time.Second)}
		source := newTestSource(t, issuer, func(c *Config) {
			c.ClientSecret, c.Auth = "", SecretPost{Secret: func(context.Context) ([]byte, error) { runtime.Goexit(); return nil, nil }}
		})
		_, err := source.Token()
		assert.ErrorContains(t, err, "without a result")
		_, err = source.Token()
		assert.ErrorIs(t, err, ErrUnavailable)
		assert.Equal(t, 1, source.Status().Failures, "backoff holds")
	})
}

// TestConcurrentUse is for the race detector: everything at once, over a real network.
func TestConcurrentUse(t *testing.T) {
	var n atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"access_token":"t%d","expires_in":1}`, n.Add(1))
			return
		}
		w.Header().Set("WWW-Authenticate", invalidToken)
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer server.Close()
	source := newTestSource(t, &script{}, func(c *Config) {
		c.TokenURL, c.HTTPClient = server.URL, nil
		c.OnFetch = func(context.Context, Fetch) {}
	})
	client := source.Client(server.Client())
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			for range 20 {
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
				if tok, err := source.TokenContext(ctx); err == nil {
					source.Invalidate(tok)
				}
				req, _ := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
				if resp, err := client.Do(req); err == nil {
					resp.Body.Close()
				}
				_, _ = source.For(Target{Scopes: []string{fmt.Sprint(i % 3)}}).TokenContext(ctx)
				_ = fmt.Sprint(source.Status(), source)
				cancel()
			}
		})
	}
	wg.Wait()
	assert.NotZero(t, n.Load())
}

func TestCallbacksMayUseTheSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var source *Source
		var seen []Fetch
		issuer := &script{next: tokens(300 * time.Second)}
		source = newTestSource(t, issuer, func(c *Config) {
			c.OnFetch = func(ctx context.Context, f Fetch) {
				seen = append(seen, f)
				_, err := source.TokenContext(ctx)
				assert.NoError(t, err, "the token is there before the callback")
				source.Status()
			}
		})
		token(t, source)
		require.Len(t, seen, 1)
		assert.Equal(t, TriggerFirst, seen[0].Trigger)
		assert.Equal(t, 300*time.Second, seen[0].Lifetime)
		issuer.next = func(int, *http.Request) (*http.Response, error) { return nil, errDown }
		time.Sleep(260 * time.Second)
		token(t, source)
		synctest.Wait()
		require.Len(t, seen, 2)
		assert.Equal(t, TriggerAhead, seen[1].Trigger)
		assert.ErrorIs(t, seen[1].Err, ErrUnavailable)
		assert.Equal(t, 1, seen[1].Failures)
	})
}

func TestZeroSourceFails(t *testing.T) {
	var source Source
	_, err := source.Token()
	assert.EqualError(t, err, "clientcreds: the Source is the zero value: make it with New")
	_, err = source.Client(nil).Get("https://api.example/")
	assert.ErrorContains(t, err, "zero value")
	source.Invalidate(&oauth2.Token{})
	assert.Equal(t, StateNone, source.Status().State)
	assert.Same(t, &source, source.For(Target{}))
}
