package keycloaktest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/svcauth/svcauth/internal/jose"
)

// outcome is what a client without much patience sees.
type outcome struct {
	status int
	header http.Header
	body   string
	err    error // of the exchange, or of reading the body
}

func fetch(t *testing.T, client *http.Client, method, url string) outcome {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader("grant_type=client_credentials&client_id=job&client_secret=job-secret"))
	require.NoError(t, err)
	req.Header.Set("Content-Type", formType)
	copied := *client
	copied.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := copied.Do(req)
	if err != nil {
		return outcome{err: err}
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return outcome{res.StatusCode, res.Header, string(body), err}
}

// overBoth runs a test over the network and in memory: what a client sees is the same.
func overBoth(t *testing.T, test func(t *testing.T, s *Server, client *http.Client)) {
	t.Helper()
	t.Run("network", func(t *testing.T) { test(t, New(t, Config{}), http.DefaultClient) })
	t.Run("memory", func(t *testing.T) {
		s := New(t, Config{InMemory: true})
		test(t, s, &http.Client{Transport: s.Transport()})
	})
}

func TestTroubles(t *testing.T) {
	const page = "<!DOCTYPE html>\n<html><head><title>Maintenance</title></head><body><h1>We will be back soon</h1></body></html>\n"
	overBoth(t, func(t *testing.T, s *Server, client *http.Client) {
		whole := fetch(t, client, "GET", s.certsURL()).body
		for _, c := range []struct {
			trouble Trouble
			status  int
			header  map[string]string
			body    string
		}{
			{Status(500), 500, nil, `{"error":"unknown_error","error_description":"For more on this error consult the server log."}`},
			{Status(503), 503, nil, `{"error":"HTTP 503 Service Unavailable"}`},
			{Status(404), 404, map[string]string{"Content-Type": "application/json"}, `{"error":"HTTP 404 Not Found"}`},
			{RateLimited(1500 * time.Millisecond), 429, map[string]string{"Retry-After": "2"}, `{"error":"HTTP 429 Too Many Requests"}`},
			{RateLimited(0), 429, map[string]string{"Retry-After": ""}, `{"error":"HTTP 429 Too Many Requests"}`},
			{HTML(200), 200, map[string]string{"Content-Type": "text/html; charset=utf-8"}, page},
			{HTML(502), 502, map[string]string{"Content-Type": "text/html; charset=utf-8"}, page},
			{Oversized(100_000), 200, map[string]string{"Content-Type": "application/json"}, strings.Repeat(" ", 100_000) + whole},
			{Oversized(1), 200, nil, " " + whole},
			{Redirected("https://elsewhere.example/"), 307, map[string]string{"Location": "https://elsewhere.example/"}, ""},
			{Redirected(""), 307, map[string]string{"Location": "/realms/test" + JWKSEndpoint}, ""},
			{Replaced(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(418); io.WriteString(w, "tea") }), 418, nil, "tea"},
			{NoKeys(), 200, nil, `{"keys":[]}`},
			{Slow(time.Nanosecond), 200, nil, whole},
			{Healthy(), 200, nil, whole},
		} {
			t.Run(c.trouble.String(), func(t *testing.T) {
				s.SetTrouble(JWKSEndpoint, c.trouble)
				got := fetch(t, client, "GET", s.certsURL())
				require.NoError(t, got.err)
				assert.Equal(t, c.status, got.status)
				for name, want := range c.header {
					assert.Equal(t, want, got.header.Get(name))
				}
				assert.Equal(t, c.body, got.body)
				assert.Equal(t, 200, fetch(t, client, "POST", s.tokenURL()).status, "other endpoints are well")
				s.SetTrouble(JWKSEndpoint)
				assert.Equal(t, whole, fetch(t, client, "GET", s.certsURL()).body)
			})
		}
	})
}

func TestBrokenAnswers(t *testing.T) {
	overBoth(t, func(t *testing.T, s *Server, client *http.Client) {
		whole := fetch(t, client, "GET", s.certsURL()).body
		s.SetTrouble(JWKSEndpoint, Truncated())
		got := fetch(t, client, "GET", s.certsURL())
		assert.ErrorIs(t, got.err, io.ErrUnexpectedEOF)
		assert.Equal(t, whole[:len(whole)/2], got.body)
		assert.Equal(t, 200, got.status)

		s.SetTrouble(JWKSEndpoint, Dropped())
		assert.Error(t, fetch(t, client, "GET", s.certsURL()).err)
		s.SetTrouble(JWKSEndpoint)
		s.SetTrouble(AllEndpoints, Dropped())
		assert.Error(t, fetch(t, client, "GET", s.certsURL()).err)
		assert.Error(t, fetch(t, client, "GET", s.URL+"/nope").err)
	})
}

func TestWrongIssuer(t *testing.T) {
	overBoth(t, func(t *testing.T, s *Server, client *http.Client) {
		var before, after map[string]any
		require.NoError(t, json.Unmarshal([]byte(fetch(t, client, "GET", s.Issuer()+DiscoveryEndpoint).body), &before))
		s.SetTrouble(DiscoveryEndpoint, WrongIssuer("https://elsewhere.example/<&>"))
		for _, path := range []string{s.Issuer() + DiscoveryEndpoint, s.URL + "/.well-known/oauth-authorization-server/realms/test"} {
			got := fetch(t, client, "GET", path)
			require.NoError(t, json.Unmarshal([]byte(got.body), &after))
			assert.Equal(t, "https://elsewhere.example/<&>", after["issuer"])
			after["issuer"] = before["issuer"]
			assert.Equal(t, before, after, "nothing else changes")
		}
		assert.Equal(t, 404, fetch(t, client, "POST", s.Issuer()+DiscoveryEndpoint).status, "refusals stay as they are")
	})
}

func TestOddKeysStandBeforeTheOrdinaryOnes(t *testing.T) {
	for _, alg := range []string{"RS256", "EdDSA"} {
		s := New(t, Config{Algorithm: alg})
		ordinary := s.keys.public()
		s.SetTrouble(JWKSEndpoint, OddKeys())
		_, body := get(t, s.certsURL())
		var set struct{ Keys []json.RawMessage }
		require.NoError(t, json.Unmarshal([]byte(body), &set))
		require.Len(t, set.Keys, len(oddKeys)+1+len(ordinary))
		for i, key := range ordinary {
			assert.JSONEq(t, string(key), string(set.Keys[len(oddKeys)+1+i]))
		}
		assert.Contains(t, string(set.Keys[len(oddKeys)]), `"kid":"`+s.keys.signer(alg).ID()+`"`)
	}
}

func TestOddKeysAreOddInTheirWay(t *testing.T) {
	_, skipped, err := jose.ParseSet([]byte(`{"keys":[` + strings.Join(oddKeys, ",") + `]}`))
	require.ErrorIs(t, err, jose.ErrNoKeys)
	var reasons []string
	for _, one := range skipped {
		reasons = append(reasons, one.Reason)
	}
	assert.Equal(t, []string{
		`alg "ML-DSA-65" is not a supported signature algorithm`, "a symmetric key", "an RSA key of 512 bits, fewer than 2048",
		"an EC key whose point is not on the curve", `alg "EdDSA" does not fit a key of kty "OKP", crv "Ed448"`,
		"not a JWK (a member has the wrong type)", `kty "", crv "" is not supported`, `kty "", crv "" is not supported`,
	}, reasons)
}

func TestTroublesComeOneAfterTheOther(t *testing.T) {
	s := New(t, Config{InMemory: true})
	client := &http.Client{Transport: s.Transport()}
	statuses := func(url string, n int) (all []int) {
		for range n {
			all = append(all, fetch(t, client, "GET", url).status)
		}
		return all
	}
	s.SetTrouble(JWKSEndpoint, Healthy().Times(1), Status(503).Times(2), RateLimited(0).Times(1))
	assert.Equal(t, []int{200, 503, 503, 429, 200, 200}, statuses(s.certsURL(), 6))

	s.SetTrouble(s.certsURL(), Status(500).Times(1), Status(502))
	s.SetTrouble(AllEndpoints, Status(503))
	assert.Equal(t, []int{500, 502, 502}, statuses(s.certsURL(), 3), "an endpoint's own go first")
	assert.Equal(t, []int{503}, statuses(s.Issuer()+DiscoveryEndpoint, 1))
	s.SetTrouble("/realms/test" + JWKSEndpoint)
	assert.Equal(t, []int{503}, statuses(s.certsURL(), 1))
	s.SetTrouble(JWKSEndpoint, Healthy())
	assert.Equal(t, []int{200, 200}, statuses(s.certsURL(), 2), "Healthy keeps what is set for all away")
	s.SetTrouble(AllEndpoints)
	assert.Equal(t, []int{200}, statuses(s.Issuer()+DiscoveryEndpoint, 1))
	assert.Equal(t, 12, s.Requests(JWKSEndpoint), "all of them count")
	s.SetTrouble(TokenEndpoint, Status(503))
	s.SetTrouble(AllEndpoints)
	assert.Equal(t, []int{405}, statuses(s.Issuer()+TokenEndpoint, 1), "the ordinary answer to a GET: all is well")

	own := []Trouble{Status(503).Times(2)}
	s.SetTrouble(JWKSEndpoint, own...)
	assert.Equal(t, []int{503, 503, 200}, statuses(s.certsURL(), 3))
	assert.Equal(t, 2, own[0].times, "the caller's list stays as it is")
}

func TestTimesHoldsUnderConcurrency(t *testing.T) {
	s := New(t, Config{InMemory: true})
	trouble := Status(503).Times(7)
	s.SetTrouble(JWKSEndpoint, trouble)
	client := &http.Client{Transport: s.Transport()}
	var group sync.WaitGroup
	var mu sync.Mutex
	failed := 0
	for range 40 {
		group.Go(func() {
			if fetch(t, client, "GET", s.certsURL()).status == 503 {
				mu.Lock()
				failed++
				mu.Unlock()
			}
		})
	}
	group.Wait()
	assert.Equal(t, 7, failed)
	assert.Equal(t, "status 503, 7 times", trouble.String(), "the value can be used again")
}

func TestTroubleMistakes(t *testing.T) {
	s := New(t, Config{InMemory: true})
	s.test = noTest{}
	for want, mistake := range map[string]func(){
		`keycloaktest: SetTrouble: "/nope" is no endpoint of realm "test": want one of *, /.well-known/openid-configuration, /protocol/openid-connect/certs, ` +
			`/protocol/openid-connect/token, /protocol/openid-connect/auth, /protocol/openid-connect/userinfo, /protocol/openid-connect/logout`: func() {
			s.SetTrouble("/nope", Dropped())
		},
		`keycloaktest: SetTrouble: "wrong issuer" is for /.well-known/openid-configuration alone, not for *`: func() { s.SetTrouble(AllEndpoints, WrongIssuer("x")) },
		`keycloaktest: SetTrouble: "odd keys" is for /protocol/openid-connect/certs alone, not for /protocol/openid-connect/token`: func() {
			s.SetTrouble(TokenEndpoint, OddKeys())
		},
		`keycloaktest: SetTrouble: "status 503" never ends, so "dropped, 2 times" can't come: give it Times`: func() {
			s.SetTrouble(TokenEndpoint, Status(503), Dropped().Times(2))
		},
		`keycloaktest: Times: want 1 or more, got 0`:                   func() { Dropped().Times(0) },
		`keycloaktest: Slow: want a delay above 0, got 0s`:             func() { Slow(0) },
		`keycloaktest: Status: want a status from 400 to 599, got 200`: func() { Status(200) },
		`keycloaktest: HTML: want a status from 400 to 599, got 302`:   func() { HTML(302) },
		`keycloaktest: RateLimited: want 0 or more, got -1ns`:          func() { RateLimited(-1) },
		`keycloaktest: Oversized: want 1 to 67108864 bytes, got 0`:     func() { Oversized(0) },
	} {
		assert.PanicsWithValue(t, want, mistake)
	}
	assert.Equal(t, "healthy", Trouble{}.String())
}

// Delays take the bubble's time, and end with the caller's patience.
func TestDelaysInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(t, Config{InMemory: true}) // in memory it may be made in the bubble
		ask := func(patience time.Duration) (outcome, time.Duration) {
			began := time.Now()
			return fetch(t, &http.Client{Transport: s.Transport(), Timeout: patience}, "POST", s.tokenURL()), time.Since(began)
		}
		for _, c := range []struct {
			trouble  Trouble
			patience time.Duration
			took     time.Duration
			status   int // 0: an error without an answer
			late     bool
		}{
			{Slow(time.Hour), 2 * time.Hour, time.Hour, 200, false},
			{Slow(time.Hour), time.Minute, time.Minute, 0, true},
			{Hanging(), 5 * time.Second, 5 * time.Second, 0, true},
			{Stalled(), 5 * time.Second, 5 * time.Second, 200, true},
			{Healthy(), 5 * time.Second, 0, 200, false},
		} {
			s.SetTrouble(TokenEndpoint, c.trouble)
			got, took := ask(c.patience)
			assert.Equal(t, c.took, took, c.trouble)
			assert.Equal(t, c.status, got.status, c.trouble)
			assert.Equal(t, c.late, errors.Is(got.err, context.DeadlineExceeded), "%v: %v", c.trouble, got.err)
		}
	})
}

// Over the network, what a trouble holds ends when the client hangs up, and when the server is closed.
func TestHeldRequestsEnd(t *testing.T) {
	for _, trouble := range []Trouble{Hanging(), Stalled(), Slow(24 * time.Hour)} {
		for _, end := range []string{"the client hangs up", "the server is closed"} {
			t.Run(trouble.String()+", "+end, func(t *testing.T) {
				s := New(t, Config{})
				started, ended := make(chan struct{}), make(chan any, 1)
				held := trouble.serve
				observed := trouble
				observed.serve = func(w http.ResponseWriter, r *http.Request, ordinary http.HandlerFunc) {
					close(started)
					defer func() { p := recover(); ended <- p; panic(p) }()
					held(w, r, ordinary)
				}
				s.SetTrouble(TokenEndpoint, observed)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				req, err := http.NewRequestWithContext(ctx, "POST", s.tokenURL(), strings.NewReader("grant_type=client_credentials"))
				require.NoError(t, err)
				req.Header.Set("Content-Type", formType)
				failed := make(chan error, 1)
				go func() {
					res, err := http.DefaultClient.Do(req)
					if err == nil {
						_, err = io.ReadAll(res.Body)
						res.Body.Close()
					}
					failed <- err
				}()
				<-started
				if end == "the client hangs up" {
					cancel()
				} else {
					hungUp, hangUp := false, s.hangUp
					s.hangUp = func() { hungUp = true; hangUp() }
					s.Close()
					assert.True(t, hungUp, "at once, not after the time that Close gives other requests")
				}
				assert.Error(t, <-failed)
				assert.Equal(t, http.ErrAbortHandler, <-ended)
			})
		}
	}
}
