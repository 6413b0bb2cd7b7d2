package clientcreds

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"golang.org/x/oauth2"
)

func TestSoftAge(t *testing.T) {
	for _, tt := range []struct {
		lifetime time.Duration
		again    bool
		jitter   float64
		want     time.Duration
	}{
		{300 * time.Second, false, 0, 240 * time.Second},
		{300 * time.Second, false, 1, 255 * time.Second},
		{60 * time.Second, false, 0, 48 * time.Second},
		{24 * time.Hour, false, 0, 24 * time.Hour * 8 / 10},
		{maxLifetime, false, 1, maxLifetime/5*4 + maxLifetime/20},

		{6 * time.Second, false, 0, 5 * time.Second}, // the bound wins
		{time.Second, false, 0, 5 * time.Second},
		{0, false, 0, 5 * time.Second},

		{300 * time.Second, true, 0, 290 * time.Second}, // the token of before: not ahead
		{60 * time.Second, true, 1, 54 * time.Second},
		{time.Second, true, 0, 5 * time.Second},
	} {
		assert.Equal(t, tt.want, softAge(tt.lifetime, tt.again, tt.jitter), "%v %v %v", tt.lifetime, tt.again, tt.jitter)
	}
}

func TestMarginAndInterval(t *testing.T) {
	for _, tt := range []struct{ lifetime, margin, interval time.Duration }{
		{time.Second, 100 * time.Millisecond, 5 * time.Second},
		{50 * time.Second, 5 * time.Second, 5 * time.Second},
		{60 * time.Second, 6 * time.Second, 6 * time.Second},
		{100 * time.Second, 10 * time.Second, 10 * time.Second},
		{300 * time.Second, 10 * time.Second, 30 * time.Second},
		{24 * time.Hour, 10 * time.Second, 144 * time.Minute},
	} {
		assert.Equal(t, tt.margin, margin(tt.lifetime), "margin of %v", tt.lifetime)
		assert.Equal(t, tt.interval, interval(tt.lifetime), "interval of %v", tt.lifetime)
	}
}

func TestPause(t *testing.T) {
	transient, refused := &Error{}, &Error{permanent: true}
	asked := func(d time.Duration) *Error { return &Error{retryAfter: d} }
	for _, tt := range []struct {
		failed   *Error
		failures int
		had      bool
		jitter   float64
		want     time.Duration
	}{
		{transient, 1, false, 0, 500 * time.Millisecond},
		{transient, 1, false, 1, 400 * time.Millisecond},
		{transient, 3, false, 0, 2 * time.Second},
		{transient, 4, false, 0, 4 * time.Second},
		{transient, 1000, false, 0, 4 * time.Second},
		{transient, 6, true, 0, 16 * time.Second},
		{transient, 7, true, 0, 30 * time.Second},
		{transient, 1000, true, 1, 24 * time.Second},

		{asked(3 * time.Second), 1, true, 0, 3 * time.Second},
		{asked(3 * time.Second), 7, true, 0, 30 * time.Second}, // it may lengthen the backoff, not shorten it
		{asked(24 * time.Hour), 1, true, 0, 5 * time.Minute},   // one odd answer does not silence a source for a day

		{refused, 1, true, 1, 5 * time.Second},
		{refused, 100, false, 0, 5 * time.Second},
	} {
		assert.Equal(t, tt.want, pause(tt.failed, tt.failures, tt.had, tt.jitter), "%+v", tt)
	}
}

// TestBound drives sources with random callers, lifetimes, refusals and faults, and holds the promise of the package: refreshes at least 5 seconds apart,
// those that nothing forced at least 10 % of the lifetime, and after a failure at least the backoff.
func TestBound(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	for round := range uint64(24) {
		rnd := rand.New(rand.NewPCG(seed, 2*round))
		dice := rand.New(rand.NewPCG(seed, 2*round+1)) // the issuer's, for it runs in the fetch
		synctest.Test(t, func(t *testing.T) {
			lifetimes := []string{`0`, `null`, `"5"`, `1`, `4.5`, `7`, `12`, `60`, `300`, `3600`, `-1`, `"x"`}
			fixed := rnd.IntN(3) > 0
			answer := lifetimes[rnd.IntN(len(lifetimes))]
			faulty, same := rnd.IntN(2) == 0, rnd.IntN(4) == 0
			type attempt struct {
				at       time.Time
				ok       bool
				refused  bool
				lifetime time.Duration
			}
			var attempts []attempt
			issuer := &script{}
			issuer.next = func(n int, r *http.Request) (*http.Response, error) {
				if !fixed {
					answer = lifetimes[dice.IntN(len(lifetimes))]
				}
				lifetime := parseExpiresIn([]byte(answer))
				if lifetime == 0 {
					lifetime = defaultLifetime
				}
				a := attempt{at: time.Now(), lifetime: lifetime, ok: true}
				defer func() { attempts = append(attempts, a) }()
				if faulty && dice.IntN(3) == 0 {
					a.ok = false
					if a.refused = dice.IntN(2) == 0; a.refused {
						return reply(401, `{"error":"invalid_client"}`)
					}
					return reply(502, "<html>")
				}
				if same {
					n = 1
				}
				return reply(200, fmt.Sprintf(`{"access_token":"t%d","expires_in":%s}`, n, answer))
			}
			triggers := map[int]Trigger{}
			source := newTestSource(t, issuer, func(c *Config) {
				c.OnFetch = func(_ context.Context, f Fetch) { triggers[len(attempts)-1] = f.Trigger }
			})
			for end := time.Now().Add(30 * time.Minute); time.Now().Before(end); {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rnd.IntN(2000))*time.Millisecond)
				tok, err := source.TokenContext(ctx)
				cancel()
				if err == nil && rnd.IntN(5) == 0 {
					if rnd.IntN(2) == 0 {
						source.cache.refuse(tok.AccessToken, false)
					} else {
						source.Invalidate(&oauth2.Token{AccessToken: tok.AccessToken})
					}
				}
				time.Sleep(time.Duration(rnd.ExpFloat64() * float64(3*time.Second)))
			}
			synctest.Wait()
			succeeded := 0
			for i, a := range attempts {
				if i > 0 {
					before, gap := attempts[i-1], a.at.Sub(attempts[i-1].at)
					least := minInterval
					switch {
					case !before.ok && before.refused:
						least = refusalMemory
					case !before.ok:
						least = firstBackoff * 4 / 5
					case triggers[i] == TriggerRefused && succeeded == 1:
						least = 0 // the one that may follow the first token at once
					case triggers[i] == TriggerAhead:
						least = interval(before.lifetime)
					}
					if gap < least {
						t.Errorf("seed %d round %d: attempt %d (%s) %v after the one before, want %v", seed, round, i, triggers[i], gap, least)
					}
				}
				if a.ok {
					succeeded++
				}
			}
			assert.NotEmpty(t, attempts)
		})
	}
}
