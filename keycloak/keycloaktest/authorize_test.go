package keycloaktest_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every answer is that of Keycloak 26.7.4 to the same request.
func TestAuthorizationRequestsShownToThePerson(t *testing.T) {
	s := people(t)
	const invalid, redirect = "Invalid Request", "Invalid parameter: redirect_uri"
	for _, c := range []struct {
		name, changes string
		status        int
		message       string
	}{
		{"no client", "client_id=", 400, invalid},
		{"repeated client", "client_id=web&client_id=web", 400, invalid},
		{"unknown client", "client_id=nope", 400, "Client not found."},
		{"disabled client", "client_id=off", 400, "Client disabled."},
		{"bearer-only client", "client_id=bearer", 403, "Bearer-only applications are not allowed to initiate browser login"},
		{"client without redirect URIs", "client_id=none", 400, redirect},
		{"request object", "request=abc", 400, invalid},
		{"request object by reference", "request_uri=https://a.example/x", 400, invalid},
		{"max_age is no number", "max_age=x", 400, invalid},
		{"max_age is negative", "max_age=-2", 400, invalid},
		{"max_age and a bad redirect URI", "max_age=x&redirect_uri=http://evil.example/", 400, invalid},
		{"no redirect URI", "redirect_uri=", 400, redirect},
		{"other host", "redirect_uri=http://evil.example/cb", 400, redirect},
		{"other path", "redirect_uri=http://localhost:8080/other", 400, redirect},
		{"slash at the end", "redirect_uri=http://localhost:8080/cb/", 400, redirect},
		{"query added", "redirect_uri=http://localhost:8080/cb?x=1", 400, redirect},
		{"other port", "redirect_uri=http://localhost:8081/cb", 400, redirect},
		{"repeated, the first one is bad", "redirect_uri=http://evil.example/&redirect_uri=" + callback, 400, redirect},
		{"script", "redirect_uri=javascript:alert(1)", 400, redirect},
		{"bad redirect URI and response type", "redirect_uri=http://evil.example/&response_type=x", 400, redirect},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBrowser(t, s)
			res := b.authorize(c.changes)
			assert.Equal(t, c.status, res.StatusCode)
			assert.Empty(t, res.Header.Get("Location"))
			assert.Equal(t, "text/html;charset=utf-8", res.Header.Get("Content-Type"))
			assert.Contains(t, b.page, "We are sorry...")
			assert.Contains(t, b.page, ">"+c.message+"<")
			assert.NotContains(t, b.page, "evil.example")
		})
	}
}

func TestAuthorizationErrorsGoToTheClient(t *testing.T) {
	s := people(t)
	const flow = "Client is not allowed to initiate browser login with given response_type. Standard flow is disabled for the client."
	const challenge = "&code_challenge=" + pkceS256
	for _, c := range []struct{ name, changes, code, description string }{
		{"no response type", "response_type=", "invalid_request", "Missing parameter: response_type"},
		{"unknown response type", "response_type=magic", "unsupported_response_type", ""},
		{"unknown response mode", "response_mode=magic", "invalid_request", "Invalid parameter: response_mode"},
		{"standard flow off", "client_id=noflow", "unauthorized_client", flow},
		{"standard flow off, before scope", "client_id=noflow&scope=orders", "unauthorized_client", flow},
		{"repeated scope", "scope=openid&scope=profile", "invalid_request", "duplicated parameter"},
		{"repeated unknown parameter", "a=1&a=2", "invalid_request", "duplicated parameter"},
		{"repeated redirect URI, the first one is good", "redirect_uri=" + callback + "&redirect_uri=http://evil.example/", "invalid_request", "duplicated parameter"},
		{"repeated, before scope and PKCE", "client_id=spa&scope=orders&a=1&a=2", "invalid_request", "duplicated parameter"},
		{"unknown scope", "scope=openid+orders", "invalid_scope", "Invalid scopes: openid orders"},
		{"markup in the scope", "scope=openid+<x>\"%26%09", "invalid_scope", `Invalid scopes: openid <x>"&`},
		{"unknown scope, before PKCE", "client_id=spa&scope=orders", "invalid_scope", "Invalid scopes: orders"},
		{"nobody signed in", "prompt=none", "login_required", ""},

		{"PKCE required, none", "client_id=spa", "invalid_request", "Missing parameter: code_challenge_method"},
		{"PKCE required, no method", "client_id=spa" + challenge, "invalid_request", "Missing parameter: code_challenge_method"},
		{"PKCE required, plain", "client_id=spa&code_challenge_method=plain" + challenge, "invalid_request",
			"Invalid parameter: code challenge method is not matching the configured one"},
		{"PKCE required, no challenge", "client_id=spa&code_challenge_method=S256", "invalid_request", "Missing parameter: code_challenge"},
		{"PKCE required, short", "client_id=spa&code_challenge_method=S256&code_challenge=abc", "invalid_request", "Invalid parameter: code_challenge"},
		{"PKCE required, odd character", "client_id=spa&code_challenge_method=S256&code_challenge=!" + pkceS256, "invalid_request",
			"Invalid parameter: code_challenge"},
		{"PKCE, unknown method", "code_challenge_method=S512" + challenge, "invalid_request", "Invalid parameter: code_challenge_method"},
		{"PKCE, method in lower case", "code_challenge_method=s256" + challenge, "invalid_request", "Invalid parameter: code_challenge_method"},
		{"PKCE, method alone", "code_challenge_method=S256", "invalid_request", "Missing parameter: code_challenge"},
		{"PKCE, short", "code_challenge=abc", "invalid_request", "Invalid parameter: code_challenge"},
		{"PKCE, long", "code_challenge_method=S256&code_challenge=" + strings.Repeat("a", 129), "invalid_request", "Invalid parameter: code_challenge"},
	} {
		t.Run(c.name, func(t *testing.T) {
			res := newBrowser(t, s).authorize(c.changes)
			assert.True(t, strings.HasPrefix(res.Header.Get("Location"), callback+"?error="), res.Header.Get("Location"))
			want := url.Values{"error": {c.code}, "state": {"st"}, "iss": {s.Issuer()}}
			if c.description != "" {
				want.Set("error_description", c.description)
			}
			assert.Equal(t, want, parameters(t, res))
		})
	}
}

func TestAuthorizationResponse(t *testing.T) {
	s := people(t)
	iss := "iss=" + url.QueryEscape(s.Issuer())
	for _, c := range []struct{ name, changes, location string }{
		{"state as it came", "state=a+b%26c%3Dd%23e\"<ü>", callback + "?error=login_required&state=a+b%26c%3Dd%23e%22%3C%C3%BC%3E&" + iss},
		{"no state", "state=", callback + "?error=login_required&" + iss},
		{"redirect URI with a query", "redirect_uri=http://localhost:8080/wild/a?b=c", "http://localhost:8080/wild/a?b=c&error=login_required&state=st&" + iss},
		{"redirect URI with a fragment", "redirect_uri=http://localhost:8080/wild/a%23f", "http://localhost:8080/wild/a?error=login_required&state=st&" + iss + "#f"},
		{"fragment", "response_mode=fragment", callback + "#error=login_required&state=st&" + iss},
	} {
		t.Run(c.name, func(t *testing.T) {
			res := newBrowser(t, s).authorize("prompt=none&" + c.changes)
			require.Equal(t, http.StatusFound, res.StatusCode)
			assert.Equal(t, c.location, res.Header.Get("Location"))
			assert.Equal(t, "no-store, must-revalidate, max-age=0", res.Header.Get("Cache-Control"))
		})
	}
}

func TestAuthorizationEndpointMethods(t *testing.T) {
	s := people(t)
	b := newBrowser(t, s)
	good := url.Values{"response_type": {"code"}, "client_id": {"web"}, "redirect_uri": {callback}}
	assert.Equal(t, 200, b.do(b.endpoint("auth"), good, nil).StatusCode)
	assert.Contains(t, b.page, "kc-login")
	assert.Equal(t, 400, b.do(b.endpoint("auth")+"?"+good.Encode(), url.Values{}, nil).StatusCode, "a POST's query is not read")
	assert.Equal(t, 400, b.do(b.endpoint("auth")+"?"+good.Encode()+"&x=%zz", nil, nil).StatusCode)
	req, err := http.NewRequest(http.MethodPut, b.endpoint("auth")+"?"+good.Encode(), nil)
	require.NoError(t, err)
	res, err := b.http.Do(req)
	require.NoError(t, err)
	assert.Equal(t, 405, res.StatusCode)
}
