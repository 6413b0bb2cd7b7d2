package clientcreds

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTokenRequest(t *testing.T) {
	issuer := &script{next: tokens(time.Minute)}
	source := newTestSource(t, issuer, func(c *Config) {
		c.Scopes, c.Resources = []string{"openid", "profile"}, []string{"https://a.example/", "urn:b"}
		c.Params = url.Values{"audience": {"messages-service"}}
	})
	token(t, source)
	sent := issuer.call(0)
	assert.Equal(t, testTokenURL, sent.url)
	assert.Equal(t, url.Values{
		"grant_type": {"client_credentials"}, "scope": {"openid profile"}, "resource": {"https://a.example/", "urn:b"}, "audience": {"messages-service"},
	}, sent.form)
	assert.Equal(t, "application/x-www-form-urlencoded", sent.header.Get("Content-Type"))
	assert.Equal(t, "application/json", sent.header.Get("Accept"))
}

func TestAnswersOfTheTokenEndpoint(t *testing.T) {
	const ok = `{"access_token":"t","expires_in":60}`
	const where = "clientcreds: token endpoint https://issuer.example/token "
	for _, tt := range []struct {
		status    int
		body      string
		header    []string
		permanent bool
		class     Class
		text      string
	}{
		{401, `{"error":"unauthorized_client","error_description":"Invalid client or Invalid client credentials"}`, nil, true, ClassRefused,
			where + `refused the client with 401 unauthorized_client "Invalid client or Invalid client credentials" (next`},
		{400, `{"error":"invalid_scope","error_description":"Invalid scopes: orders"}`, nil, true, ClassRefused, where + `refused the client with 400 invalid_scope "Invalid scopes: orders" (next`},
		{422, `{"error":"invalid_request"}`, nil, true, ClassRefused, where + "refused the client with 422 invalid_request (next"},
		{401, ``, []string{"Www-Authenticate", `Basic realm="x"`}, true, ClassRefused, where + "refused the client with 401 (next"},
		{403, ``, nil, true, ClassRefused, where + "refused the client with 403 (next"},
		{403, `<html>WAF</html>`, []string{"Content-Type", "text/html"}, true, ClassRefused, where + "refused the client with 403 (next"},
		{401, `{"error":"temporarily_unavailable"}`, nil, true, ClassRefused, where + "refused the client with 401 temporarily_unavailable (next"},
		{200, `{"error":"invalid_client"}`, nil, true, ClassRefused, where + "refused the client with 200 invalid_client (next"},

		{404, `{"error":"Realm does not exist"}`, nil, false, ClassStatus, where + "answered 404 (next"}, // a sentence is no code
		{400, `<html>`, []string{"Content-Type", "text/html"}, false, ClassStatus, where + "answered 400 (next"},
		{400, `{"error":"temporarily_unavailable"}`, nil, false, ClassStatus, where + "answered 400 temporarily_unavailable (next"},
		{408, `{"error":"invalid_request"}`, nil, false, ClassStatus, where + "answered 408 invalid_request (next"},
		{429, `{"error":"access_denied"}`, nil, false, ClassStatus, where + "answered 429 access_denied (next"},
		{500, `{"error":"invalid_client"}`, nil, false, ClassStatus, where + "answered 500 invalid_client (next"},
		{503, ``, nil, false, ClassStatus, where + "answered 503 (next"},
		{302, ok, []string{"Location", "https://elsewhere.example/"}, false, ClassStatus, where + "answered 302, a redirect, which is never followed"},
		{307, ok, []string{"Location", "https://elsewhere.example/"}, false, ClassStatus, where + "answered 307, a redirect, which is never followed"},

		{200, `<html>sign in</html>`, []string{"Content-Type", "text/html"}, false, ClassMalformed, where + "answered 200 with a body that is not JSON by its Content-Type (next"},
		{200, ``, nil, false, ClassMalformed, where + "answered 200 with an empty body (next"},
		{204, ``, nil, false, ClassMalformed, where + "answered 204 with an empty body (next"},
		{200, `{"access_token":"t"`, nil, false, ClassMalformed, where + "answered 200 with a body that is not a JSON object (next"},
		{200, `{"token_type":"Bearer"}`, nil, false, ClassMalformed, where + "answered 200 with a body without an access_token (next"},
		{200, `{"access_token":"t","token_type":"DPoP"}`, nil, false, ClassMalformed, where + `answered 200 with a token of type "DPoP", want Bearer (next`},
		{200, `{"access_token":"` + strings.Repeat("t", 1<<20) + `"}`, nil, false, ClassMalformed, strings.TrimSuffix(where, " ") + ": the answer is larger than 1 MiB (next"},
	} {
		issuer := &script{next: func(int, *http.Request) (*http.Response, error) { return reply(tt.status, tt.body, tt.header...) }}
		_, err := newTestSource(t, issuer).Token()
		name := fmt.Sprintf("%d %.60s", tt.status, tt.body)
		require.Error(t, err, name)
		assert.True(t, strings.HasPrefix(err.Error(), tt.text), "%s: %v", name, err)
		assert.Equal(t, tt.permanent, errors.Is(err, ErrRefused), name)
		assert.Equal(t, !tt.permanent, errors.Is(err, ErrUnavailable), name)
		var failed *Error
		require.ErrorAs(t, err, &failed)
		assert.Equal(t, tt.class, failed.Class, name)
		assert.Equal(t, 1, issuer.count(), "%s: the same credential is not sent twice", name)
	}
}

func TestUnreachableEndpoint(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	source, err := New(Config{TokenURL: server.URL + "/token?key=hidden", ClientID: "c", ClientSecret: "s", Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	_, err = source.Token()
	require.ErrorIs(t, err, ErrUnavailable)
	assert.ErrorContains(t, err, "clientcreds: token endpoint "+server.URL+"/token unreachable: connection refused (next attempt in ")
}

func TestBrokenAnswersOnTheWire(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"cut short": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte(`{"access_token":"p1anted`))
		},
		"aborted": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"not HTTP": func(w http.ResponseWriter, _ *http.Request) {
			conn, _, _ := w.(http.Hijacker).Hijack()
			_, _ = conn.Write([]byte("p1anted p1anted p1anted\r\n\r\n"))
			conn.Close()
		},
	} {
		server := httptest.NewServer(handler)
		source, err := New(Config{TokenURL: server.URL, ClientID: "c", ClientSecret: "s", Logger: slog.New(slog.DiscardHandler)})
		require.NoError(t, err)
		_, err = source.Token()
		assert.ErrorIs(t, err, ErrUnavailable, name)
		assert.NotContains(t, err.Error(), "p1anted", name)
		server.Close()
	}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	var reached bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/elsewhere" {
			reached = true
		}
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}))
	defer server.Close()
	source, err := New(Config{TokenURL: server.URL, ClientID: "c", ClientSecret: "s", Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	_, err = source.Token()
	assert.ErrorContains(t, err, "answered 307, a redirect")
	assert.False(t, reached)
}

func TestLifetime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		exp := time.Now().Unix() + 120
		for body, want := range map[string]time.Duration{
			`{"access_token":"t","expires_in":60}`:                                            60 * time.Second,
			`{"access_token":"t","expires_in":"60"}`:                                          60 * time.Second,
			`{"access_token":"t","expires_in":0}`:                                             5 * time.Minute,
			`{"access_token":"t"}`:                                                            5 * time.Minute,
			`{"access_token":"` + jwt(fmt.Sprintf(`{"exp":%d}`, exp)) + `"}`:                  120 * time.Second,
			`{"access_token":"` + jwt(fmt.Sprintf(`{"exp":%d}`, exp)) + `","expires_in":60}`:  60 * time.Second,
			`{"access_token":"` + jwt(`{"exp":1}`) + `"}`:                                     5 * time.Minute,
			`{"access_token":"t","expires_in":60,"refresh_expires_in":0,"refresh_token":"r"}`: 60 * time.Second,
		} {
			asked := time.Now()
			issuer := &script{next: func(int, *http.Request) (*http.Response, error) {
				time.Sleep(0)
				return reply(200, body)
			}}
			tok, err := newTestSource(t, issuer).Token()
			require.NoError(t, err)
			assert.WithinDuration(t, asked.Add(want), tok.Expiry, time.Millisecond, body)
			assert.Empty(t, tok.RefreshToken)
			assert.Nil(t, tok.Extra("id_token"))
		}
	})
}

func TestLifetimeCountsFromBeforeTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := time.Now()
		issuer := &script{next: func(n int, r *http.Request) (*http.Response, error) {
			time.Sleep(3 * time.Second)
			return reply(200, `{"access_token":"t","expires_in":60,"scope":"a b","id_token":"x"}`)
		}}
		tok, err := newTestSource(t, issuer, func(c *Config) { c.DefaultLifetime = time.Hour }).Token()
		require.NoError(t, err)
		assert.Equal(t, asked.Add(60*time.Second).UnixNano(), tok.Expiry.UnixNano())
		assert.Equal(t, "a b", tok.Extra("scope"))
		assert.Nil(t, tok.Extra("id_token"))
	})
}

func TestRefusedCredentialIsReadOnceMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reads := 0
		rotated := func(context.Context) ([]byte, error) {
			reads++
			return fmt.Appendf(nil, "secret-%d", min(reads, 2)), nil
		}
		issuer := &script{next: func(n int, r *http.Request) (*http.Response, error) {
			if _, secret, _ := r.BasicAuth(); secret != "secret-2" {
				return reply(401, `{"error":"unauthorized_client"}`)
			}
			return tokens(time.Minute)(n, r)
		}}
		source := newTestSource(t, issuer, func(c *Config) { c.ClientSecret, c.Auth = "", SecretBasic{Secret: rotated} })
		assert.Equal(t, "token-2", token(t, source))
		assert.Equal(t, 2, reads)

		issuer.next = func(int, *http.Request) (*http.Response, error) { return reply(400, `{"error":"invalid_scope"}`) }
		time.Sleep(time.Minute)
		_, err := source.Token()
		assert.ErrorIs(t, err, ErrRefused)
		assert.Equal(t, 3, reads, "the credential is not to blame")
	})
}

func TestUnreadableCredential(t *testing.T) {
	issuer := &script{next: tokens(time.Minute)}
	source := newTestSource(t, issuer, func(c *Config) { c.ClientSecret, c.Auth = "", SecretPost{Secret: FromEnv("CLIENTCREDS_TEST_UNSET")} })
	_, err := source.Token()
	assert.ErrorIs(t, err, ErrUnavailable)
	assert.ErrorContains(t, err, `clientcreds: the client can't authenticate at token endpoint https://issuer.example/token: environment variable "CLIENTCREDS_TEST_UNSET" is not set (next`)
	assert.Equal(t, 0, issuer.count(), "nothing is sent")
}

func TestDescriptionsDoNotRepeatTheCredential(t *testing.T) {
	const secret = "s3cr3t%+ /:ü\"x"
	escaped := url.QueryEscape(secret)
	basic := base64.StdEncoding.EncodeToString([]byte("c:" + formEncode(secret)))
	for _, echo := range []string{
		secret, strings.ToUpper(secret), escaped, strings.ToLower(escaped), strings.ReplaceAll(escaped, "+", "%20"), url.PathEscape(secret), basic, "Basic " + basic,
		base64.StdEncoding.EncodeToString([]byte(secret)), base64.RawURLEncoding.EncodeToString([]byte(secret)), fmt.Sprintf("%x", secret), secret[:9], "..." + secret[2:11] + "...",
	} {
		for _, auth := range []ClientAuth{SecretBasic{Secret: static(secret)}, SecretPost{Secret: static(secret)}} {
			if _, post := auth.(SecretPost); post && strings.Contains(echo, basic) {
				continue // never sent by this one
			}
			issuer := &script{next: func(int, *http.Request) (*http.Response, error) {
				return reply(400, fmt.Sprintf(`{"error":"invalid_client","error_description":%q}`, "bad credential: "+echo+" sent"))
			}}
			source := newTestSource(t, issuer, func(c *Config) { c.ClientID, c.ClientSecret, c.Auth = "c", "", auth })
			_, err := source.Token()
			var failed *Error
			require.ErrorAs(t, err, &failed)
			assert.Equal(t, "(withheld: it repeats a part of the credential)", failed.Description, "%T %s", auth, echo)
		}
	}
}

func TestDescriptionsAreCleanAndShort(t *testing.T) {
	for _, tt := range []struct{ raw, want string }{
		{"User 'x' disabled", "User 'x' disabled"},
		{"a\r\nlevel=ERROR msg=forged\x1b[31m ü", "a??level=ERROR msg=forged?[31m ?"},
		{strings.Repeat("x", 5000), strings.Repeat("x", 197) + "..."},
		{"", ""},
	} {
		assert.Equal(t, tt.want, describe(tt.raw, []string{"Basic " + base64.StdEncoding.EncodeToString([]byte("client:p1anted-secret"))}))
	}
	assert.True(t, isCode("invalid_client"))
	for _, no := range []string{"", "Not Found", "a\nb", strings.Repeat("a", 65), "a\"b"} {
		assert.False(t, isCode(no), "%q", no)
	}
	e := errorMembers(mustAnswer(`{"error":"p1anted-secret"}`), []string{"p1anted-secret"})
	assert.Empty(t, e.Code, "a code may be an echo, too")
}
