package resourceserver_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	rs "github.com/svcauth/svcauth/resourceserver"
)

// FuzzMux holds that strangers get 401 or what a public route answers, and that handlers see a clean path of the route that http.ServeMux would choose for it.
func FuzzMux(f *testing.F) {
	for _, target := range []string{"/a", "/a/b", "/open", "/open/x", "*", "", "//a/../open/x", "/open/%2e%2e/a", "/a%2Fb/", "/open/..%5ca", "/%61/", "/open/%00", "a", "/tree/x?y", "/tree"} {
		f.Add("GET", "example.com", target)
		f.Add("POST", "ADMIN.test.:80", target)
	}
	auth := newAuth(f, newFakeIssuer(keyFor("EdDSA")).config())
	mux, plain := auth.NewMux(), http.NewServeMux()
	var seen *http.Request
	for pattern, public := range map[string]bool{
		"GET /a": false, "/a/{x}": false, "/{x}/": false, "GET /open": true, "/open/{rest...}": true, "POST /tree/": false, "admin.test/": false, "admin.test/open/": true, "/{$}": false,
	} {
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { seen = r; w.Header().Set("X-Route", pattern) })
		if plain.Handle(pattern, h); public {
			mux.Public(pattern, h)
		} else {
			mux.Handle(pattern, h, rs.RuleFunc("path values", func(r *http.Request, _ *rs.Principal) bool {
				return r.Pattern == pattern && r.PathValue("x") != "secret"
			}))
		}
	}
	strange := map[string]bool{"GET /open": true, "/open/{rest...}": true, "admin.test/open/": true}
	bearer := "Bearer " + sign(keyFor("EdDSA"), nil, good(claims{"exp": time.Now().Add(24 * time.Hour).Unix()}))
	f.Fuzz(func(t *testing.T, method, host, target string) {
		u, err := url.ParseRequestURI(target)
		if err != nil {
			u = &url.URL{Path: target}
		}
		answer := func(authorization string) *httptest.ResponseRecorder {
			own := *u
			r := &http.Request{Method: method, URL: &own, Host: host, RequestURI: target, Header: http.Header{}}
			if authorization != "" {
				r.Header.Set("Authorization", authorization)
			}
			w := httptest.NewRecorder()
			seen = nil
			mux.ServeHTTP(w, r)
			return w
		}
		w := answer("")
		if route := w.Header().Get("X-Route"); route != "" {
			assert.True(t, strange[route], route)
		} else if w.Code != http.StatusTemporaryRedirect {
			assert.Equal(t, http.StatusUnauthorized, w.Code)
			assert.Empty(t, w.Header().Get("Allow")+w.Header().Get("Location"))
		} else {
			assert.Contains(t, w.Header().Get("Location"), "/open/", "a redirect to a public route")
		}
		if w = answer(bearer); seen == nil {
			assert.Contains(t, []int{307, 403, 404, 405}, w.Code)
			return
		}
		route := w.Header().Get("X-Route")
		assert.Equal(t, route, seen.Pattern)
		_, pattern := plain.Handler(seen)
		assert.Equal(t, route, pattern)
		assert.NotEqual(t, "secret", seen.PathValue("x"))
		for segment := range strings.SplitSeq(strings.TrimPrefix(seen.URL.Path, "/"), "/") {
			assert.NotContains(t, []string{".", ".."}, segment)
		}
	})
}
