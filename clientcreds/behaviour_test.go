package clientcreds

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// expiring is a JWT with an end, such as issuers give.
func expiring(n int, end time.Time) string {
	return jwt(fmt.Sprintf(`{"n":%d,"exp":%d}`, n, end.Unix()))
}

// TestLifetimes drives a source by a steady caller for ten lifetimes of each length, said in each way that issuers say it: the caller never has a dead token,
// and the issuer is asked as often as 80 to 85 % of a lifetime makes it, or as the bound does.
func TestLifetimes(t *testing.T) {
	said := map[string]string{
		"number": `,"expires_in":%d`, "string": `,"expires_in":"%d"`, "float": `,"expires_in":%d.0`, "null": `,"expires_in":null`, "0": `,"expires_in":0`, "absent": ``, "opaque": ``,
	}
	for _, tt := range []struct {
		lifetime    time.Duration
		least, most int // requests in ten lifetimes
		waits       time.Duration
	}{
		{5 * time.Second, 10, 11, 500 * time.Millisecond}, // from the hard margin at 4.5 s to the bound at 5 s
		{60 * time.Second, 12, 13, 0},
		{300 * time.Second, 12, 13, 0},
		{24 * time.Hour, 12, 13, 0},
	} {
		for way, member := range said {
			t.Run(fmt.Sprint(tt.lifetime, " ", way), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var ends sync.Map // by token
					issuer := &script{next: func(n int, _ *http.Request) (*http.Response, error) {
						end := time.Now().Truncate(time.Second).Add(tt.lifetime)
						token := expiring(n, end)
						if way == "opaque" {
							token = fmt.Sprint("opaque-", n)
						}
						ends.Store(token, time.Now().Add(tt.lifetime))
						text := member
						if member != "" && member[len(member)-1] != 'l' && member[len(member)-1] != '0' || way == "float" {
							text = fmt.Sprintf(member, int(tt.lifetime.Seconds()))
						}
						return reply(200, `{"access_token":"`+token+`"`+text+`}`)
					}}
					source := newTestSource(t, issuer, func(c *Config) {
						if way == "opaque" {
							c.DefaultLifetime = tt.lifetime
						}
					})
					step := max(tt.lifetime/500, 10*time.Millisecond)
					for end := time.Now().Add(10 * tt.lifetime); time.Now().Before(end); time.Sleep(step) {
						asked := time.Now()
						got := token(t, source)
						end, _ := ends.Load(got)
						assert.True(t, time.Now().Before(end.(time.Time)), "a token that is over")
						// exp is in whole seconds, so a hint may be up to one short.
						assert.LessOrEqual(t, time.Since(asked), tt.waits+time.Second*time.Duration(len(got)/30), "a caller waited")
					}
					synctest.Wait()
					assert.GreaterOrEqual(t, issuer.count(), tt.least)
					assert.LessOrEqual(t, issuer.count(), tt.most)
				})
			})
		}
	}
}

// TestEndpointThatGoesWrong is the table of behaviours: an endpoint gives one token for 300 s and then does the same wrong thing for ten minutes. The token is
// served to its hard margin at 290 s, then callers are told; the endpoint is asked at the documented pace; and once it is well, so are the callers.
func TestEndpointThatGoesWrong(t *testing.T) {
	for _, tt := range []struct {
		name        string
		wrong       func(n int, r *http.Request) (*http.Response, error)
		class       Class
		err         error
		least, most int           // requests in the ten minutes, by the backoff to 30 s, or 5 s after a refusal
		back        time.Duration // from its recovery to the first token
	}{
		{"hangs", hang, ClassTimeout, ErrUnavailable, 12, 24, 35 * time.Second},
		{"resets", func(int, *http.Request) (*http.Response, error) { return nil, errDown }, ClassNetwork, ErrUnavailable, 15, 27, 30 * time.Second},
		{"500", func(int, *http.Request) (*http.Response, error) { return reply(500, "") }, ClassStatus, ErrUnavailable, 15, 27, 30 * time.Second},
		{"HTML", func(int, *http.Request) (*http.Response, error) {
			return reply(200, "<html>", "Content-Type", "text/html")
		}, ClassMalformed, ErrUnavailable, 15, 27, 30 * time.Second},
		{"429", func(int, *http.Request) (*http.Response, error) { return reply(429, "", "Retry-After", "100") }, ClassStatus, ErrUnavailable, 4, 5, 100 * time.Second},
		{"redirects", func(int, *http.Request) (*http.Response, error) {
			return reply(302, "", "Location", "https://elsewhere.example")
		}, ClassStatus, ErrUnavailable, 15, 27, 30 * time.Second},
		{"a code that is no refusal", func(int, *http.Request) (*http.Response, error) {
			return reply(400, `{"error":"temporarily_unavailable"}`)
		}, ClassStatus, ErrUnavailable, 15, 27, 30 * time.Second},
		{"refuses", func(int, *http.Request) (*http.Response, error) {
			return reply(401, `{"error":"unauthorized_client"}`)
		}, ClassRefused, ErrRefused, 60, 72, 5 * time.Second},
		{"a token of another type", func(int, *http.Request) (*http.Response, error) {
			return reply(200, `{"access_token":"t","token_type":"DPoP"}`)
		}, ClassMalformed, ErrUnavailable, 15, 27, 30 * time.Second},
		{"a token that breaks the header", func(int, *http.Request) (*http.Response, error) {
			return reply(200, `{"access_token":"t\r\nX-Admin: yes","expires_in":300}`)
		}, ClassMalformed, ErrUnavailable, 15, 27, 30 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				issuer := &script{next: tokens(300 * time.Second)}
				source := newTestSource(t, issuer)
				began := time.Now()
				token(t, source)
				synctest.Wait()
				issuer.next = tt.wrong
				for time.Since(began) < 290*time.Second {
					asked := time.Now()
					assert.Equal(t, "token-1", token(t, source))
					assert.Equal(t, asked, time.Now(), "nobody waits while there is a token")
					time.Sleep(100 * time.Millisecond)
				}
				for time.Since(began) < 600*time.Second {
					_, err := source.Token()
					assert.ErrorIs(t, err, tt.err)
					assert.Equal(t, tt.class, source.Status().ErrorClass)
					time.Sleep(100 * time.Millisecond)
				}
				assert.GreaterOrEqual(t, issuer.count()-1, tt.least)
				assert.LessOrEqual(t, issuer.count()-1, tt.most)
				synctest.Wait()
				issuer.next = tokens(300 * time.Second)
				well := time.Now()
				for {
					if _, err := source.Token(); err == nil {
						break
					}
					time.Sleep(100 * time.Millisecond)
				}
				assert.LessOrEqual(t, time.Since(well), tt.back+100*time.Millisecond)
				assert.Equal(t, 0, source.Status().Failures)
			})
		})
	}
}

func TestSlowEndpointCostsNobodyButTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := &script{}
		issuer.next = func(n int, r *http.Request) (*http.Response, error) {
			time.Sleep(2900 * time.Millisecond) // from 85 % of 60 s on there are 3 s to the hard margin
			return tokens(60*time.Second)(n, r)
		}
		source := newTestSource(t, issuer)
		token(t, source)
		for end := time.Now().Add(time.Hour); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
			asked := time.Now()
			token(t, source)
			assert.Equal(t, asked, time.Now())
		}
		time.Sleep(3 * time.Second) // a refresh may be under way
	})
}

// TestReplicasThatStartTogetherDoNotAskTogether: 64 of them refresh over 5 % of the lifetime, and after a failure they try again over a fifth of the backoff.
func TestReplicasThatStartTogetherDoNotAskTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		first, last := time.Hour, time.Duration(0)
		pauses := map[time.Duration]bool{}
		for range 64 {
			source := newTestSource(t, &script{next: tokens(300 * time.Second)})
			token(t, source)
			due := source.Status().NextAttempt.Sub(began)
			first, last = min(first, due), max(last, due)

			down := newTestSource(t, &script{next: func(int, *http.Request) (*http.Response, error) { return nil, errDown }})
			_, _ = down.Token()
			pauses[down.Status().NextAttempt.Sub(began)] = true
		}
		assert.GreaterOrEqual(t, first, 240*time.Second)
		assert.LessOrEqual(t, last, 255*time.Second)
		assert.Greater(t, last-first, 7*time.Second)
		assert.Greater(t, len(pauses), 32)
	})
}
