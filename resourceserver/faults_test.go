package resourceserver_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/svcauth/svcauth/keycloak/keycloaktest"
	rs "github.com/svcauth/svcauth/resourceserver"
)

// slow delays each exchange and notes when it began.
type slow struct {
	base  http.RoundTripper
	delay time.Duration

	mu    sync.Mutex
	times []time.Time // of key sets asked for
}

func (s *slow) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "/certs") {
		s.mu.Lock()
		s.times = append(s.times, time.Now())
		s.mu.Unlock()
	}
	select {
	case <-time.After(s.delay):
		return s.base.RoundTrip(r)
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

// settle lets what is under way end: a bubble's clock stops with its test.
func settle() {
	time.Sleep(10 * time.Second)
	synctest.Wait()
}

// requireSparing holds that no more than most fetches began in any span of 30 s.
func (s *slow) requireSparing(t *testing.T, most int) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for n := most; n < len(s.times); n++ {
		require.GreaterOrEqual(t, s.times[n].Sub(s.times[n-most]), 30*time.Second, "fetches at %v", s.times)
	}
}

// TestRotationWithOverlap rotates an embedded realm's keys under load: tokens of the old and the new key all pass, though each key set takes a while to come.
func TestRotationWithOverlap(t *testing.T) {
	realm := keycloaktest.NewServer(keycloaktest.Config{})
	defer realm.Close()
	synctest.Test(t, func(t *testing.T) {
		issuer := &slow{base: realm.Transport(), delay: 300 * time.Millisecond}
		c := realm.Realm().ServerConfig("service")
		c.HTTPClient, c.Logger = &http.Client{Transport: issuer}, discard
		h := newAuth(t, c).Require()(ok)
		var wg sync.WaitGroup
		for second := range 200 {
			if second%60 == 45 {
				realm.RotateKeys(true)
			}
			token := "Bearer " + realm.Token(keycloaktest.Token{Lifetime: 2 * time.Minute})
			for _, wait := range []time.Duration{0, 100 * time.Millisecond, 61 * time.Second} { // at once, while its key is fetched, and by a key of old
				wg.Go(func() {
					time.Sleep(wait)
					assert.Equal(t, 200, get(h, token).Code, "second %d", second)
				})
			}
			time.Sleep(time.Second)
		}
		wg.Wait()
		settle()
		issuer.requireSparing(t, 2)
	})
}

// TestRotationWhileForgedKidsArrive holds what an attacker can win by using up the fetches: tokens of the new key wait for the end of a cooldown, 30 s at most.
// Tokens of the old key notice nothing.
func TestRotationWhileForgedKidsArrive(t *testing.T) {
	fresh, forger := keyFor("EdDSA/other"), keyFor("EdDSA/forger")
	inBubble(t, func(t *testing.T, f *fakeIssuer, auth *rs.Authenticator) {
		require.NoError(t, auth.Warm(t.Context()))
		start, refused := time.Now(), 0
		rotated := start.Add(65 * time.Second)
		for tick := range 1800 {
			if time.Since(start) == 65*time.Second {
				f.publish(keyFor("EdDSA"), fresh)
			}
			requireReason(t, verifyErr(t, auth, sign(forger, map[string]any{"kid": fmt.Sprint("forged", tick)}, good(nil))), rs.ReasonUnknownKey)
			require.NoError(t, verifyErr(t, auth, goodToken()))
			if !time.Now().Before(rotated) {
				if err := verifyErr(t, auth, sign(fresh, nil, good(nil))); err != nil {
					requireReason(t, err, rs.ReasonUnknownKey)
					require.LessOrEqual(t, time.Since(rotated), 30*time.Second)
					refused++
				}
			}
			time.Sleep(100 * time.Millisecond)
		}
		assert.Positive(t, refused, "nothing was in the way, so nothing was shown")
	})
}

// TestIssuerDownForTenMinutes holds that an outage costs nobody whose key is known, and that a key nobody knows is no reason to call a token invalid meanwhile.
func TestIssuerDownForTenMinutes(t *testing.T) {
	for _, trouble := range []keycloaktest.Trouble{keycloaktest.Dropped(), keycloaktest.Hanging(), keycloaktest.Stalled(), keycloaktest.Slow(6 * time.Second), keycloaktest.Status(500), keycloaktest.HTML(200)} {
		t.Run(trouble.String(), func(t *testing.T) { testOutageOfTenMinutes(t, trouble) })
	}
}

func testOutageOfTenMinutes(t *testing.T, trouble keycloaktest.Trouble) {
	realm := keycloaktest.NewServer(keycloaktest.Config{Algorithm: "EdDSA"})
	defer realm.Close()
	synctest.Test(t, func(t *testing.T) {
		c := realm.Realm().ServerConfig("service")
		c.HTTPClient, c.Logger = &http.Client{Transport: realm.Transport()}, discard
		auth := newAuth(t, c)
		h := auth.Require()(ok)
		token := func() string { return "Bearer " + realm.Token(keycloaktest.Token{Lifetime: time.Minute}) }
		require.Equal(t, 200, get(h, token()).Code)
		time.Sleep(7 * time.Minute) // so that a refresh falls due in the outage
		realm.SetTrouble(keycloaktest.AllEndpoints, trouble)
		for range 60 {
			time.Sleep(10 * time.Second)
			before := time.Now()
			require.Equal(t, 200, get(h, token()).Code)
			require.Zero(t, time.Since(before))
			require.True(t, auth.Status().Ready())
		}
		realm.RotateKeys(true)
		w := get(h, token())
		require.Equal(t, 503, w.Code)
		require.NotEmpty(t, w.Header().Get("Retry-After"))
		realm.SetTrouble(keycloaktest.AllEndpoints)
		time.Sleep(30 * time.Second)
		require.Equal(t, 200, get(h, token()).Code, "the cooldown is over, and so is the outage")
		settle()
	})
}

// TestFiveThousandUnknownKids holds that forged tokens, each with a kid of its own, make at most two fetches in any 30 s, and that nobody else notices them.
func TestFiveThousandUnknownKids(t *testing.T) {
	forger := keyFor("EdDSA/forger")
	inBubble(t, func(t *testing.T, f *fakeIssuer, _ *rs.Authenticator) {
		issuer := &slow{base: f, delay: time.Second}
		c := f.config()
		c.HTTPClient = &http.Client{Transport: issuer}
		auth := newAuth(t, c)
		require.NoError(t, auth.Warm(t.Context()))
		var wg sync.WaitGroup
		for n := range 5000 {
			wg.Go(func() {
				requireReason(t, verifyErr(t, auth, sign(forger, map[string]any{"kid": fmt.Sprint("forged", n)}, good(nil))), rs.ReasonUnknownKey)
			})
			if n%5 == 0 {
				before := time.Now()
				require.NoError(t, verifyErr(t, auth, sign(keyFor("EdDSA"), nil, good(claims{"jti": fmt.Sprint(n)}))))
				require.Zero(t, time.Since(before), "a known key never waits")
			}
			time.Sleep(200 * time.Millisecond) // 1,000 s in all: refreshes of the keys fall into it
		}
		wg.Wait()
		settle()
		issuer.requireSparing(t, 2)
		assert.Greater(t, len(issuer.times), 30)
		assert.LessOrEqual(t, len(issuer.times), 1+1000/30+1000/480+1)
	})
}

// TestSlowKeysDelayNobodyWhoseKeyIsKnown lets each key set take all the time it may.
func TestSlowKeysDelayNobodyWhoseKeyIsKnown(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fakeIssuer, _ *rs.Authenticator) {
		c := f.config()
		c.HTTPClient = &http.Client{Transport: &slow{base: f, delay: 2400 * time.Millisecond}} // discovery and keys: 4.8 s of 5
		auth := newAuth(t, c)
		require.NoError(t, auth.Warm(t.Context()))
		var wg sync.WaitGroup
		for second := range 20 * 60 {
			if second%600 < 60 { // and then none for so long that a refresh falls due
				wg.Go(func() { assert.Error(t, verifyErr(t, auth, unknownKid())) }) // waits
			}
			before := time.Now()
			require.NoError(t, verifyErr(t, auth, goodToken()))
			require.Zero(t, time.Since(before))
			time.Sleep(time.Second)
		}
		wg.Wait()
		settle()
	})
}

// TestHangingIssuer holds that the answer is 503, and comes when the caller's patience ends, or after 5 s at most.
func TestHangingIssuer(t *testing.T) {
	hang := func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() }
	halfway := func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: stuckBody{r.Context()}}, nil
	}
	for name, answer := range map[string]func(*http.Request) (*http.Response, error){"before the header": hang, "in the body": halfway} {
		for _, patience := range []time.Duration{time.Millisecond, 50 * time.Millisecond, 3 * time.Second, time.Hour} {
			t.Run(fmt.Sprint(name, ", ", patience), func(t *testing.T) {
				inBubble(t, func(t *testing.T, f *fakeIssuer, auth *rs.Authenticator) {
					f.respond(answer)
					ctx, cancel := context.WithTimeout(t.Context(), patience)
					defer cancel()
					r := httptest.NewRequestWithContext(ctx, "GET", "/", nil)
					r.Header.Set("Authorization", "Bearer "+goodToken())
					w, start := httptest.NewRecorder(), time.Now()
					auth.Require()(ok).ServeHTTP(w, r)
					assert.Equal(t, 503, w.Code)
					assert.NotEmpty(t, w.Header().Get("Retry-After"))
					assert.Empty(t, w.Header().Get("WWW-Authenticate"))
					assert.Equal(t, min(patience, 5*time.Second), time.Since(start))
					settle()
				})
			})
		}
	}
}

// TestHangingIssuerComesBack holds the 5 s within which a service recovers also where the last fetch began just before the issuer did.
func TestHangingIssuerComesBack(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fakeIssuer, auth *rs.Authenticator) {
		f.respond(func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() })
		for range 10 { // until the wait between attempts has grown
			requireReason(t, verifyErr(t, auth, goodToken()), rs.ReasonKeysUnavailable)
			time.Sleep(4 * time.Second)
		}
		go func() { _ = verifyErr(t, auth, goodToken()) }()
		synctest.Wait()
		f.respond(nil)
		up := time.Now()
		for verifyErr(t, auth, goodToken()) != nil {
			require.LessOrEqual(t, time.Since(up), 5*time.Second)
			time.Sleep(time.Millisecond)
		}
	})
}

// TestSlowIssuerServesInTheEnd lets metadata and keys take more than the 5 s of one fetch together, but each less.
func TestSlowIssuerServesInTheEnd(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fakeIssuer, _ *rs.Authenticator) {
		c := f.config()
		c.HTTPClient = &http.Client{Transport: &slow{base: f, delay: 3 * time.Second}}
		auth := newAuth(t, c)
		start := time.Now()
		for verifyErr(t, auth, goodToken()) != nil {
			require.Less(t, time.Since(start), 15*time.Second)
			time.Sleep(100 * time.Millisecond)
		}
	})
}

// stuckBody gives a few bytes and then nothing more.
type stuckBody struct{ ctx context.Context }

func (b stuckBody) Read([]byte) (int, error) { <-b.ctx.Done(); return 0, b.ctx.Err() }
func (stuckBody) Close() error               { return nil }

// TestFirstUseByAThousand holds that all share one discovery and one fetch of keys, and that the first caller, who hangs up, fails nobody else.
func TestFirstUseByAThousand(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fakeIssuer, _ *rs.Authenticator) {
		c := f.config()
		c.HTTPClient = &http.Client{Transport: &slow{base: f, delay: time.Second}}
		auth := newAuth(t, c)
		token := goodToken()
		ctx, hangUp := context.WithCancel(t.Context())
		first := make(chan error)
		go func() {
			_, err := auth.Verify(ctx, token)
			first <- err
		}()
		synctest.Wait()
		var wg sync.WaitGroup
		for range 999 {
			wg.Go(func() { assert.NoError(t, verifyErr(t, auth, token)) })
		}
		synctest.Wait()
		hangUp()
		requireReason(t, <-first, rs.ReasonRequestAbandoned)
		wg.Wait()
		assert.Equal(t, 1, f.count(discoveryPath))
		assert.Equal(t, 1, f.count(certsPath))
	})
}

// TestBadKeySets lets an issuer answer with nonsense before there are keys and after: first 503, then no difference, and in both cases all is well soon after it
// comes to its senses.
func TestBadKeySets(t *testing.T) {
	one := string(keyFor("EdDSA").PublicJWK("sig"))
	whole := `{"keys":[` + one + `]}`
	for name, body := range map[string]io.Reader{
		"HTML":                    strings.NewReader("<!DOCTYPE html><html><body>Service Unavailable</body></html>"),
		"truncated":               strings.NewReader(whole[:len(whole)-10]),
		"cut off by the network":  io.MultiReader(strings.NewReader(whole[:20]), brokenReader{}),
		"one byte too large":      strings.NewReader(whole + strings.Repeat(" ", 1<<20-len(whole)+1)),
		"without an end":          endless{},
		"more keys than allowed":  strings.NewReader(`{"keys":[` + strings.Repeat(one+",", 256) + one + `]}`),
		"odd keys only":           strings.NewReader(`{"keys":[` + strings.Repeat(`{"kty":"oct","k":"AAAA"},{"kty":"AKP","alg":"ML-DSA-65"},[],`, 80) + `null]}`),
		"nested deep":             strings.NewReader(`{"keys":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`),
		"the metadata once more":  strings.NewReader(`{"issuer":"` + issuerName + `","jwks_uri":"https://issuer.test` + certsPath + `"}`),
		"an OAuth error with 200": strings.NewReader(`{"error":"temporarily_unavailable"}`),
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, f *fakeIssuer, auth *rs.Authenticator) {
				bad := func(*http.Request) (*http.Response, error) {
					if s, rewinds := body.(io.Seeker); rewinds {
						_, _ = s.Seek(0, io.SeekStart)
					}
					return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(body)}, nil
				}
				answerKeys := func(r *http.Request) (*http.Response, error) {
					if r.URL.Path == certsPath {
						return bad(r)
					}
					return reply(200, `{"issuer":"`+issuerName+`","jwks_uri":"https://issuer.test`+certsPath+`"}`, nil), nil
				}
				f.respond(answerKeys)
				require.ErrorIs(t, verifyErr(t, auth, goodToken()), rs.ErrKeysUnavailable)
				f.respond(nil)
				time.Sleep(5 * time.Second)
				require.NoError(t, verifyErr(t, auth, goodToken()))
				f.respond(answerKeys)
				for range 20 {
					time.Sleep(time.Minute)
					require.NoError(t, verifyErr(t, auth, goodToken()))
				}
				require.Positive(t, auth.Status().Issuers[0].Failures)
				f.respond(nil)
				time.Sleep(31 * time.Second)
				require.NoError(t, verifyErr(t, auth, goodToken()))
				synctest.Wait()
				require.Zero(t, auth.Status().Issuers[0].Failures)
			})
		})
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("connection reset") }

// endless is white space without an end: a reader without a bound would never come back.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for n := range p {
		p[n] = ' '
	}
	return len(p), nil
}

// TestGoodKeyAmongManyOddOnes holds that the last of 256 keys is found behind 255 that can't be used.
func TestGoodKeyAmongManyOddOnes(t *testing.T) {
	odd := []string{`5`, `null`, `{}`, `"x"`, `{"kty":"oct","k":"AAAA"}`, `{"kty":"AKP","kid":"` + keyFor("EdDSA").ID() + `"}`, `{"kty":"EC","crv":"P-256","x":"","y":""}`,
		`{"kty":"RSA","n":5}`, `{"kty":"OKP","crv":"X25519","x":"AA"}`, jwkWith(keyFor("RS256"), map[string]any{"use": "enc"})}
	set := make([]string, 0, 256)
	for n := range 255 {
		set = append(set, odd[n%len(odd)])
	}
	f := newFakeIssuer()
	f.publishRaw(`{"keys":[` + strings.Join(append(set, string(keyFor("EdDSA").PublicJWK("sig"))), ",") + `]}`)
	auth := newAuth(t, f.config())
	require.NoError(t, verifyErr(t, auth, goodToken()))
	assert.Equal(t, 255, auth.Status().Issuers[0].Skipped)
}
