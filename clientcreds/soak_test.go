package clientcreds

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// soakIssuer gives tokens of 60 s, and fails a third of the time in each way that is known. It runs in the fetch, one request at a time.
type soakIssuer struct {
	script
	dice     *rand.Rand
	began    time.Time
	failures int

	mu       sync.Mutex // guards the rest
	secret   string
	ends     map[string]time.Time
	last     string
	attempts []soakAttempt
	ways     map[string]int
	rotated  time.Time
}

type soakAttempt struct {
	began, ended time.Time
	ok           bool
	refused      bool
	retryAfter   time.Duration
	secret       string
	token        string
	lifetime     time.Duration // as told
}

func (i *soakIssuer) answer(n int, r *http.Request) (*http.Response, error) {
	_, secret, _ := r.BasicAuth()
	a := soakAttempt{began: time.Now(), secret: secret}
	way := "well"
	resp, err := func() (*http.Response, error) {
		if want := i.want(a.began); secret != want {
			way, a.refused = "wrong secret", true
			return reply(401, `{"error":"unauthorized_client"}`)
		}
		ways := []string{"slow", "hang", "reset", "500", "html", "429", "redirect", "same", "null", "string", "float", "zero", "empty", "unknown code", "cut short"}
		if i.dice.IntN(3) == 0 {
			way = ways[i.failures%len(ways)]
			i.failures++
		}
		said := `60`
		a.lifetime = 60 * time.Second
		switch way {
		case "slow":
			time.Sleep(time.Duration(i.dice.IntN(4000)) * time.Millisecond)
		case "hang":
			return hang(n, r)
		case "reset":
			return nil, errDown
		case "500":
			return reply(500, "")
		case "html":
			return reply(200, "<html>", "Content-Type", "text/html")
		case "429":
			a.retryAfter = 2 * time.Second
			return reply(429, "", "Retry-After", "2")
		case "redirect":
			return reply(302, "", "Location", "https://elsewhere.example/")
		case "empty":
			return reply(200, "")
		case "unknown code":
			return reply(400, `{"error":"temporarily_unavailable"}`)
		case "cut short":
			return reply(200, `{"access_token":"`)
		case "same":
			if left := time.Until(i.ends[i.last]); left > time.Second {
				a.ok, a.token, a.lifetime = true, i.last, left.Truncate(time.Second)
				return reply(200, fmt.Sprintf(`{"access_token":%q,"expires_in":%d}`, i.last, int(left.Seconds())))
			}
		case "null":
			said = "null"
		case "string":
			said = `"60"`
		case "float":
			said, a.lifetime = "59.5", 59500*time.Millisecond
		case "zero":
			said = "0"
		}
		end := time.Now().Truncate(time.Second).Add(60 * time.Second)
		a.ok, a.token = true, expiring(n, end)
		if said == "null" || said == "0" {
			a.lifetime = end.Sub(a.began)
		}
		i.mu.Lock()
		i.ends[a.token], i.last = end.Add(time.Second), a.token
		i.mu.Unlock()
		return reply(200, fmt.Sprintf(`{"access_token":%q,"expires_in":%s}`, a.token, said))
	}()
	a.ended = time.Now()
	i.mu.Lock()
	defer i.mu.Unlock()
	i.ways[way]++
	i.attempts = append(i.attempts, a)
	return resp, err
}

// want is the secret that counts. It is rotated by the first request after 40 and after 80 minutes, so that these requests bring the old one.
func (i *soakIssuer) want(now time.Time) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	age := now.Sub(i.began)
	if age > 40*time.Minute && i.secret == "secret-1" || age > 80*time.Minute && i.secret == "secret-2" {
		i.secret = map[string]string{"secret-1": "secret-2", "secret-2": "secret-3"}[i.secret]
		i.rotated = now
	}
	return i.secret
}

// deployed is what the client reads: the first rotation reaches it after 4 seconds, the second at once.
func (i *soakIssuer) deployed(context.Context) ([]byte, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.secret == "secret-2" && time.Since(i.rotated) < 4*time.Second {
		return []byte("secret-1"), nil
	}
	return []byte(i.secret), nil
}

// valid reports whether token is one that the issuer gave, and not over.
func (i *soakIssuer) valid(token string) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return time.Now().Before(i.ends[token])
}

// excused reports whether a caller that got an error at now could not have been given a token: the last one is past its hard margin, every attempt since then
// failed, and the next is not due.
func (i *soakIssuer) excused(now time.Time) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	failures := 0
	var last soakAttempt
	for k := len(i.attempts) - 1; k >= 0 && !i.attempts[k].ok; k-- {
		failures++
	}
	if failures == 0 {
		return "the last attempt brought a token"
	}
	last = i.attempts[len(i.attempts)-1]
	if k := len(i.attempts) - 1 - failures; k >= 0 {
		if given := i.attempts[k]; now.Before(given.began.Add(given.lifetime - given.lifetime/10)) {
			return fmt.Sprintf("the token of %v ago is still good", now.Sub(given.began))
		}
	}
	wait := max(min(firstBackoff<<min(failures-1, 10), maxBackoff), last.retryAfter)
	if last.refused {
		wait = refusalMemory
	}
	if now.After(last.ended.Add(wait)) {
		return fmt.Sprintf("an attempt was due %v after failure %d, %v ago", wait, failures, now.Sub(last.ended))
	}
	return ""
}

// TestSoak is two hours of 64 callers: no call goes without a valid token while one could be had, and the requests stay within the bound.
func TestSoak(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	synctest.Test(t, func(t *testing.T) {
		const length = 2 * time.Hour
		issuer := &soakIssuer{dice: rand.New(rand.NewPCG(seed, 0)), secret: "secret-1", ends: map[string]time.Time{}, ways: map[string]int{}}
		issuer.next = issuer.answer
		began := time.Now()
		issuer.began = began
		source := newTestSource(t, &issuer.script, func(c *Config) { c.ClientSecret, c.Auth = "", SecretBasic{Secret: issuer.deployed} })

		var mu sync.Mutex
		calls, errs := 0, 0
		var wg sync.WaitGroup
		for caller := range uint64(64) {
			wg.Go(func() {
				rnd := rand.New(rand.NewPCG(seed, caller+1))
				for time.Since(began) < length {
					tok, err := source.TokenContext(t.Context())
					mu.Lock()
					calls++
					if err != nil {
						errs++
					}
					mu.Unlock()
					if err != nil {
						if why := issuer.excused(time.Now()); why != "" {
							t.Errorf("seed %d, %v: an error although %s: %v", seed, time.Since(began), why, err)
						}
					} else if !issuer.valid(tok.AccessToken) {
						t.Errorf("seed %d, %v: a token that is over", seed, time.Since(began))
					}
					time.Sleep(time.Duration(500+rnd.IntN(3000)) * time.Millisecond)
				}
			})
		}
		wg.Wait()
		synctest.Wait()

		failures := 0
		for k, a := range issuer.attempts {
			if k > 0 {
				before, gap := issuer.attempts[k-1], a.began.Sub(issuer.attempts[k-1].began)
				least := minInterval // after a success
				switch {
				case before.refused && a.secret != before.secret && gap == 0:
					least = 0 // the credential, read again: the same attempt
					failures--
				case before.refused:
					least = refusalMemory
				case !before.ok:
					least = max(min(firstBackoff<<min(failures-1, 10), maxBackoff)*4/5, before.retryAfter)
					gap = a.began.Sub(before.ended)
				}
				assert.GreaterOrEqual(t, gap, least, "seed %d: attempt %d after %d failures", seed, k, failures)
			}
			if failures++; a.ok {
				failures = 0
			}
		}
		assert.Greater(t, calls, 100_000)
		assert.Less(t, errs, calls/20, "a third of failures is mostly not felt")
		assert.GreaterOrEqual(t, issuer.ways["wrong secret"], 2)
		assert.Len(t, issuer.ways, 17, "every way came up: %v", issuer.ways)
		t.Logf("%d calls, %d errors, %d requests: %v", calls, errs, len(issuer.attempts), issuer.ways)
	})
}
