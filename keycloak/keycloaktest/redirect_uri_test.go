package keycloaktest

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestRedirectAllowed(t *testing.T) {
	for _, c := range []struct {
		pattern, uri string
		want         bool
	}{
		{"http://localhost:8080/cb", "http://localhost:8080/cb", true},
		{"http://localhost:8080/cb", "http://localhost:8080/cb/", false},
		{"http://localhost:8080/cb", "http://localhost:8080/cb?x=1", false},
		{"http://localhost:8080/cb", "http://localhost:8080/cb#f", false},
		{"http://localhost:8080/cb", "http://LOCALHOST:8080/cb", false},
		{"http://localhost:8080/cb", "HTTP://localhost:8080/cb", false},
		{"http://localhost:8080/cb", "http://user@localhost:8080/cb", false},
		{"http://localhost:8080/cb", "http://localhost/cb", false},
		{"http://localhost:8080/cb", "/cb", false},
		{"http://localhost:8080/cb", "", false},
		{"http://localhost:8080/q?x=1", "http://localhost:8080/q?x=1", true},
		{"http://localhost:8080/q?x=1", "http://localhost:8080/q?x=2", false},
		{"com.example.app:/cb", "com.example.app:/cb", true},

		{"http://localhost:8080/wild/*", "http://localhost:8080/wild", true},
		{"http://localhost:8080/wild/*", "http://localhost:8080/wild/", true},
		{"http://localhost:8080/wild/*", "http://localhost:8080/wild/a/b?c=../d#e", true},
		{"http://localhost:8080/wild/*", "http://localhost:8080/wild/..a", true},
		{"http://localhost:8080/wild/*", "http://localhost:8080/wildx", false},
		{"http://localhost:8080/wild/*", "http://localhost:8080/?/wild/", false},
		{"http://localhost:8080/wild/*", "http://localhost:8080/wild/../cb", false},
		{"http://localhost:8080/wild/*", "http://localhost:8080/wild/%2e%2E/x", false},
		{"http://localhost:8080/wild/*", "http://localhost:8080/wild/..%2fx", false},
		{"http://localhost:8080/wild/*", "http://localhost:8080/wild/%252e%252e/x", false},
		{"http://localhost:8080/wild/*", "http://localhost:8080/wild/%25252525252e%25252525252e/x", false},
		{"http://localhost:8080/wild/*", `http://localhost:8080\@evil.example/wild/`, false},
		{"http://localhost:8080/wild/*", `http://localhost:8080/wild/\evil.example`, false},
		{"http://localhost:8080/wild/*", "http://localhost:8080/wild/a\r\nSet-Cookie: x", false},
		{"http://localhost:8080/wild/*", "http://localhost:8080/wild/a b", false},
		{"http://localhost:8080/a*", "http://localhost:8080/abc", true},
		{"http://localhost:8080/q?x=*", "http://localhost:8080/q?x=5", false},
		{"http://localhost*", "http://localhost.evil.example/", false},

		{"*", "https://a.example/x", true},
		{"*", "javascript:alert(1)", false},
		{"*", "data:text/html,x", false},
		{"*", "custom:/x", false},
		{"*", "//a.example/x", false},
		{"*", "https:a.example", false},
		{"*", "https:///x", false},
		{"*", "https://user:pw@a.example/", false},

		{"http://127.0.0.1/cb", "http://127.0.0.1:5555/cb", true},
		{"http://127.0.0.1/cb", "http://127.0.0.1/cb", true},
		{"http://localhost/*", "http://localhost:5555/x/y", true},
		{"http://localhost/cb", "http://localhost:5555/cb?x=1", false},
		{"http://localhost/cb", "http://localhost:abc/cb", false},
		{"http://localhost/cb", "http://localhost:5555@evil.example/cb", false},
		{"http://localhost/cb", "http://localhost.evil.example:1/cb", false},
		{"http://127.0.0.1/cb", "http://localhost:5555/cb", false},
		{"http://127.0.0.1/cb", "http://127.0.0.1:5555/cb/x", false},
		{"http://127.0.0.1/cb", "https://127.0.0.1:5555/cb", false},
		{"http://127.0.0.1:5555/cb", "http://127.0.0.1:5556/cb", false},
		{"http://a.example/cb", "http://a.example:5555/cb", false},
	} {
		assert.Equal(t, c.want, redirectAllowed([]string{c.pattern}, c.uri), "%s for %s", c.uri, c.pattern)
	}
	assert.False(t, redirectAllowed(nil, "http://localhost/"))
}

func TestRedirectURIsOfAClient(t *testing.T) {
	for _, c := range []struct {
		name, client     string
		redirect, logout []string
	}{
		{"relative", `"rootUrl": "http://localhost:7777/", "redirectUris": ["/cb", "http://a.example/x"]`,
			[]string{"http://localhost:7777/cb", "http://a.example/x"}, []string{"http://localhost:7777/cb", "http://a.example/x"}},
		{"relative to nothing", `"redirectUris": ["/cb"]`, nil, nil},
		{"logout list", `"rootUrl": "http://localhost:7777", "redirectUris": ["*"], "attributes": {"post.logout.redirect.uris": "/bye##http://a.example/"}`,
			[]string{"*"}, []string{"http://localhost:7777/bye", "http://a.example/"}},
		{"logout plus", `"redirectUris": ["*"], "attributes": {"post.logout.redirect.uris": "+"}`, []string{"*"}, []string{"*"}},
		{"logout minus", `"redirectUris": ["*"], "attributes": {"post.logout.redirect.uris": "-"}`, []string{"*"}, nil},
	} {
		r, err := parseRealm([]byte(`{"realm": "r", "clients": [{"clientId": "c", ` + c.client + `}]}`))
		if assert.NoError(t, err, c.name) {
			assert.Equal(t, c.redirect, r.clients["c"].redirectURIs, c.name)
			assert.Equal(t, c.logout, r.clients["c"].logoutURIs, c.name)
		}
	}
}

// FuzzRedirectAllowed looks for a URI that leaves the place that is registered, as a browser reads it.
func FuzzRedirectAllowed(f *testing.F) {
	for _, seed := range []string{
		"http://localhost/app/", "http://localhost:1/app/x?y#z", "http://localhost@evil/app/", `http://localhost\evil/app/`, "http://localhost/app/../x",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		if !redirectAllowed([]string{"http://localhost/app/*"}, uri) {
			return
		}
		u, err := url.Parse(uri)
		if err != nil || u.Scheme != "http" || u.Hostname() != "localhost" || u.User != nil || !strings.HasPrefix(u.JoinPath("/").Path, "/app") ||
			strings.ContainsAny(uri, "\\\r\n\t ") {
			t.Fatalf("allowed: %q", uri)
		}
		if back := withParameters(uri, false, "code", "c"); !strings.HasPrefix(back, "http://localhost") {
			t.Fatalf("%q became %q", uri, back)
		}
	})
}
