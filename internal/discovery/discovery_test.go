package discovery

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/svcauth/svcauth/internal/endpoint"
)

// places answers by URL; what is not there is a 404.
type places map[string]place

type place struct {
	status int
	body   string
}

func (p places) client(asked *[]string) *http.Client {
	return endpoint.Client(&http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		*asked = append(*asked, r.URL.String())
		found, ok := p[r.URL.String()]
		if !ok {
			found = place{404, ""}
		}
		if found.status == 0 {
			return nil, errors.New(found.body)
		}
		return &http.Response{StatusCode: found.status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(found.body))}, nil
	})})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestURLs(t *testing.T) {
	for issuer, want := range map[string][]string{
		"https://a.example":           {"https://a.example/.well-known/openid-configuration", "https://a.example/.well-known/oauth-authorization-server"},
		"https://a.example/":          {"https://a.example/.well-known/openid-configuration", "https://a.example/.well-known/oauth-authorization-server"},
		"https://a.example/realms/b":  {"https://a.example/realms/b/.well-known/openid-configuration", "https://a.example/.well-known/oauth-authorization-server/realms/b"},
		"https://a.example/realms/b/": {"https://a.example/realms/b/.well-known/openid-configuration", "https://a.example/.well-known/oauth-authorization-server/realms/b"},
		"https://a.example/x%2Fy?v=1": {"https://a.example/x%2Fy/.well-known/openid-configuration?v=1", "https://a.example/.well-known/oauth-authorization-server/x%2Fy?v=1"},
	} {
		u, err := url.Parse(issuer)
		require.NoError(t, err)
		assert.Equal(t, want, URLs(u), issuer)
	}
}

const (
	issuer = "https://a.example/realms/b"
	oidc   = issuer + "/.well-known/openid-configuration"
	oauth  = "https://a.example/.well-known/oauth-authorization-server/realms/b"
	full   = `{"issuer":"` + issuer + `","token_endpoint":"https://a.example/token","jwks_uri":"https://keys.example/certs","introspection_endpoint":"https://a.example/introspect",
		"token_endpoint_auth_methods_supported":["private_key_jwt"],"mtls_endpoint_aliases":{"token_endpoint":"https://mtls.example/token"},"x":{"y":[1]}}`
)

func TestFetch(t *testing.T) {
	want := &Document{
		Issuer: issuer, TokenEndpoint: "https://a.example/token", JWKSURI: "https://keys.example/certs", AuthMethods: []string{"private_key_jwt"},
		MTLSTokenEndpoint: "https://mtls.example/token", faults: map[string]string{},
	}
	for name, tt := range map[string]struct {
		places places
		asked  []string
	}{
		"the first place":               {places{oidc: {200, full}, oauth: {200, "{}"}}, []string{oidc}},
		"the second, after a 404":       {places{oauth: {200, full}}, []string{oidc, oauth}},
		"the second, after a sign-in":   {places{oidc: {302, ""}, oauth: {200, full}}, []string{oidc, oauth}},
		"the second, after another 4xx": {places{oidc: {400, "<html>"}, oauth: {200, full}}, []string{oidc, oauth}},
	} {
		var asked []string
		got, err := Fetch(t.Context(), tt.places.client(&asked), issuer, nil)
		require.NoError(t, err, name)
		assert.Equal(t, want, got, name)
		assert.Equal(t, tt.asked, asked, name)
	}
}

func TestFetchFails(t *testing.T) {
	for _, tt := range []struct {
		name   string
		places places
		reason Reason
		text   string
		asked  int
	}{
		{"nowhere", places{}, Unreachable, "discovery at " + oidc + ": status 404", 2},
		{"down", places{oidc: {503, ""}, oauth: {200, full}}, Unreachable, "discovery at " + oidc + ": status 503", 1},
		{"too many", places{oidc: {429, ""}, oauth: {200, full}}, Unreachable, "status 429", 1},
		{"moved", places{oidc: {302, ""}}, Unreachable, "discovery at " + oidc + ": status 302, a redirect, which is never followed", 2},
		{"no answer", places{oidc: {0, "p1anted"}, oauth: {200, full}}, Unreachable, "discovery at " + oidc + ": a.example: no usable answer", 1},
		{"HTML", places{oidc: {200, "<html>p1anted"}, oauth: {200, full}}, Malformed, "discovery at " + oidc + ": the answer is not a metadata document", 1},
		{"an array", places{oidc: {200, `["p1anted"]`}}, Malformed, "is not a metadata document", 1},
		{"bad UTF-8", places{oidc: {200, "{\"issuer\":\"\xff\"}"}}, Malformed, "is not a metadata document", 1},
		{"issuer of the wrong type", places{oidc: {200, `{"issuer":7}`}}, WrongIssuer, `is for issuer ""`, 1},
		{"issuer in upper case", places{oidc: {200, `{"ISSUER":"` + issuer + `"}`}}, WrongIssuer, `is for issuer ""`, 1},
		{"no issuer", places{oidc: {200, `{}`}}, WrongIssuer, `is for issuer "", configured is "` + issuer + `"`, 1},
		{"a slash more", places{oidc: {200, `{"issuer":"` + issuer + `/"}`}}, WrongIssuer, "set Issuer to exactly what the issuer calls itself", 1},
		{"many tenants", places{oidc: {200, `{"issuer":"https://a.example/{tenantid}/v2.0"}`}}, WrongIssuer, "set Issuer to that of one tenant", 1},
		{"long issuer", places{oidc: {200, `{"issuer":"` + strings.Repeat("x", 10_000) + `"}`}}, WrongIssuer, `xxx…", configured`, 1},
	} {
		var asked []string
		_, err := Fetch(t.Context(), tt.places.client(&asked), issuer, nil)
		var failed *Error
		if assert.ErrorAs(t, err, &failed, tt.name) {
			assert.Equal(t, tt.reason, failed.Reason, tt.name)
			assert.ErrorContains(t, err, tt.text, tt.name)
			assert.NotContains(t, err.Error(), "p1anted", tt.name)
			assert.Less(t, len(err.Error()), 600, tt.name)
		}
		assert.Len(t, asked, tt.asked, tt.name)
	}
	_, err := Fetch(t.Context(), http.DefaultClient, "http://a.example", nil)
	assert.ErrorContains(t, err, "plain http")
	_, err = Fetch(t.Context(), http.DefaultClient, oidc, nil)
	assert.ErrorContains(t, err, "cut it off before /.well-known/")
}

// TestBadEndpoints holds that an endpoint which breaks the rules is not used, and costs nobody the others.
func TestBadEndpoints(t *testing.T) {
	for _, tt := range []struct{ name, member, text string }{
		{"token_endpoint", `"token_endpoint":"http://a.example/token"`, `its token_endpoint "http://a.example/token" may not be used`},
		{"token_endpoint", `"token_endpoint":7`, `its token_endpoint "" may not be used`},
		{"token_endpoint", `"token_endpoint":"/token"`, `its token_endpoint "/token" may not be used`},
		{"token_endpoint", `"token_endpoint":"https://user:p1anted@a.example/token"`, "its token_endpoint"},
		{"token_endpoint", `"x":1`, `the metadata document of issuer "` + issuer + `" has no token_endpoint`},
		{"jwks_uri", `"jwks_uri":"http://localhost/certs"`, `its jwks_uri "http://localhost/certs" may not be used`},
		{"jwks_uri", `"jwks_uri":"file:///certs"`, "its jwks_uri"},
		{"mtls_endpoint_aliases.token_endpoint", `"mtls_endpoint_aliases":{"token_endpoint":"http://a.example/"}`, "its mtls_endpoint_aliases.token_endpoint"},
		{"mtls_endpoint_aliases.token_endpoint", `"mtls_endpoint_aliases":[]`, "has no mtls_endpoint_aliases.token_endpoint"},
	} {
		var asked []string
		p := places{oidc: {200, `{"issuer":"` + issuer + `","token_endpoint_auth_methods_supported":"basic",` + tt.member + `}`}}
		d, err := Fetch(t.Context(), p.client(&asked), issuer, nil)
		if assert.NoError(t, err, tt.member) {
			assert.Empty(t, d.TokenEndpoint+d.JWKSURI+d.MTLSTokenEndpoint, tt.member)
			assert.ErrorContains(t, d.Missing(tt.name), tt.text, tt.member)
			assert.NotContains(t, d.Missing(tt.name).Error(), "p1anted")
		}
	}
}

func TestPlainIssuers(t *testing.T) {
	for _, tt := range []struct {
		issuer, endpoint string
		allow            []string
		ok               bool
	}{
		{"http://localhost:9191", "http://localhost:9191/token", nil, true},
		{"http://localhost:9191", "https://a.example/token", nil, true},
		{"http://localhost:9191", "http://keycloak/token", nil, false},
		{"http://keycloak", "http://keycloak/token", []string{"keycloak"}, true},
		{"https://keycloak", "http://keycloak/token", []string{"keycloak"}, false},
	} {
		var asked []string
		p := places{tt.issuer + "/.well-known/openid-configuration": {200, `{"issuer":"` + tt.issuer + `","token_endpoint":"` + tt.endpoint + `"}`}}
		d, err := Fetch(t.Context(), p.client(&asked), tt.issuer, tt.allow)
		if assert.NoError(t, err, "%+v", tt) {
			assert.Equal(t, tt.ok, d.TokenEndpoint != "", "%+v", tt)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(full))
	f.Add([]byte(`{"issuer":"` + issuer + `","jwks_uri":"http://a"}`))
	f.Add([]byte(`{"ISSUER":"` + issuer + `"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := parse(&endpoint.Answer{Status: 200, Body: body}, oidc, issuer, nil)
		if (d == nil) == (err == nil) {
			t.Fatalf("parse(%q) = %v, %v", body, d, err)
		}
		if d == nil {
			return
		}
		if d.Issuer != issuer {
			t.Fatalf("issuer %q", d.Issuer)
		}
		for _, raw := range []string{d.TokenEndpoint, d.JWKSURI, d.MTLSTokenEndpoint} {
			if u, err := url.Parse(raw); raw != "" && (err != nil || u.Scheme != "https") {
				t.Fatalf("%q may be used", raw)
			}
		}
	})
}
