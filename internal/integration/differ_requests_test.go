package integration

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func (d *differ) documents(t *testing.T) {
	for _, place := range []string{"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"} {
		real, embedded := d.both(t, "discovery", http.MethodGet, sivalabs, place, nil, "")
		r := here(theKeycloak, sivalabs, decode(t, real.body)).(object)
		e := here(theEmbedded, sivalabs, decode(t, embedded.body)).(object)
		for _, name := range []string{"issuer", "token_endpoint", "jwks_uri", "grant_types_supported", "token_endpoint_auth_methods_supported", "scopes_supported"} {
			assert.Contains(t, e, name)
		}
		for name, value := range e { // what the embedded realm claims, Keycloak can
			if list, ok := value.([]any); ok {
				assert.Subset(t, r[name], list, name)
			}
		}
		d.members("discovery", r, e, func(_ string, value any) any { return unordered(value) })
	}

	real, embedded := d.both(t, "keys", http.MethodGet, sivalabs, "/protocol/openid-connect/certs", nil, "")
	r, e := decode(t, real.body), decode(t, embedded.body)
	realKeys, embeddedKeys := r["keys"].([]any), e["keys"].([]any)
	byUse := func(a, b any) int {
		return strings.Compare(fmt.Sprint(a.(object)["use"]), fmt.Sprint(b.(object)["use"]))
	}
	slices.SortFunc(realKeys, byUse) // the order differs from one Keycloak to the next
	slices.SortFunc(embeddedKeys, byUse)
	require.Len(t, realKeys, 2)
	require.Len(t, embeddedKeys, 2)
	delete(r, "keys")
	delete(e, "keys")
	d.members("keys", r, e, func(_ string, value any) any { return value })
	for i := range realKeys {
		d.members("key", realKeys[i].(object), embeddedKeys[i].(object), func(name string, value any) any {
			if slices.Contains([]string{"kid", "n", "x5c", "x5t", "x5t#S256"}, name) {
				return shape(value)
			}
			return value
		})
	}
	for _, c := range []struct{ name, method, path string }{
		{"discovery HEAD", http.MethodHead, "/.well-known/openid-configuration"},
		{"discovery POST", http.MethodPost, "/.well-known/openid-configuration"},
		{"keys HEAD", http.MethodHead, "/protocol/openid-connect/certs"},
		{"keys POST", http.MethodPost, "/protocol/openid-connect/certs"},
		{"OPTIONS keys", http.MethodOptions, "/protocol/openid-connect/certs"},
		{"unknown path", http.MethodGet, "/nope"},
	} {
		real, embedded := d.both(t, c.name, c.method, sivalabs, c.path, nil, "")
		d.bodies(c.name, real, embedded)
	}
	real, embedded = d.both(t, "unknown realm", http.MethodGet, "nope", "/.well-known/openid-configuration", nil, "")
	d.bodies("unknown realm", real, embedded)
}

// tokenEndpoint sends requests to both token endpoints, and compares what they say: the tokens by their claims, errors as they are.
func (d *differ) tokenEndpoint(t *testing.T) {
	const form = "application/x-www-form-urlencoded"
	const grant = "grant_type=client_credentials"
	const byForm = grant + "&client_id=archival-service&client_secret=" + jobSecret
	basic := func(id, secret string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
	}
	escaped := func(id, secret string) string { return basic(url.QueryEscape(id), url.QueryEscape(secret)) }
	good := basic("archival-service", jobSecret)
	wrong := basic("archival-service", "wrong")

	for _, c := range []struct{ name, authorization, contentType, body string }{
		{"token, Basic", good, form, grant},
		{"token, form", "", form, byForm},
		{"token, scope openid", good, form, grant + "&scope=openid"},
		{"token, scope openid profile", good, form, grant + "&scope=openid+profile"},
		{"token, scope profile", good, form, grant + "&scope=profile"},
		{"token, scope of blanks", good, form, grant + "&scope=++"},
		{"token, lower-case scheme", strings.Replace(good, "Basic", "basic", 1), form, grant},
		{"token, content type with charset", good, form + "; charset=UTF-8", grant},
		{"token, resource and audience", good, form, grant + "&resource=https://a.example&audience=nope"},
		{"token, bad header and good form", "Basic !!!", form, byForm},
		{"token, Bearer header and good form", "Bearer abc", form, byForm},
		{"token, wrong header and good form", wrong, form, byForm},

		{"wrong secret", wrong, form, grant},
		{"wrong secret in the form", "", form, grant + "&client_id=archival-service&client_secret=wrong"},
		{"empty secret", basic("archival-service", ""), form, grant},
		{"no secret", "", form, grant + "&client_id=archival-service"},
		{"unknown client", basic("nobody", "x"), form, grant},
		{"unknown client in the form", "", form, grant + "&client_id=nobody&client_secret=x"},
		{"no client", "", form, grant},
		{"only a secret", "", form, grant + "&client_secret=x"},
		{"empty client", basic("", "x"), form, grant},
		{"Basic not base64", "Basic !!!", form, grant},
		{"Basic without colon", "Basic YWJj", form, grant},
		{"Basic empty", "Basic ", form, grant},
		{"Basic bad percent", basic("archival-service", "50%"), form, grant},
		{"a Bearer header", "Bearer abc", form, grant},
		{"good header and wrong form", good, form, grant + "&client_id=archival-service&client_secret=wrong"},
		{"good header and another client", good, form, grant + "&client_id=messages-webapp"},
		{"no service account", basic("messages-webapp", "messages-webapp-demo-secret"), form, grant},
		{"bearer-only client", basic("messages-service", ""), form, grant},

		{"no grant type", good, form, "scope=openid"},
		{"no grant type, no client", "", form, "scope=openid"},
		{"empty grant type", good, form, "grant_type="},
		{"unknown grant type", good, form, "grant_type=magic"},
		{"unknown grant type, wrong secret", wrong, form, "grant_type=magic"},
		{"grant type in another case", good, form, "grant_type=Client_Credentials"},
		{"other grant password", good, form, "grant_type=password"},
		{"other grant authorization_code", good, form, "grant_type=authorization_code"},
		{"other grant refresh_token", good, form, "grant_type=refresh_token"},
		{"other grant token-exchange", good, form, "grant_type=urn:ietf:params:oauth:grant-type:token-exchange"},
		{"other grant jwt-bearer", good, form, "grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer"},

		{"unknown scope", good, form, grant + "&scope=orders"},
		{"unknown scope beside others", good, form, grant + "&scope=openid+orders+stock"},
		{"empty scope", good, form, grant + "&scope="},
		{"scope in another case", good, form, grant + "&scope=Profile"},
		{"scope with markup", good, form, grant + "&scope=%22%3Cx%3E%22"},
		{"scope with a tab", good, form, grant + "&scope=a%09b"},
		{"optional scope that the client does not have", good, form, grant + "&scope=offline_access"},

		{"grant type twice", good, form, grant + "&" + grant},
		{"scope twice", good, form, grant + "&scope=openid&scope=profile"},
		{"client twice", good, form, grant + "&client_id=archival-service&client_id=archival-service"},
		{"unknown parameter twice", good, form, grant + "&x=1&x=2"},
		{"twice and wrong secret", wrong, form, grant + "&" + grant},
		{"JSON", good, "application/json", `{"grant_type":"client_credentials"}`},
		{"text", good, "text/plain", grant},
		{"no content type", good, "", grant},
		{"multipart", good, "multipart/form-data; boundary=x", "x"},
		{"content type unreadable", good, "///", grant},
		{"bad percent in the form", good, form, grant + "&x=%zz"},
		{"a body of 200 kB", good, form, grant + "&x=" + strings.Repeat("a", 200_000)},
		{"many parameters", good, form, grant + manyParameters()},
	} {
		header := http.Header{}
		if c.authorization != "" {
			header.Set("Authorization", c.authorization)
		}
		if c.contentType != "" {
			header.Set("Content-Type", c.contentType)
		}
		real, embedded := d.both(t, c.name, http.MethodPost, sivalabs, tokenPath, header, c.body)
		d.answers(t, c.name, sivalabs, real, embedded)
		wantToken := strings.HasPrefix(c.name, "token, ")
		if !strings.HasPrefix(c.name, "many") {
			assert.Equal(t, wantToken, real.status == http.StatusOK, "%s: %s", c.name, real)
		}
	}
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete, http.MethodOptions} {
		real, embedded := d.both(t, method+" token", method, sivalabs, tokenPath, http.Header{"Content-Type": {form}, "Authorization": {good}}, "")
		d.bodies(method+" token", real, embedded)
	}
	// The kinds of clients that the realm of the examples does not have.
	for _, c := range []struct{ name, authorization, body string }{
		{"token, service account with default roles", basic("as-nobody", "secret"), grant},
		{"token, admin", basic("as-admin", "secret"), grant + "&scope=openid"},
		{"token, optional scopes", basic("as-admin", "secret"), grant + "&scope=address+microprofile-jwt"},
		{"token, no scope roles", basic("no-roles-scope", "secret"), grant},
		{"token, lifespan of the client", basic("ten%20seconds", "secret"), grant},
		{"token, odd secret", escaped("odd name", oddSecret), grant},
		{"odd secret not encoded", basic("odd name", oddSecret), grant},
		{"disabled", basic("disabled", "secret"), grant},
		{"disabled, wrong secret", basic("disabled", "wrong"), grant},
		{"no account", basic("no-account", "secret"), grant},
		{"no account, wrong secret", basic("no-account", "wrong"), grant},
		{"public", "", grant + "&client_id=public"},
		{"public with a secret", basic("public", "secret"), grant},
	} {
		header := http.Header{"Content-Type": {form}}
		if c.authorization != "" {
			header.Set("Authorization", c.authorization)
		}
		real, embedded := d.both(t, c.name, http.MethodPost, wide, tokenPath, header, c.body)
		d.answers(t, c.name, wide, real, embedded)
		assert.Equal(t, strings.HasPrefix(c.name, "token, "), real.status == http.StatusOK, "%s: %s", c.name, real)
	}
	real, embedded := d.both(t, "unknown realm, token", http.MethodPost, "nope", tokenPath, http.Header{"Content-Type": {form}, "Authorization": {good}}, grant)
	d.bodies("unknown realm, token", real, embedded)
}

func manyParameters() string {
	var b strings.Builder
	for i := range 1200 {
		fmt.Fprintf(&b, "&p%d=1", i)
	}
	return b.String()
}
