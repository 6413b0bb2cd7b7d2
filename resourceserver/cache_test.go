package resourceserver_test

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	rs "github.com/svcauth/svcauth/resourceserver"
)

// counted makes an authenticator that counts how often roles are mapped, which is how often the cache did not answer.
func counted(t testing.TB, f *fakeIssuer, change func(*rs.Config)) (*rs.Authenticator, *atomic.Int64) {
	t.Helper()
	var mapped atomic.Int64
	c := f.config()
	c.Roles = func(claims rs.Claims) []string { mapped.Add(1); return claims.Strings("roles") }
	if change != nil {
		change(&c)
	}
	return newAuth(t, c), &mapped
}

func inCacheBubble(t *testing.T, change func(*rs.Config), test func(t *testing.T, f *fakeIssuer, auth *rs.Authenticator, mapped *atomic.Int64)) {
	t.Helper()
	keyFor("EdDSA")
	keyFor("EdDSA/other")
	synctest.Test(t, func(t *testing.T) {
		f := newFakeIssuer(keyFor("EdDSA"))
		auth, mapped := counted(t, f, change)
		test(t, f, auth, mapped)
	})
}

func lasting(d time.Duration) string {
	return sign(keyFor("EdDSA"), nil, good(claims{"exp": time.Now().Add(d).Unix()}))
}

func TestCacheAnswersARepeatedToken(t *testing.T) {
	inCacheBubble(t, nil, func(t *testing.T, _ *fakeIssuer, auth *rs.Authenticator, mapped *atomic.Int64) {
		token := goodToken()
		first, err := auth.Verify(t.Context(), token)
		require.NoError(t, err)
		for range 10 {
			again, err := auth.Verify(t.Context(), token)
			require.NoError(t, err)
			assert.Equal(t, first, again)
			assert.NotSame(t, first, again, "each caller has a principal of its own")
			again.Roles[0], again.Subject = "ROOT", "root"
			_ = append(again.Roles, "openid-connect")
			assert.Equal(t, first.Scopes, again.Scopes, "its roles may grow without touching its scopes")
			one, two := append(again.Scopes, "one"), append(again.Scopes, "two")
			assert.NotEqual(t, one, two, "readers may each append to its scopes")
		}
		assert.EqualValues(t, 1, mapped.Load())
		require.NoError(t, verifyErr(t, auth, sign(keyFor("EdDSA"), nil, good(claims{"jti": "2"}))))
		assert.EqualValues(t, 2, mapped.Load(), "another token")
	})
}

func TestCacheDisabled(t *testing.T) {
	inCacheBubble(t, func(c *rs.Config) { c.DisableCache = true }, func(t *testing.T, _ *fakeIssuer, auth *rs.Authenticator, mapped *atomic.Int64) {
		token := goodToken()
		for range 3 {
			require.NoError(t, verifyErr(t, auth, token))
		}
		assert.EqualValues(t, 3, mapped.Load())
		auth.Forget()
	})
}

func TestCachedTokenExpires(t *testing.T) {
	for _, leeway := range []time.Duration{-1, 5 * time.Second, 0} {
		inCacheBubble(t, func(c *rs.Config) { c.Leeway = leeway }, func(t *testing.T, f *fakeIssuer, auth *rs.Authenticator, mapped *atomic.Int64) {
			fresh, _ := counted(t, f, func(c *rs.Config) { c.Leeway, c.DisableCache = leeway, true })
			token := lasting(10 * time.Second)
			accepted := 0
			for verifyErr(t, auth, token) == nil {
				require.NoError(t, verifyErr(t, fresh, token))
				accepted++
				time.Sleep(time.Second)
			}
			assert.GreaterOrEqual(t, accepted, 10)
			requireReason(t, verifyErr(t, auth, token), rs.ReasonExpired)
			requireReason(t, verifyErr(t, fresh, token), rs.ReasonExpired)
			assert.EqualValues(t, 1, mapped.Load())
		})
	}
}

func TestCachedTokenOfAWithdrawnKey(t *testing.T) {
	inCacheBubble(t, nil, func(t *testing.T, f *fakeIssuer, auth *rs.Authenticator, mapped *atomic.Int64) {
		token := lasting(time.Hour)
		require.NoError(t, verifyErr(t, auth, token))
		f.publish(keyFor("EdDSA/other"))
		time.Sleep(time.Second)
		require.NoError(t, verifyErr(t, auth, token), "nobody has asked the issuer since")
		require.NoError(t, verifyErr(t, auth, unknownKid())) // brings the new set
		requireReason(t, verifyErr(t, auth, token), rs.ReasonUnknownKey)
		assert.EqualValues(t, 2, mapped.Load())
	})
}

// TestCachedTokenOfAReplacedKey holds that a kid is not a key: another key under the same kid revokes what the first one signed.
func TestCachedTokenOfAReplacedKey(t *testing.T) {
	inCacheBubble(t, nil, func(t *testing.T, f *fakeIssuer, auth *rs.Authenticator, _ *atomic.Int64) {
		token := lasting(time.Hour)
		require.NoError(t, verifyErr(t, auth, token))
		f.publishRaw(strings.ReplaceAll(`{"keys":[`+string(keyFor("EdDSA/other").PublicJWK("sig"))+`]}`, keyFor("EdDSA/other").ID(), keyFor("EdDSA").ID()))
		time.Sleep(9 * time.Minute)
		require.NoError(t, verifyErr(t, auth, token), "this one starts the refresh")
		synctest.Wait()
		requireReason(t, verifyErr(t, auth, token), rs.ReasonSignature)
	})
}

func TestCachedTokenSurvivesRotation(t *testing.T) {
	inCacheBubble(t, nil, func(t *testing.T, f *fakeIssuer, auth *rs.Authenticator, mapped *atomic.Int64) {
		token := lasting(time.Hour)
		require.NoError(t, verifyErr(t, auth, token))
		f.publish(keyFor("EdDSA/other"), keyFor("EdDSA"))
		time.Sleep(time.Second)
		require.NoError(t, verifyErr(t, auth, unknownKid()))
		for range 5 {
			require.NoError(t, verifyErr(t, auth, token))
		}
		assert.EqualValues(t, 2, mapped.Load(), "one for each token: the key is the same in the new set")
	})
}

// TestCachedTrafficKeepsKeysFresh holds that tokens which never run through the checks still make the keys be refreshed ahead, so that withdrawals are seen.
func TestCachedTrafficKeepsKeysFresh(t *testing.T) {
	inCacheBubble(t, nil, func(t *testing.T, f *fakeIssuer, auth *rs.Authenticator, mapped *atomic.Int64) {
		token := lasting(24 * time.Hour)
		for range 120 {
			require.NoError(t, verifyErr(t, auth, token))
			synctest.Wait()
			time.Sleep(time.Minute)
		}
		assert.GreaterOrEqual(t, f.count(certsPath), 12)
		assert.EqualValues(t, 1, mapped.Load(), "a refresh that brings the same keys costs no token a verification")
		f.publish(keyFor("EdDSA/other"))
		withdrawn := time.Now()
		for verifyErr(t, auth, token) == nil {
			synctest.Wait()
			time.Sleep(time.Second)
		}
		assert.Less(t, time.Since(withdrawn), 10*time.Minute)
	})
}

func TestCachedTokenInAnOutage(t *testing.T) {
	inCacheBubble(t, nil, func(t *testing.T, f *fakeIssuer, auth *rs.Authenticator, mapped *atomic.Int64) {
		token := lasting(48 * time.Hour)
		require.NoError(t, verifyErr(t, auth, token))
		f.down()
		for range 23 {
			time.Sleep(time.Hour)
			require.NoError(t, verifyErr(t, auth, token))
		}
		time.Sleep(61 * time.Minute)
		requireReason(t, verifyErr(t, auth, token), rs.ReasonKeysUnavailable)
		f.respond(nil)
		time.Sleep(5 * time.Second)
		require.NoError(t, verifyErr(t, auth, token))
		assert.EqualValues(t, 1, mapped.Load(), "the key is still the same")
	})
}

func TestForget(t *testing.T) {
	inCacheBubble(t, nil, func(t *testing.T, f *fakeIssuer, auth *rs.Authenticator, mapped *atomic.Int64) {
		token := goodToken()
		for range 3 {
			require.NoError(t, verifyErr(t, auth, token))
			require.NoError(t, verifyErr(t, auth, token))
			auth.Forget()
		}
		assert.EqualValues(t, 3, mapped.Load())
		assert.Equal(t, 1, f.count(certsPath), "keys stay")
	})
}

// TestForgetWhileVerifying holds that a verification which began before Forget leaves nothing behind it.
func TestForgetWhileVerifying(t *testing.T) {
	inCacheBubble(t, nil, func(t *testing.T, f *fakeIssuer, auth *rs.Authenticator, mapped *atomic.Int64) {
		f.respond(func(r *http.Request) (*http.Response, error) {
			f.respond(nil)
			auth.Forget()
			return f.RoundTrip(r)
		})
		token := goodToken()
		require.NoError(t, verifyErr(t, auth, token))
		require.NoError(t, verifyErr(t, auth, token))
		require.NoError(t, verifyErr(t, auth, token))
		assert.EqualValues(t, 2, mapped.Load())
	})
}

func TestCacheIsBoundedInTokens(t *testing.T) {
	const bound = 200
	auth, mapped := counted(t, newFakeIssuer(keyFor("EdDSA")), func(c *rs.Config) { c.CacheTokens = bound })
	var tokens []string
	for n := range 3 * bound {
		tokens = append(tokens, sign(keyFor("EdDSA"), nil, good(claims{"jti": fmt.Sprint(n)})))
		require.NoError(t, verifyErr(t, auth, tokens[n]))
	}
	require.EqualValues(t, len(tokens), mapped.Load())
	for _, token := range tokens {
		require.NoError(t, verifyErr(t, auth, token))
	}
	assert.GreaterOrEqual(t, mapped.Load(), int64(2*len(tokens)-bound), "no more than the bound were remembered")
	mapped.Store(0)
	for range 10 {
		require.NoError(t, verifyErr(t, auth, tokens[0]))
	}
	assert.LessOrEqual(t, mapped.Load(), int64(1))
}

// TestCacheIsBoundedInBytes holds the heap to the bound, for tokens of many shapes.
func TestCacheIsBoundedInBytes(t *testing.T) {
	const bound = 512 << 10
	for name, filler := range map[string]any{
		"nothing more":    absent,
		"one long text":   strings.Repeat("x", 2000),
		"many short ones": strings.Split(strings.Repeat("role,", 300), ","),
		"many members":    members(60),
		"numbers":         make([]int, 500),
		"scopes repeated": nil,
		"empty objects":   make([]struct{}, 300),
	} {
		t.Run(name, func(t *testing.T) {
			auth, _ := counted(t, newFakeIssuer(keyFor("EdDSA")), func(c *rs.Config) { c.CacheTokens, c.CacheBytes = 100_000, bound })
			require.NoError(t, auth.Warm(t.Context()))
			before := heap()
			scope := "openid"
			if name == "scopes repeated" {
				scope = strings.Repeat("a ", 4000)
			}
			for n := range 500 {
				require.NoError(t, verifyErr(t, auth, sign(keyFor("EdDSA"), nil, good(claims{"jti": fmt.Sprint(n), "x": filler, "scope": scope}))))
			}
			assert.Less(t, heap()-before, int64(bound*12/10))
			runtime.KeepAlive(auth)
		})
	}
}

func members(n int) claims {
	c := claims{}
	for i := range n {
		c[fmt.Sprintf("member-%d", i)] = true
	}
	return c
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestCacheKeepsNoHeaders holds that of a remembered token's header no more is kept than what is counted, however its typ is written.
func TestCacheKeepsNoHeaders(t *testing.T) {
	const bound = 512 << 10
	for _, typ := range []string{"at+jwt", "jwt", "JWT", "application/at+jwt"} {
		t.Run(typ, func(t *testing.T) {
			auth, _ := counted(t, newFakeIssuer(keyFor("EdDSA")), func(c *rs.Config) { c.CacheTokens, c.CacheBytes = 100_000, bound })
			require.NoError(t, auth.Warm(t.Context()))
			before := heap()
			for n := range 500 {
				head := fmt.Sprintf(`{"alg":"EdDSA","typ":%q,"n":%d,"x5c":[%q]}`, typ, n, strings.Repeat("h", 8000))
				require.NoError(t, verifyErr(t, auth, signText(keyFor("EdDSA"), head, payload(good(claims{"jti": fmt.Sprint(n)})))))
			}
			assert.Less(t, heap()-before, int64(bound*12/10))
			runtime.KeepAlive(auth)
		})
	}
}

func TestOneTokenCanNotFillTheCache(t *testing.T) {
	auth, mapped := counted(t, newFakeIssuer(keyFor("EdDSA")), func(c *rs.Config) { c.CacheBytes = 32 << 10 })
	small, large := goodToken(), sign(keyFor("EdDSA"), nil, good(claims{"x": strings.Repeat("x", 9000)}))
	for range 3 {
		require.NoError(t, verifyErr(t, auth, small))
		require.NoError(t, verifyErr(t, auth, large))
	}
	assert.EqualValues(t, 1+3, mapped.Load())
}

// TestForgedTokensReachNoCache holds that refused tokens neither enter nor push a good one out.
func TestForgedTokensReachNoCache(t *testing.T) {
	auth, mapped := counted(t, newFakeIssuer(keyFor("EdDSA")), func(c *rs.Config) { c.CacheTokens = 4 })
	tokens := []string{goodToken(), sign(keyFor("EdDSA"), nil, good(claims{"jti": "b"}))}
	for _, token := range tokens {
		require.NoError(t, verifyErr(t, auth, token))
	}
	_, _, sig := parts(tokens[0])
	for n := range 500 {
		head, body, _ := parts(sign(keyFor("EdDSA"), nil, good(claims{"jti": fmt.Sprint(n)})))
		forged := head + "." + body + "." + sig
		requireReason(t, verifyErr(t, auth, forged), rs.ReasonSignature)
		requireReason(t, verifyErr(t, auth, forged), rs.ReasonSignature)
	}
	for _, change := range []claims{{"aud": "x"}, {"exp": 1}, {"iss": "https://x.test"}, {"typ": "ID"}, {"nbf": time.Now().Unix() + 200}} {
		token := sign(keyFor("EdDSA"), nil, good(change))
		require.Error(t, verifyErr(t, auth, token))
		require.Error(t, verifyErr(t, auth, token))
	}
	for _, token := range tokens {
		require.NoError(t, verifyErr(t, auth, token))
	}
	assert.EqualValues(t, 2, mapped.Load())
}

// TestCachedTokenStillNeedsItsHeader holds that only the very same token is remembered, not what else stands in the field.
func TestCachedTokenStillNeedsItsHeader(t *testing.T) {
	auth, mapped := counted(t, newFakeIssuer(keyFor("EdDSA")), nil)
	h, token := auth.Require()(ok), goodToken()
	for _, c := range []struct {
		authorization string
		status        int
		body          string
	}{
		{"Bearer " + token, 200, "ok"},
		{"bearer   " + token + " \t", 200, "ok"},
		{"Bearer " + token + " x", 401, "malformed"},
		{"Bearer " + token + " " + token, 401, "malformed"},
		{"Bearer x " + token, 401, "malformed"},
		{"Bearer " + token + ",", 401, "malformed"},
		{"Bearer " + token + "é", 401, "malformed"},
		{"Bearer " + token + "=", 401, "malformed"},
		{"Bearer\t" + token, 401, "malformed"},
		{"Bearer" + token, 401, ""},
		{"Basic " + token, 401, ""},
		{token, 401, ""},
	} {
		w := get(h, c.authorization)
		assert.Equal(t, c.status, w.Code, "%q", strings.ReplaceAll(c.authorization, token, "T"))
		assert.Contains(t, w.Body.String(), c.body)
	}
	assert.EqualValues(t, 1, mapped.Load())
}

func TestCachesAreNotShared(t *testing.T) {
	f := newFakeIssuer(keyFor("EdDSA"))
	auth, _ := counted(t, f, nil)
	elsewhere, mapped := counted(t, f, func(c *rs.Config) { c.Audiences = []string{"another-service"} })
	token := goodToken()
	require.NoError(t, verifyErr(t, auth, token))
	requireReason(t, verifyErr(t, elsewhere, token), rs.ReasonAudience)
	assert.Zero(t, mapped.Load())
}

// TestCacheHoldsNoDecision holds that every rule runs on every request.
func TestCacheHoldsNoDecision(t *testing.T) {
	auth, mapped := counted(t, newFakeIssuer(keyFor("EdDSA")), nil)
	open, asked := true, 0
	h := auth.Require(rs.RuleFunc("while open", func(*http.Request, *rs.Principal) bool { asked++; return open }))(ok)
	bearer := "Bearer " + goodToken()
	assert.Equal(t, 200, get(h, bearer).Code)
	open = false
	assert.Equal(t, 403, get(h, bearer).Code)
	assert.Equal(t, 2, asked)
	assert.EqualValues(t, 1, mapped.Load())
}

func TestCacheUnderConcurrency(t *testing.T) {
	f := newFakeIssuer(keyFor("EdDSA"))
	auth, _ := counted(t, f, func(c *rs.Config) { c.CacheTokens = 20 })
	var tokens []string
	for n := range 60 {
		tokens = append(tokens, sign(keyFor("EdDSA"), nil, good(claims{"sub": fmt.Sprint(n)})))
	}
	var wg sync.WaitGroup
	for worker := range 16 {
		wg.Go(func() {
			for n := range 300 {
				want := (worker*7 + n) % len(tokens)
				p, err := auth.Verify(t.Context(), tokens[want])
				if assert.NoError(t, err) {
					assert.Equal(t, fmt.Sprint(want), p.Subject)
				}
				if worker == 0 && n%50 == 0 {
					auth.Forget()
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkVerify(b *testing.B) {
	for _, alg := range []string{"RS256", "ES256", "EdDSA"} {
		for name, disabled := range map[string]bool{"hit": false, "miss": true} {
			b.Run(alg+"/"+name, func(b *testing.B) {
				auth, _ := counted(b, newFakeIssuer(keyFor(alg)), func(c *rs.Config) { c.DisableCache = disabled })
				token := sign(keyFor(alg), nil, good(claims{"x": strings.Repeat("x", 700)}))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := auth.Verify(b.Context(), token); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
