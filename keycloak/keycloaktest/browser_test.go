package keycloaktest_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/svcauth/svcauth/keycloak/keycloaktest"
)

// peopleRealm has a client for each way of signing in, and a person for each way of failing to.
const peopleRealm = `{"realm": "people", "displayName": "People & <co>", "enabled": true, "accessTokenLifespan": 60,
  "roles": {"realm": [{"name": "app"}]},
  "clients": [
    {"clientId": "web", "secret": "web-secret", "redirectUris": ["http://localhost:8080/cb", "http://localhost:8080/wild/*"],
     "attributes": {"post.logout.redirect.uris": "http://localhost:8080/##http://localhost:8080/bye"},
     "protocolMappers": [{"protocolMapper": "oidc-usermodel-realm-role-mapper", "config":
       {"claim.name": "realm_access.roles", "id.token.claim": "true"}}]},
    {"clientId": "other", "secret": "other-secret", "redirectUris": ["http://localhost:8080/cb"], "attributes": {"post.logout.redirect.uris": "+"}},
    {"clientId": "spa", "publicClient": true, "redirectUris": ["http://localhost:8080/cb"],
     "attributes": {"pkce.code.challenge.method": "S256", "post.logout.redirect.uris": "-"}},
    {"clientId": "norefresh", "secret": "x", "redirectUris": ["http://localhost:8080/cb"], "attributes": {"use.refresh.tokens": "false"}},
    {"clientId": "noflow", "secret": "x", "standardFlowEnabled": false, "serviceAccountsEnabled": true, "redirectUris": ["http://localhost:8080/cb"]},
    {"clientId": "off", "secret": "x", "enabled": false, "redirectUris": ["http://localhost:8080/cb"]},
    {"clientId": "bearer", "bearerOnly": true},
    {"clientId": "none", "secret": "x"}],
  "users": [
    {"username": "alice", "enabled": true, "email": "alice@example.com", "emailVerified": true, "firstName": "Alice", "lastName": "A",
     "credentials": [{"type": "password", "value": "alice-pw"}], "realmRoles": ["app", "default-roles-people"]},
    {"username": "bob", "enabled": true, "credentials": [{"type": "password", "value": "bob-pw"}]},
    {"username": "gone", "enabled": false, "credentials": [{"type": "password", "value": "gone-pw"}]},
    {"username": "nopw", "enabled": true}]}`

const (
	callback = "http://localhost:8080/cb"
	verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636 appendix B, as its challenge
	pkceS256 = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

func people(t *testing.T) *keycloaktest.Server {
	t.Helper()
	s := keycloaktest.NewServer(keycloaktest.Config{RealmJSON: []byte(peopleRealm)})
	t.Cleanup(s.Close)
	return s
}

// browser keeps cookies and follows no redirect: what it is sent to are often no servers.
type browser struct {
	t      *testing.T
	server *keycloaktest.Server
	http   *http.Client
	page   string // body of the last answer
}

func newBrowser(t *testing.T, s *keycloaktest.Server) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &browser{t: t, server: s, http: &http.Client{
		Jar: jar, Transport: s.Transport(),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// do sends a form, or nil for a GET.
func (b *browser) do(target string, form url.Values, header http.Header) *http.Response {
	b.t.Helper()
	method, body := http.MethodGet, ""
	if form != nil {
		method, body = http.MethodPost, form.Encode()
	}
	req, err := http.NewRequestWithContext(b.t.Context(), method, target, strings.NewReader(body))
	require.NoError(b.t, err)
	for name, values := range header {
		req.Header[name] = values
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := b.http.Do(req)
	require.NoError(b.t, err)
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	require.NoError(b.t, err)
	b.page = string(data)
	return res
}

func (b *browser) endpoint(name string) string {
	return b.server.Issuer() + "/protocol/openid-connect/" + name
}

// edit is a query or form that changes a default one: an empty value removes.
func edit(base url.Values, changes string) url.Values {
	parsed, err := url.ParseQuery(changes)
	if err != nil {
		panic(err)
	}
	for name, values := range parsed {
		if len(values) == 1 && values[0] == "" {
			base.Del(name)
		} else {
			base[name] = values
		}
	}
	return base
}

// authorize asks for a code for client web; changes edits the request.
func (b *browser) authorize(changes string) *http.Response {
	b.t.Helper()
	query := edit(url.Values{
		"response_type": {"code"}, "client_id": {"web"}, "redirect_uri": {callback}, "scope": {"openid"}, "state": {"st"}, "nonce": {"no"},
	}, changes)
	return b.do(b.endpoint("auth")+"?"+query.Encode(), nil, nil)
}

var formAction = regexp.MustCompile(`<form[^>]* action="([^"]*)"`)

// action is where the form of the last page goes.
func (b *browser) action() string {
	b.t.Helper()
	match := formAction.FindStringSubmatch(b.page)
	require.NotNil(b.t, match, b.page)
	return html.UnescapeString(match[1])
}

func (b *browser) fill(username, password string) *http.Response {
	b.t.Helper()
	return b.do(b.action(), url.Values{"username": {username}, "password": {password}}, nil)
}

// signIn brings alice's code, by single sign-on if there is a session.
func (b *browser) signIn(changes string) string {
	b.t.Helper()
	res := b.authorize(changes)
	if res.StatusCode == http.StatusOK {
		res = b.fill("alice", "alice-pw")
	}
	code := parameters(b.t, res).Get("code")
	require.NotEmpty(b.t, code)
	return code
}

// tokens signs alice in at client web.
func (b *browser) tokens() tokens {
	b.t.Helper()
	status, body := b.redeem(b.signIn(""), "")
	require.Equal(b.t, 200, status, body)
	return parse[tokens](b.t, body)
}

type tokens struct {
	Access           string `json:"access_token"`
	ID               string `json:"id_token"`
	Refresh          string `json:"refresh_token"`
	ExpiresIn        int    `json:"expires_in"`
	RefreshExpiresIn int    `json:"refresh_expires_in"`
	SessionState     string `json:"session_state"`
	Scope            string `json:"scope"`
}

// redeem exchanges a code, as client web unless changes say otherwise.
func (b *browser) redeem(code, changes string) (int, string) {
	b.t.Helper()
	return b.token(edit(url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "client_id": {"web"}, "client_secret": {"web-secret"},
	}, changes))
}

func (b *browser) refresh(token, changes string) (int, string) {
	b.t.Helper()
	return b.token(edit(url.Values{
		"grant_type": {"refresh_token"}, "refresh_token": {token}, "client_id": {"web"}, "client_secret": {"web-secret"},
	}, changes))
}

// token asks as a client does: without the browser's cookies.
func (b *browser) token(form url.Values) (int, string) {
	b.t.Helper()
	client := newBrowser(b.t, b.server)
	res := client.do(b.endpoint("token"), form, nil)
	assert.Equal(b.t, "no-store", res.Header.Get("Cache-Control"))
	return res.StatusCode, client.page
}

// userinfo returns the status with the challenge or the body.
func (b *browser) userinfo(token string) (int, string) {
	b.t.Helper()
	client := newBrowser(b.t, b.server)
	res := client.do(b.endpoint("userinfo"), nil, http.Header{"Authorization": {"Bearer " + token}})
	if res.StatusCode == http.StatusOK {
		return res.StatusCode, client.page
	}
	assert.Empty(b.t, client.page)
	return res.StatusCode, res.Header.Get("WWW-Authenticate")
}

// parameters are those of the redirect that an answer is.
func parameters(t *testing.T, res *http.Response) url.Values {
	t.Helper()
	require.Equal(t, http.StatusFound, res.StatusCode)
	location, err := url.Parse(res.Header.Get("Location"))
	require.NoError(t, err)
	return location.Query()
}

func parse[T any](t *testing.T, body string) T {
	t.Helper()
	var into T
	require.NoError(t, json.Unmarshal([]byte(body), &into), body)
	return into
}

// claims decodes a part of a token: 0 is the header, 1 the claims.
func claims(t *testing.T, token string, part int) map[string]any {
	t.Helper()
	segments := strings.Split(token, ".")
	require.Len(t, segments, 3)
	data, err := base64.RawURLEncoding.DecodeString(segments[part])
	require.NoError(t, err)
	return parse[map[string]any](t, string(data))
}

func TestVerifierFitsTheChallenge(t *testing.T) {
	sum := sha256.Sum256([]byte(verifier))
	assert.Equal(t, pkceS256, base64.RawURLEncoding.EncodeToString(sum[:]))
}
