package integration

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	webapp         = "messages-webapp"
	webappSecret   = "messages-webapp-demo-secret"
	webappRedirect = "http://localhost:8080/login/oauth2/code/messages-webapp"
)

var formAction = regexp.MustCompile(`<form[^>]*action="([^"]+)"`)

// authorize goes the way of a browser in which somebody signs in at messages-webapp: authorization code with PKCE (RFC 6749 §4.1, RFC 7636). It returns the
// token request that messages-webapp then makes.
func authorize(t *testing.T, one issuer, realm, user string) url.Values {
	t.Helper()
	verifier := rand.Text() + rand.Text()
	challenge := sha256.Sum256([]byte(verifier))
	page := send(t, http.MethodGet, one.URL(realm)+"/protocol/openid-connect/auth?"+url.Values{
		"response_type": {"code"}, "client_id": {webapp}, "redirect_uri": {webappRedirect}, "scope": {"openid"}, "state": {"the state"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"},
	}.Encode(), "", nil)
	require.Equal(t, http.StatusOK, page.status, "%s", page)
	action := formAction.FindSubmatch(page.body)
	require.NotNil(t, action, "no form: %s", page)

	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, html.UnescapeString(string(action[1])), strings.NewReader(url.Values{
		"username": {user}, "password": {user + "-demo-password"},
	}.Encode()))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, cookie := range (&http.Response{Header: page.header}).Cookies() {
		request.AddCookie(cookie)
	}
	got := do(t, request)
	require.Equal(t, http.StatusFound, got.status, "%s", got)
	location, err := url.Parse(got.header.Get("Location"))
	require.NoError(t, err)
	back := location.Query()
	location.RawQuery = ""
	require.Equal(t, webappRedirect, location.String())
	require.Equal(t, "the state", back.Get("state"))

	return url.Values{
		"grant_type": {"authorization_code"}, "code": {back.Get("code")}, "redirect_uri": {webappRedirect}, "code_verifier": {verifier},
		"client_id": {webapp}, "client_secret": {webappSecret},
	}
}

// signIn returns what the token endpoint answers to a sign-in.
func signIn(t *testing.T, one issuer, realm, user string) answer {
	t.Helper()
	got := send(t, http.MethodPost, one.URL(realm)+tokenPath, "", authorize(t, one, realm, user))
	require.Equal(t, http.StatusOK, got.status, "%s", got)
	return got
}

// person gives the tokens of somebody who signed in.
func person(t *testing.T, one issuer, realm, user string) tokens {
	t.Helper()
	return tokensOf(t, signIn(t, one, realm, user))
}
