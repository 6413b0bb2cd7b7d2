package endpoint

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestClientIsACopyWithBounds(t *testing.T) {
	jar, _ := cookiejar.New(nil)
	base := &http.Client{Jar: jar}
	c := Client(base)
	assert.Equal(t, Timeout, c.Timeout)
	assert.Nil(t, c.Jar)
	assert.NotNil(t, base.Jar)
	assert.Nil(t, base.CheckRedirect)
	assert.Equal(t, time.Minute, Client(&http.Client{Timeout: time.Minute}).Timeout)
	assert.Equal(t, Timeout, Client(nil).Timeout)
	assert.Zero(t, http.DefaultClient.Timeout)
}

func TestRedirectsAreAnswers(t *testing.T) {
	hits := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits++
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	}))
	defer server.Close()
	answer, err := Get(t.Context(), Client(nil), server.URL)
	require.NoError(t, err)
	assert.Equal(t, 302, answer.Status)
	assert.Equal(t, 1, hits)
}

func TestAnswersAreBounded(t *testing.T) {
	for size, fits := range map[int]bool{0: true, MaxBody: true, MaxBody + 1: false} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, strings.Repeat("x", size)) }))
		answer, err := Get(t.Context(), Client(nil), server.URL)
		if fits {
			require.NoError(t, err)
			assert.Len(t, answer.Body, size)
		} else {
			var e *Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, TooLarge, e.Class)
			assert.Equal(t, strings.TrimPrefix(server.URL, "http://")+": the answer is larger than 1 MiB", err.Error())
		}
		server.Close()
	}
}

type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) { e.read += len(p); return len(p), nil }

func (e *endless) Close() error { return nil }

func TestEndlessAnswerIsGivenUp(t *testing.T) {
	body := &endless{}
	client := Client(&http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
		if body.read > 0 {
			t.Error("asked twice")
		}
		return &http.Response{StatusCode: 200, Body: io.NopCloser(io.LimitReader(body, 4*MaxBody)), Header: http.Header{}}, nil
	})})
	_, err := Get(t.Context(), client, "https://issuer.example/")
	var e *Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, TooLarge, e.Class)
	assert.LessOrEqual(t, body.read, MaxBody+1)
}

func TestJSON(t *testing.T) {
	for contentType, want := range map[string]bool{
		"": true, "application/json": true, "Application/JSON; charset=utf-8": true, "application/jwk-set+json": true,
		"application/json; charset=utf-8; charset=utf-8": true, "application/json; charset": true, "application/json;": true,
		"text/html": false, "text/plain": false, "application/jsonp": false, ";": false,
	} {
		h := http.Header{}
		if contentType != "" {
			h.Set("Content-Type", contentType)
		}
		assert.Equal(t, want, (&Answer{Header: h}).JSON(), "%q", contentType)
	}
}

func TestDeadlineHoldsForTheBodyToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		client := Client(&http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			body, w := io.Pipe() // never written to
			context.AfterFunc(r.Context(), func() { w.CloseWithError(r.Context().Err()) })
			return &http.Response{StatusCode: 200, Body: body, Header: http.Header{}}, nil
		})})
		_, err := Get(t.Context(), client, "https://issuer.example/")
		var e *Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, TimedOut, e.Class)
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, Timeout, time.Since(began))
	})
}

func TestErrorsSayTheClassAndNothingOfTheAnswer(t *testing.T) {
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	closed := httptest.NewServer(nil)
	closed.Close()
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	secure.Config.ErrorLog = nil
	guarded := httptest.NewUnstartedServer(http.NotFoundHandler())
	guarded.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS13}
	guarded.Config.ErrorLog = log.New(io.Discard, "", 0)
	guarded.StartTLS()
	defer guarded.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	odd := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, _ := w.(http.Hijacker).Hijack()
		_, _ = io.WriteString(conn, "HTTP/1.1 p1anted\r\np1anted\r\n\r\n")
		conn.Close()
	}))
	defer odd.Close()
	failing := func(err error) *http.Client {
		return Client(&http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) { return nil, err })})
	}
	for _, tt := range []struct {
		name   string
		ctx    context.Context
		client *http.Client
		url    string
		class  Class
		detail string
	}{
		{"refused", t.Context(), Client(nil), closed.URL, Refused, "connection refused"},
		{"canceled", canceled, Client(nil), plain.URL, Canceled, "canceled"},
		{"dns", t.Context(), failing(&net.DNSError{Err: "p1anted"}), "https://a.example", DNS, "the host name can't be resolved"},
		{"timeout", t.Context(), failing(&net.DNSError{IsTimeout: true}), "https://a.example", TimedOut, "no answer in time"},
		{"unknown authority", t.Context(), Client(nil), secure.URL, TLS, "its certificate is signed by an unknown authority"},
		{"no client certificate", t.Context(), Client(guarded.Client()), guarded.URL, TLS, "it broke the TLS handshake off: it may not accept the client's certificate"},
		{"no TLS", t.Context(), Client(nil), strings.Replace(plain.URL, "http:", "https:", 1), TLS, "it answers plain http on this port, not https"},
		{"dial", t.Context(), failing(&net.OpError{Op: "dial", Err: errors.New("p1anted")}), "https://a.example", Network, "can't connect"},
		{"malformed", t.Context(), Client(nil), odd.URL, Network, "no usable answer (connection broken or not HTTP)"},
		{"anything else", t.Context(), failing(errors.New("p1anted")), "https://a.example", Network, "no usable answer (connection broken or not HTTP)"},
	} {
		_, err := Get(tt.ctx, tt.client, tt.url)
		var e *Error
		if assert.ErrorAs(t, err, &e, tt.name) {
			assert.Equal(t, tt.class, e.Class, tt.name)
			assert.Equal(t, tt.detail, e.Detail(), tt.name)
			assert.NotContains(t, err.Error(), "p1anted", tt.name)
		}
	}
	_, err := Get(t.Context(), Client(nil), "://")
	assert.EqualError(t, err, "the request can't be made")
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, tt := range []struct {
		value, date string
		want        time.Duration
	}{
		{"", "", 0}, {"7", "", 7 * time.Second}, {" 7 ", "", 7 * time.Second}, {"-7", "", 0}, {"soon", "", 0},
		{"99999999999", "", (1<<31 - 1) * time.Second}, {"99999999999999999999", "", (1<<31 - 1) * time.Second}, // not soon, whatever it means
		{"Fri, 02 Jan 2026 03:04:15 GMT", "", 10 * time.Second},
		{"Fri, 02 Jan 2026 03:04:00 GMT", "", 0},
		{"Fri, 02 Jan 2026 04:04:15 GMT", "Fri, 02 Jan 2026 04:04:05 GMT", 10 * time.Second}, // the issuer's clock is an hour ahead
	} {
		a := &Answer{Header: http.Header{"Retry-After": {tt.value}, "Date": {tt.date}}}
		assert.Equal(t, tt.want, a.RetryAfter(now), "%q", tt.value)
	}
}
