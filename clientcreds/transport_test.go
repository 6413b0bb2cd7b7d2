package clientcreds

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

const invalidToken = `Bearer realm="x", error="invalid_token"`

// service is a resource server without a network. It accepts the tokens for which accept is true.
type service struct {
	accept func(token string) bool
	seen   []string // Authorization fields
	bodies []string
	mu     sync.Mutex // guards seen and bodies
}

func (s *service) RoundTrip(r *http.Request) (*http.Response, error) {
	body := ""
	if r.Body != nil {
		b, _ := io.ReadAll(r.Body)
		r.Body.Close()
		body = string(b)
	}
	authorization := r.Header.Get("Authorization")
	s.mu.Lock()
	s.seen = append(s.seen, authorization)
	s.bodies = append(s.bodies, body)
	s.mu.Unlock()
	resp, err := reply(200, "ok")
	if !s.accept(strings.TrimPrefix(authorization, "Bearer ")) {
		resp, err = reply(401, "refused", "WWW-Authenticate", invalidToken)
	}
	resp.Request = r
	return resp, err
}

func get(t testing.TB, c *http.Client, url string) *http.Response {
	t.Helper()
	resp, err := c.Get(url)
	require.NoError(t, err)
	resp.Body.Close()
	return resp
}

func TestClientCarriesTheToken(t *testing.T) {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %q %s", r.Method, r.Header.Get("Authorization"), body, r.Header.Get("X-Mine"))
	}))
	defer api.Close()
	base := &http.Client{Timeout: 10 * time.Second}
	client := newTestSource(t, &script{next: tokens(time.Minute)}).Client(base)
	assert.Nil(t, base.Transport, "base is not modified")
	assert.Equal(t, base.Timeout, client.Timeout)

	req, err := http.NewRequest("POST", api.URL, strings.NewReader("hello"))
	require.NoError(t, err)
	req.Header = nil
	resp, err := client.Do(req)
	require.NoError(t, err)
	body, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	assert.Equal(t, `POST Bearer token-1 "hello" `, string(body))
	assert.Empty(t, resp.Request.Header.Get("Authorization"), "the answer's Request is the caller's")
}

func TestRequestIsNotModified(t *testing.T) {
	transport := newTestSource(t, &script{next: tokens(time.Minute)}).Transport(roundTrip(func(r *http.Request) (*http.Response, error) {
		assert.Equal(t, []string{"Bearer token-1"}, r.Header["Authorization"])
		r.Header["Authorization"][0] = "scribbled"
		r.Header.Add("Authorization", "more")
		return reply(200, "")
	}))
	req := httptest.NewRequest("GET", "https://api.example/", nil)
	req.Header.Set("X", "y")
	for range 2 {
		_, err := transport.RoundTrip(req)
		require.NoError(t, err)
		assert.Equal(t, http.Header{"X": {"y"}}, req.Header)
	}
	bare := &http.Request{Method: "GET", URL: &url.URL{Scheme: "https", Host: "api.example"}}
	_, err := transport.RoundTrip(bare)
	require.NoError(t, err)
	assert.Nil(t, bare.Header)
}

// TestHeaderOfTheRequestIsOutOfReach holds that a base which adds to a field, as it must not, writes nothing into the caller's list.
func TestHeaderOfTheRequestIsOutOfReach(t *testing.T) {
	transport := newTestSource(t, &script{next: tokens(time.Minute)}).Transport(roundTrip(func(r *http.Request) (*http.Response, error) {
		r.Header.Add("X", "added")
		return reply(200, "")
	}))
	req, err := http.NewRequest(http.MethodGet, "https://api.example/", nil)
	require.NoError(t, err)
	values := []string{"caller's", "spare"}
	req.Header["X"] = values[:1]
	resp, err := transport.RoundTrip(req)
	require.NoError(t, err)
	resp.Body.Close()
	assert.Equal(t, []string{"caller's", "spare"}, values)
}

func TestWritingToAReturnedTokenPoisonsNoRequest(t *testing.T) {
	source := newTestSource(t, &script{next: tokens(time.Minute)})
	tok, err := source.Token()
	require.NoError(t, err)
	tok.AccessToken, tok.TokenType = "poison", "Poison"
	api := &service{accept: func(token string) bool { return true }}
	get(t, source.Client(&http.Client{Transport: api}), "https://api.example/")
	assert.Equal(t, []string{"Bearer token-1"}, api.seen)
}

func TestCallersAuthorizationWins(t *testing.T) {
	for _, header := range []http.Header{{"Authorization": {"Basic x"}}, {"authorization": {"Basic x"}}, {"Authorization": {""}}} {
		issuer := &script{next: tokens(time.Minute)}
		var got http.Header
		transport := newTestSource(t, issuer, func(c *Config) { c.Origins = []string{"https://other.example"} }).Transport(
			roundTrip(func(r *http.Request) (*http.Response, error) {
				got = r.Header
				return reply(401, "", "WWW-Authenticate", invalidToken)
			}))
		req := httptest.NewRequest("GET", "http://api.example/", nil)
		req.Header = header
		resp, err := transport.RoundTrip(req)
		require.NoError(t, err)
		assert.Equal(t, 401, resp.StatusCode)
		assert.Equal(t, header, got)
		assert.Equal(t, 0, issuer.count())
	}
}

type closeRecorder struct {
	io.Reader
	closed atomic.Int32
}

func (c *closeRecorder) Close() error { c.closed.Add(1); return nil }

func TestWhereTheTokenMayNotGo(t *testing.T) {
	for _, tt := range []struct {
		origins []string
		allow   []string
		url     string
		text    string // empty: it may
	}{
		{nil, nil, "https://api.example/", ""},
		{nil, nil, "http://localhost:8080/", ""},
		{nil, nil, "http://127.0.0.2/", ""},
		{nil, nil, "http://[::1]:80/", ""},
		{nil, []string{"api.internal"}, "http://api.internal:81/", ""},
		{nil, nil, "http://api.example/", `clientcreds: the token may not go to this origin: "http://api.example" is plain http to a host that is not loopback: use https, or name "api.example" in AllowHTTP if the network between is trusted`},
		{nil, nil, "http://localhost.evil.example/", "plain http"},
		{nil, nil, "ftp://localhost/", "neither https nor http"},

		{[]string{"https://api.example"}, nil, "https://api.example:443/x", ""},
		{[]string{"https://API.example:443"}, nil, "https://api.EXAMPLE/x", ""},
		{[]string{"https://a.example", "https://api.example"}, nil, "https://api.example/x", ""},
		{[]string{"http://localhost:8181"}, nil, "http://localhost:8181/x", ""},
		{[]string{"https://api.example"}, nil, "https://api.example:444/", `clientcreds: the token may not go to this origin: "https://api.example:444" is not among Origins`},
		{[]string{"https://api.example"}, nil, "http://api.example/", "not among Origins"},
		{[]string{"https://api.example"}, nil, "https://api.example.evil.example/", "not among Origins"},
		{[]string{"https://api.example"}, nil, "https://evil.api.example/", "not among Origins"},
		{[]string{"https://[2001:db8::1]"}, nil, "https://[2001:db8::2]/", `"https://[2001:db8::2]" is not`},
		{[]string{"https://api.example"}, nil, "https://api.example@evil.example/", "not among Origins"},
	} {
		issuer := &script{next: tokens(time.Minute)}
		sent := 0
		transport := newTestSource(t, issuer, func(c *Config) { c.Origins, c.AllowHTTP = tt.origins, tt.allow }).Transport(
			roundTrip(func(r *http.Request) (*http.Response, error) { sent++; return reply(200, "") }))
		body := &closeRecorder{Reader: strings.NewReader("x")}
		req, err := http.NewRequest("POST", tt.url, body)
		require.NoError(t, err)
		_, err = transport.RoundTrip(req)
		if tt.text == "" {
			assert.NoError(t, err, tt.url)
			assert.Equal(t, 1, sent, tt.url)
			continue
		}
		assert.ErrorIs(t, err, ErrOrigin, tt.url)
		assert.ErrorContains(t, err, tt.text)
		assert.Equal(t, 0, sent+issuer.count(), "%s: nothing is sent", tt.url)
		assert.EqualValues(t, 1, body.closed.Load(), tt.url)
	}
}

// TestRedirects runs real redirects: net/http sends each hop through the transport again.
func TestRedirects(t *testing.T) {
	var mu sync.Mutex
	var hops []string
	server := func(name string) *httptest.Server {
		return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			hops = append(hops, name+" "+r.Header.Get("Authorization"))
			mu.Unlock()
			if to := r.URL.Query().Get("to"); to != "" {
				http.Redirect(w, r, to, http.StatusFound)
			}
		}))
	}
	a, b := server("a"), server("b")
	defer a.Close()
	defer b.Close()
	to := func(at, next string) string { return at + "/?to=" + url.QueryEscape(next) }

	for _, tt := range []struct {
		name    string
		url     string
		origins []string
		want    []string
		fails   bool
	}{
		{"same origin", to(a.URL, to(a.URL, a.URL)), nil, []string{"a Bearer token-1", "a Bearer token-1", "a Bearer token-1"}, false},
		{"another origin", to(a.URL, b.URL), nil, []string{"a Bearer token-1", "b "}, false},
		{"there and back", to(a.URL, to(b.URL, a.URL)), nil, []string{"a Bearer token-1", "b ", "a "}, false},
		{"localhost is not 127.0.0.1", to(a.URL, strings.Replace(a.URL, "127.0.0.1", "localhost", 1)), nil, []string{"a Bearer token-1", "a "}, false},
		{"both listed", to(a.URL, b.URL), []string{a.URL, b.URL}, []string{"a Bearer token-1", "b "}, false},
		{"not listed", to(a.URL, b.URL), []string{a.URL}, []string{"a Bearer token-1"}, true},
	} {
		hops = nil
		client := newTestSource(t, &script{next: tokens(time.Minute)}, func(c *Config) { c.Origins = tt.origins }).Client(nil)
		resp, err := client.Get(tt.url)
		if tt.fails {
			assert.ErrorIs(t, err, ErrOrigin, tt.name)
		} else if assert.NoError(t, err, tt.name) {
			resp.Body.Close()
		}
		assert.Equal(t, tt.want, hops, tt.name)
	}
}

func TestRedirectsOfABaseThatLeavesRequestUnset(t *testing.T) {
	var seen []string
	client := newTestSource(t, &script{next: tokens(time.Minute)}).Client(&http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		seen = append(seen, r.URL.Path+" "+r.Header.Get("Authorization"))
		if r.URL.Path == "/a" {
			return reply(302, "", "Location", "/b")
		}
		return reply(200, "")
	})})
	get(t, client, "https://api.example/a")
	assert.Equal(t, []string{"/a Bearer token-1", "/b Bearer token-1"}, seen)
}

func TestRefusedTokenIsReplacedAndTheRequestSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := &script{next: tokens(300 * time.Second)}
		source := newTestSource(t, issuer)
		api := &service{accept: func(token string) bool { return token == "token-2" }}
		client := source.Client(&http.Client{Transport: api})
		resp, err := client.Post("https://api.example/", "text/plain", strings.NewReader("payload"))
		require.NoError(t, err)
		assert.Equal(t, 200, resp.StatusCode)
		assert.Equal(t, []string{"Bearer token-1", "Bearer token-2"}, api.seen)
		assert.Equal(t, []string{"payload", "payload"}, api.bodies)
		assert.Equal(t, 2, issuer.count())
	})
}

func TestFiftyParallelRefusalsMakeOneRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := &script{}
		issuer.next = func(n int, r *http.Request) (*http.Response, error) {
			time.Sleep(50 * time.Millisecond)
			return tokens(300*time.Second)(n, r)
		}
		source := newTestSource(t, issuer)
		token(t, source)
		api := &service{accept: func(token string) bool { return token == "token-2" }}
		client := source.Client(&http.Client{Transport: api})
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() { assert.Equal(t, 200, get(t, client, "https://api.example/").StatusCode) })
		}
		time.Sleep(20 * time.Millisecond)
		assert.Equal(t, "token-1", token(t, source), "others keep the old token meanwhile")
		wg.Wait()
		assert.Equal(t, 2, issuer.count())
		assert.Len(t, api.seen, 100)
	})
}

func TestOriginThatRefusesTheReplacementAsksNoMoreForALifetime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := &script{next: tokens(300 * time.Second)}
		source := newTestSource(t, issuer)
		api := &service{accept: func(string) bool { return false }}
		client := source.Client(&http.Client{Transport: api})
		resp, err := client.Get("https://api.example/")
		require.NoError(t, err)
		body, _ := io.ReadAll(resp.Body)
		assert.Equal(t, "refused", string(body), "the 401 as it is")
		assert.Equal(t, 2, issuer.count())

		for range 29 {
			time.Sleep(10 * time.Second)
			assert.Equal(t, 401, get(t, client, "https://api.example/").StatusCode)
		}
		synctest.Wait()
		assert.Equal(t, 3, issuer.count(), "one more, for the token grew old")

		other := &service{accept: func(token string) bool { return token == "token-4" }}
		assert.Equal(t, 200, get(t, source.Client(&http.Client{Transport: other}), "https://other.example/").StatusCode, "another origin may ask")

		time.Sleep(20 * time.Second)
		get(t, client, "https://api.example/")
		assert.Equal(t, 5, issuer.count(), "after a lifetime it may ask again")
	})
}

func TestReplicasThatDisagreeDoNotMakeTheSourceAskForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := &script{next: tokens(300 * time.Second)}
		turn := 0
		api := &service{accept: func(string) bool { turn++; return turn > 2 && turn%2 == 1 }} // token-1 and its replacement are refused, then every other request
		client := newTestSource(t, issuer).Client(&http.Client{Transport: api})
		for range 20 {
			get(t, client, "https://api.example/")
			time.Sleep(10 * time.Second)
		}
		assert.Equal(t, 2, issuer.count())
	})
}

func TestOriginThatAcceptedTheReplacementMayAskAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := &script{next: tokens(300 * time.Second)}
		good := "token-1"
		api := &service{accept: func(token string) bool { return token == good }}
		client := newTestSource(t, issuer).Client(&http.Client{Transport: api})
		for n := 1; n <= 4; n++ { // each is revoked in turn
			good = fmt.Sprintf("token-%d", n)
			assert.Equal(t, 200, get(t, client, "https://api.example/").StatusCode, good)
			time.Sleep(6 * time.Second)
		}
		assert.Equal(t, 4, issuer.count())
	})
}

func TestWhen401sAreReturnedAsTheyAre(t *testing.T) {
	for _, tt := range []struct {
		name      string
		status    int
		challenge string
		policy    func(*http.Response) bool
		body      func() io.Reader
		refreshes bool
		replays   bool
	}{
		{"invalid_token", 401, invalidToken, nil, nil, true, true},
		{"buffer", 401, invalidToken, nil, func() io.Reader { return bytes.NewBufferString("x") }, true, true},
		{"stream", 401, invalidToken, nil, func() io.Reader { return io.MultiReader(strings.NewReader("x")) }, true, false},
		{"no challenge", 401, "", nil, nil, false, false},
		{"another error", 401, `Bearer error="invalid_request"`, nil, nil, false, false},
		{"another scheme", 401, `DPoP error="invalid_token"`, nil, nil, false, false},
		{"403", 403, invalidToken, nil, nil, false, false},
		{"policy", 401, "", func(*http.Response) bool { return true }, nil, true, true},
		{"403 in spite of the policy", 403, "", func(*http.Response) bool { return true }, nil, false, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			issuer := &script{next: tokens(300 * time.Second)}
			sent := 0
			transport := roundTrip(func(r *http.Request) (*http.Response, error) {
				sent++
				if r.Header.Get("Authorization") == "Bearer token-2" {
					return reply(200, "")
				}
				return reply(tt.status, "mine", "WWW-Authenticate", tt.challenge)
			})
			client := newTestSource(t, issuer, func(c *Config) { c.RefreshOn401 = tt.policy }).Client(&http.Client{Transport: transport})
			var body io.Reader
			if tt.body != nil {
				body = tt.body()
			}
			resp, err := client.Post("https://api.example/", "text/plain", body)
			require.NoError(t, err)
			synctest.Wait()
			assert.Equal(t, tt.refreshes, issuer.count() == 2, tt.name)
			assert.Equal(t, tt.replays, sent == 2, tt.name)
			if !tt.replays {
				assert.Equal(t, tt.status, resp.StatusCode, tt.name)
				b, _ := io.ReadAll(resp.Body)
				assert.Equal(t, "mine", string(b), tt.name)
			}
		})
	}
}

func TestFirstAnswerIsKeptUntilAnotherTokenIsInHand(t *testing.T) {
	for name, next := range map[string]func(int, *http.Request) (*http.Response, error){
		"issuer down":  func(int, *http.Request) (*http.Response, error) { return nil, errDown },
		"issuer hangs": hang,
		"the same token": func(int, *http.Request) (*http.Response, error) {
			return reply(200, `{"access_token":"token-1","expires_in":300}`)
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			issuer := &script{next: tokens(300 * time.Second)}
			source := newTestSource(t, issuer)
			token(t, source)
			issuer.next = next
			body := &closeRecorder{Reader: strings.NewReader("mine")}
			client := source.Client(&http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
				resp, err := reply(401, "", "WWW-Authenticate", invalidToken)
				resp.Body = body
				return resp, err
			})})
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			req, err := http.NewRequestWithContext(ctx, "GET", "https://api.example/", nil)
			require.NoError(t, err)
			resp, err := client.Do(req)
			require.NoError(t, err)
			assert.EqualValues(t, 0, body.closed.Load(), name)
			b, _ := io.ReadAll(resp.Body)
			assert.Equal(t, "mine", string(b), name)
			assert.Equal(t, "token-1", token(t, source), "refused, but not withdrawn")
			time.Sleep(10 * time.Second)
		})
	}
}

func TestFirstAnswerIsDrainedAndClosedBeforeTheReplay(t *testing.T) {
	long := strings.NewReader(strings.Repeat("x", 100<<10))
	body := &closeRecorder{Reader: long}
	n := 0
	client := newTestSource(t, &script{next: tokens(time.Minute)}).Client(&http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
		if n++; n == 2 {
			assert.EqualValues(t, 1, body.closed.Load())
			return reply(200, "")
		}
		resp, err := reply(401, "", "WWW-Authenticate", invalidToken)
		resp.Body = body
		return resp, err
	})})
	assert.Equal(t, 200, get(t, client, "https://api.example/").StatusCode)
	assert.Equal(t, 98<<10, long.Len(), "2 KiB are read, no more")
}

func TestNoTokenClosesTheBodyAndSaysWhy(t *testing.T) {
	issuer := &script{next: func(int, *http.Request) (*http.Response, error) { return reply(401, `{"error":"invalid_client"}`) }}
	client := newTestSource(t, issuer).Client(&http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
		t.Error("a request without a token was sent")
		return nil, errors.New("x")
	})})
	body := &closeRecorder{Reader: strings.NewReader("x")}
	_, err := client.Post("https://api.example/", "text/plain", body)
	assert.ErrorIs(t, err, ErrRefused)
	var failed *Error
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, "invalid_client", failed.Code)
	assert.EqualValues(t, 1, body.closed.Load())
}

type idleCloser struct {
	http.RoundTripper
	closed bool
}

func (c *idleCloser) CloseIdleConnections() { c.closed = true }

func TestCloseIdleConnectionsIsForwarded(t *testing.T) {
	base := &idleCloser{}
	source := newTestSource(t, &script{next: tokens(time.Minute)})
	source.Client(&http.Client{Transport: base}).CloseIdleConnections()
	assert.True(t, base.closed)
	source.Client(&http.Client{Transport: roundTrip(nil)}).CloseIdleConnections()
}

func TestUpgradeKeepsItsConnection(t *testing.T) {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, rw, _ := w.(http.Hijacker).Hijack()
		defer conn.Close()
		_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		_ = rw.Flush()
		line, _ := rw.ReadString('\n')
		_, _ = rw.WriteString(r.Header.Get("Authorization") + " " + line)
		_ = rw.Flush()
	}))
	defer api.Close()
	req, err := http.NewRequest("GET", api.URL, nil)
	require.NoError(t, err)
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", "echo")
	resp, err := newTestSource(t, &script{next: tokens(time.Minute)}).Client(nil).Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	conn, ok := resp.Body.(io.ReadWriteCloser)
	require.True(t, ok)
	_, err = io.WriteString(conn, "hello\n")
	require.NoError(t, err)
	echoed, _ := io.ReadAll(conn)
	assert.Equal(t, "Bearer token-1 hello\n", string(echoed))
}
