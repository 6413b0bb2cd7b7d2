package clientcreds

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestLettersThatFoldDifferently holds that a host whose letters fold to a listed one by Unicode's rules, but not by those of host names, is another host.
func TestLettersThatFoldDifferently(t *testing.T) {
	var sent []string
	base := roundTrip(func(r *http.Request) (*http.Response, error) {
		sent = append(sent, r.URL.Host+" "+r.Header.Get("Authorization"))
		if r.URL.Host == "api.test" {
			return reply(302, "", "Location", "https://ap\u0130.test/x")
		}
		return reply(200, "")
	})
	s := newTestSource(t, &script{next: tokens(time.Hour)}, func(c *Config) { c.Origins = []string{"https://api.github.test"} })
	_, err := s.Client(&http.Client{Transport: base}).Get("https://api.g\u0130thub.test/")
	require.ErrorIs(t, err, ErrOrigin)
	assert.Empty(t, sent)

	s = newTestSource(t, &script{next: tokens(time.Hour)})
	resp, err := s.Client(&http.Client{Transport: base}).Get("https://api.test/")
	require.NoError(t, err)
	resp.Body.Close()
	assert.Equal(t, []string{"api.test Bearer token-1", "ap\u0130.test "}, sent)
}

// TestRedirectsOfABaseThatMakesItsOwnRequests holds that the way back to the first hop is not lost in a base that sends requests of its own.
func TestRedirectsOfABaseThatMakesItsOwnRequests(t *testing.T) {
	var sent []string
	base := roundTrip(func(r *http.Request) (*http.Response, error) {
		sent = append(sent, r.URL.Host+r.URL.Path+" "+r.Header.Get("Authorization"))
		var resp *http.Response
		switch r.URL.Host + r.URL.Path {
		case "good.test/":
			resp, _ = reply(302, "", "Location", "https://evil.test/x")
		case "evil.test/x":
			resp, _ = reply(302, "", "Location", "/y")
		default:
			resp, _ = reply(200, "")
		}
		own, err := http.NewRequestWithContext(r.Context(), r.Method, r.URL.String(), nil)
		resp.Request = own
		return resp, err
	})
	s := newTestSource(t, &script{next: tokens(time.Hour)})
	resp, err := s.Client(&http.Client{Transport: base}).Get("https://good.test/")
	require.NoError(t, err)
	resp.Body.Close()
	assert.Equal(t, []string{"good.test/ Bearer token-1", "evil.test/x ", "evil.test/y "}, sent)
}

func TestUserInformationIsNoWayPastOrigins(t *testing.T) {
	s := newTestSource(t, &script{next: tokens(time.Hour)}, func(c *Config) { c.Origins = []string{"https://api.test"} })
	sent := 0
	base := roundTrip(func(*http.Request) (*http.Response, error) { sent++; return reply(200, "") })
	_, err := s.Client(&http.Client{Transport: base}).Post("https://api.test@evil.test/", "text/plain", strings.NewReader("body"))
	require.ErrorIs(t, err, ErrOrigin)
	assert.Zero(t, sent)
	resp, err := s.Client(&http.Client{Transport: base}).Get("https://user:pass@api.test/")
	require.NoError(t, err)
	resp.Body.Close()
	assert.Equal(t, 1, sent)
}

// TestReplayDoesNotWaitForABodyWithoutEnd holds that a service which refuses a token and then says nothing more delays nobody.
func TestReplayDoesNotWaitForABodyWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		base := roundTrip(func(*http.Request) (*http.Response, error) {
			if n++; n == 1 {
				resp, _ := reply(401, "", "WWW-Authenticate", `Bearer error="invalid_token"`)
				body, never := io.Pipe()
				t.Cleanup(func() { never.Close() })
				resp.Body, resp.ContentLength = body, -1
				return resp, nil
			}
			return reply(200, "")
		})
		s := newTestSource(t, &script{next: tokens(time.Hour)})
		start := time.Now()
		resp, err := s.Client(&http.Client{Transport: base}).Get("https://api.test/")
		require.NoError(t, err)
		assert.Equal(t, 200, resp.StatusCode)
		assert.Zero(t, time.Since(start))
	})
}

func TestEmptyOriginsOfATargetLiftNothing(t *testing.T) {
	s := newTestSource(t, &script{next: tokens(time.Hour)}, func(c *Config) { c.Origins = []string{"https://api.test"} })
	_, err := s.For(Target{Origins: []string{}}).TokenContext(t.Context())
	require.ErrorContains(t, err, "Target.Origins is empty")
	_, err = s.For(Target{Origins: []string{"https://other.test"}}).TokenContext(t.Context())
	require.NoError(t, err)
}

// TestRefusedCredentialHoldsForAllTargets holds that an issuer which counts failed logins is not asked once for each target.
func TestRefusedCredentialHoldsForAllTargets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refuse := true
		issuer := &script{next: func(n int, r *http.Request) (*http.Response, error) {
			if refuse {
				return reply(401, `{"error":"invalid_client"}`)
			}
			return tokens(time.Hour)(n, r)
		}}
		s := newTestSource(t, issuer)
		all := func() (failed int) {
			for i := range 500 {
				if _, err := s.For(Target{Scopes: []string{"s" + strings.Repeat("x", i)}}).TokenContext(t.Context()); err != nil {
					require.ErrorIs(t, err, ErrRefused)
					failed++
				}
			}
			return failed
		}
		assert.Equal(t, 500, all())
		assert.Equal(t, 1, issuer.count())
		refuse = false
		time.Sleep(10 * time.Second)
		assert.Zero(t, all())
	})
}

// TestRefusedCredentialHoldsForFiveSecondsWhoeverAsks holds that the 5 seconds count from the refusal, not from when another target hears of it.
func TestRefusedCredentialHoldsForFiveSecondsWhoeverAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := &script{next: func(n int, r *http.Request) (*http.Response, error) {
			if n == 1 {
				return reply(401, `{"error":"invalid_client"}`)
			}
			return tokens(time.Hour)(n, r)
		}}
		s := newTestSource(t, issuer)
		other := s.For(Target{Scopes: []string{"other"}})
		_, err := s.Token()
		require.ErrorIs(t, err, ErrRefused)
		time.Sleep(refusalMemory - 100*time.Millisecond)
		var failed *Error
		_, err = other.Token()
		require.ErrorAs(t, err, &failed)
		assert.ErrorIs(t, err, ErrRefused)
		assert.Equal(t, 100*time.Millisecond, failed.RetryIn)
		assert.Equal(t, 1, issuer.count())
		time.Sleep(100 * time.Millisecond)
		assert.Equal(t, "token-2", token(t, other))
	})
}

func TestParamsAndTokensStandInNoError(t *testing.T) {
	for _, body := range []string{
		`{"error":"invalid_request","error_description":"bad api_key sk-live-123456"}`,
		`{"access_token":"eyJ-secret-token","error":"invalid_request","error_description":"have eyJ-secret-token"}`,
		`{"access_token":"eyJ-secret-token","token_type":"eyJ-secret-token"}`,
		`{"access_token":"t","token_type":"sk-live-123456"}`,
		`{"access_token":"t","token_type":"` + testSecret[:14] + `"}`,
	} {
		s := newTestSource(t, &script{next: func(int, *http.Request) (*http.Response, error) { return reply(200, body) }}, func(c *Config) {
			c.Params = url.Values{"api_key": {"sk-live-123456"}}
		})
		_, err := s.TokenContext(context.Background())
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "sk-live", body)
		assert.NotContains(t, err.Error(), "secret-token", body)
		assert.NotContains(t, err.Error(), "p1anted", body)
	}
	s := newTestSource(t, &script{next: func(int, *http.Request) (*http.Response, error) {
		return reply(400, `{"error":"invalid_request","error_description":"unknown audience https://api.test"}`)
	}}, func(c *Config) { c.Params = url.Values{"audience": {"https://api.test"}} })
	_, err := s.TokenContext(context.Background())
	require.ErrorContains(t, err, "unknown audience https://api.test", "what helps is shown")
}
