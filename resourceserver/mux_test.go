package resourceserver_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	rs "github.com/svcauth/svcauth/resourceserver"
)

func newMux(t *testing.T) *rs.Mux {
	t.Helper()
	mux := newAuth(t, newFakeIssuer(keyFor("EdDSA")).config()).NewMux()
	mux.Public("GET /api/messages", ok)
	mux.Handle("POST /api/messages", ok)
	mux.Handle("POST /api/messages/archive", ok, rs.AnyRole("ADMIN", "ADMIN_JOB"))
	mux.HandleFunc("GET /api/messages/{id}", func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.PathValue("id")) }, rs.Role("USER"), rs.Scope("profile"))
	mux.Public("GET /pub/{rest...}", ok)
	mux.Handle("/tree/", ok, rs.Role("ADMIN"))
	mux.Handle("admin.test/", ok, rs.Role("ROOT"))
	return mux
}

func TestMux(t *testing.T) {
	mux := newMux(t)
	admin := "Bearer " + goodToken()
	user := "Bearer " + sign(keyFor("EdDSA"), nil, good(claims{"roles": []string{"USER"}}))
	for _, c := range []struct {
		method, target string
		none, garbage  int
		user, admin    int
	}{
		{"GET", "/api/messages", 200, 200, 200, 200},
		{"HEAD", "/api/messages", 200, 200, 200, 200},
		{"POST", "/api/messages", 401, 401, 200, 200},
		{"OPTIONS", "/api/messages", 401, 401, 405, 405},
		{"DELETE", "/api/messages", 401, 401, 405, 405},
		{"get", "/api/messages", 401, 401, 405, 405},
		{"POST", "/api/messages/archive", 401, 401, 403, 200},
		{"GET", "/api/messages/5", 401, 401, 200, 403},
		{"GET", "/nope", 401, 401, 404, 404},
		{"GET", "/", 401, 401, 404, 404},
		{"GET", "/api/messages/", 401, 401, 404, 404},
		{"GET", "/API/messages", 401, 401, 404, 404},

		// Unclean paths meet the rule of the clean one and are never redirected before the caller is known.
		{"POST", "//api/messages/archive", 401, 401, 403, 200},
		{"POST", "/api/./messages/archive", 401, 401, 403, 200},
		{"POST", "/x/../api/messages/archive", 401, 401, 403, 200},
		{"POST", "/../api/messages/archive", 401, 401, 403, 200},
		{"POST", "/api//messages//archive", 401, 401, 403, 200},
		{"POST", "/api/messages/archive/", 401, 401, 404, 404},
		{"POST", "/api/messages/archive;x", 401, 401, 405, 405},
		{"POST", "/api/messages%2Farchive", 401, 401, 404, 404},
		{"POST", "/api/messages/%61rchive", 401, 401, 403, 200},
		{"POST", "/api/messages/archive%0a", 401, 401, 405, 405},
		{"POST", "/api/messages/archive%00", 401, 401, 404, 404},
		{"GET", "/pub/%2e%2e/tree/a", 401, 401, 404, 404},
		{"GET", "/pub/..%2ftree/a", 401, 401, 404, 404},
		{"GET", "/pub/%2e%2e%2Ftree/a", 401, 401, 404, 404},
		{"GET", "/pub/x%5c..%5ctree", 401, 401, 404, 404},
		{"GET", "/pub/..\\tree", 401, 401, 404, 404},
		{"GET", "/pub/%00", 401, 401, 404, 404},
		{"GET", "/pub/a%2Fb..c", 200, 200, 200, 200},
		{"CONNECT", "/api/messages", 401, 401, 404, 404},
		{"POST", "/api/messages/%2e%2e/messages", 401, 401, 404, 404},
		{"GET", "/api/messages/archive/..", 200, 200, 200, 200},
		{"GET", "/tree", 401, 401, 403, 307},
		{"GET", "/tree/a", 401, 401, 403, 200},
		{"GET", "http://admin.test/tree/a", 401, 401, 403, 403},
		{"GET", "http://admin.test:8181/", 401, 401, 403, 403},
		{"GET", "http://ADMIN.test/pub/x", 401, 401, 403, 403},
		{"GET", "http://admin.test./pub/x", 401, 401, 403, 403},
		{"GET", "http://admin.test.:8181/pub/x", 401, 401, 403, 403},
		{"GET", "http://admin.test:/pub/x", 401, 401, 403, 403},
		{"GET", "http://[::1]:8181/pub/x", 200, 200, 200, 200},

		// What http.ServeMux would answer by itself.
		{"OPTIONS", "*", 401, 401, 404, 404},
		{"GET", "*", 401, 401, 404, 404},
		{"GET", "http://example.com", 401, 401, 404, 404},
		{"GET", "http://admin.test", 401, 401, 403, 403},
		{"OPTIONS", "/tree?a=b", 401, 401, 403, 307},
		{"GET", "//x/..//tree", 401, 401, 403, 307},
		{"GET", "/pub", 307, 307, 307, 307},
		{"POST", "/pub", 401, 401, 405, 405},
	} {
		t.Run(c.method+" "+c.target, func(t *testing.T) {
			assert.Equal(t, c.none, ask(mux, c.method, c.target, "").Code, "without a token")
			assert.Equal(t, c.garbage, ask(mux, c.method, c.target, "Bearer garbage").Code, "with garbage")
			assert.Equal(t, c.user, ask(mux, c.method, c.target, user).Code, "as a user")
			assert.Equal(t, c.admin, ask(mux, c.method, c.target, admin).Code, "as an admin")
		})
	}
	assert.Equal(t, "/tree/?a=b", ask(mux, "GET", "/tree?a=b", admin).Header().Get("Location"))
	assert.Empty(t, ask(mux, "GET", "/tree", "").Header().Get("Location"))
	assert.Empty(t, ask(mux, "DELETE", "/api/messages", "").Header().Get("Allow"))
	w := ask(mux, "DELETE", "/api/messages", admin)
	assert.Equal(t, "GET, HEAD, POST", w.Header().Get("Allow"))
	assert.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
	assert.Equal(t, "7", ask(mux, "GET", "/api/messages/7", user).Body.String(), "path values reach the handler")
	assert.Equal(t, `Bearer`, ask(mux, "GET", "/nope", "").Header().Get("WWW-Authenticate"))
}

func TestMuxPublicRouteStaysUp(t *testing.T) {
	f := newFakeIssuer()
	f.down()
	mux := newAuth(t, f.config()).NewMux()
	mux.Public("GET /", ok)
	assert.Equal(t, 200, ask(mux, "GET", "/", "Bearer "+goodToken()).Code)
	assert.Zero(t, f.count(discoveryPath))
}

func TestMuxRoutes(t *testing.T) {
	assert.Equal(t, []rs.Route{
		{Pattern: "GET /api/messages", Public: true, Rule: "public"},
		{Pattern: "POST /api/messages", Rule: "any valid token"},
		{Pattern: "POST /api/messages/archive", Rule: "any role of ADMIN, ADMIN_JOB"},
		{Pattern: "GET /api/messages/{id}", Rule: "role USER; scope profile"},
		{Pattern: "GET /pub/{rest...}", Public: true, Rule: "public"},
		{Pattern: "/tree/", Rule: "role ADMIN"},
		{Pattern: "admin.test/", Rule: "role ROOT"},
	}, newMux(t).Routes())
}

func TestMuxWithoutRoutesRefusesEverything(t *testing.T) {
	mux := newAuth(t, newFakeIssuer(keyFor("EdDSA")).config()).NewMux()
	assert.Equal(t, 401, ask(mux, "GET", "/", "").Code)
	assert.Equal(t, 404, ask(mux, "GET", "/", "Bearer "+goodToken()).Code)
}

func TestMuxPanicsAsServeMuxDoes(t *testing.T) {
	mux := newMux(t)
	require.Panics(t, func() { mux.Public("GET /api/messages", ok) })
	require.Panics(t, func() { mux.Public("GET /{a}/messages/{b}", ok) })
	require.Panics(t, func() { mux.Public("", ok) })
}

// TestMuxRulesSeePathValues holds that a rule about the resource in the path sees the same path as the handler.
func TestMuxRulesSeePathValues(t *testing.T) {
	mux := newAuth(t, newFakeIssuer(keyFor("EdDSA")).config()).NewMux()
	owner := rs.RuleFunc("owner", func(r *http.Request, p *rs.Principal) bool { return p.Subject != "" && r.PathValue("id") == p.Subject })
	notInternal := rs.RuleFunc("not internal", func(r *http.Request, _ *rs.Principal) bool { return r.PathValue("id") != "internal" && r.Pattern != "" })
	mux.Handle("GET /users/{id}", ok, owner)
	mux.Handle("GET /users/{id}/files/", ok, owner)
	mux.Handle("GET /tenants/{id}", ok, notInternal)
	mux.Handle("GET /tenants/{id}/files/", ok, notInternal)
	bearer := "Bearer " + goodToken()
	assert.Equal(t, 200, ask(mux, "GET", "/users/b1c5", bearer).Code)
	assert.Equal(t, 403, ask(mux, "GET", "/users/other", bearer).Code)
	assert.Equal(t, 403, ask(mux, "GET", "/users/other", "Bearer "+sign(keyFor("EdDSA"), nil, good(claims{"sub": absent}))).Code)
	assert.Equal(t, 200, ask(mux, "GET", "/tenants/a", bearer).Code)
	assert.Equal(t, 403, ask(mux, "GET", "/tenants/internal", bearer).Code)
	assert.Equal(t, 401, ask(mux, "GET", "/users/b1c5", "").Code)

	// A redirect to a route is no answer for those whom the route would refuse.
	assert.Equal(t, 307, ask(mux, "GET", "/users/b1c5/files", bearer).Code)
	assert.Equal(t, 403, ask(mux, "GET", "/users/other/files", bearer).Code)
	assert.Equal(t, 307, ask(mux, "GET", "/tenants/a%2Fb/files", bearer).Code)
	assert.Equal(t, 403, ask(mux, "GET", "/tenants/internal/files", bearer).Code)
	assert.Equal(t, 401, ask(mux, "GET", "/tenants/a/files", "").Code)
}

// TestMuxCatchAll holds that the target "*", which is no path, meets no route either: the catch-all would be asked about a path that nobody named.
func TestMuxCatchAll(t *testing.T) {
	for name, add := range map[string]func(*rs.Mux){
		"public":    func(m *rs.Mux) { m.Public("/", ok) },
		"protected": func(m *rs.Mux) { m.Handle("/", ok) },
	} {
		mux := newAuth(t, newFakeIssuer(keyFor("EdDSA")).config()).NewMux()
		add(mux)
		assert.Equal(t, 401, ask(mux, "OPTIONS", "*", "").Code, name)
		assert.Equal(t, 404, ask(mux, "OPTIONS", "*", "Bearer "+goodToken()).Code, name)
		assert.Equal(t, 200, ask(mux, "OPTIONS", "http://example.com", "Bearer "+goodToken()).Code, name)
	}
}

// TestMuxHandsOn holds that handlers get the server's own writer, which may flush and be hijacked, and hosts in one spelling, in a Mux inside a Mux too.
func TestMuxHandsOn(t *testing.T) {
	auth := newAuth(t, newFakeIssuer(keyFor("EdDSA")).config())
	outer, inner := auth.NewMux(), auth.NewMux()
	var writer http.ResponseWriter
	host := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { writer = w; _, _ = io.WriteString(w, r.Host) })
	inner.Public("/in/public", host)
	inner.Handle("/in/protected", host)
	inner.Handle("/in/tree/", host)
	outer.Public("/in/", inner)
	outer.Public("/public", host)
	outer.Handle("/protected", host)
	bearer := "Bearer " + goodToken()
	for _, path := range []string{"/in/public", "/in/protected", "/public", "/protected"} {
		for given, want := range map[string]string{
			"h.test": "h.test", "H.Test.": "h.test", "h.test:": "h.test", "H.test.:": "h.test", "h.test:80": "h.test:80", "h.test.:80": "h.test:80",
			"[::1]": "[::1]", "[::1]:": "[::1]", "[FE80::1]:80": "[fe80::1]:80",
		} {
			w := ask(outer, "GET", "http://"+given+path, bearer)
			assert.Equal(t, want, w.Body.String(), "%s%s", given, path)
			assert.Same(t, w, writer, path)
		}
	}
	for path, want := range map[string]int{"/in/tree": 307, "/in/none": 404, "/in": 307} {
		assert.Equal(t, want, ask(outer, "GET", path, bearer).Code, path)
	}
	for path, want := range map[string]int{"/in/tree": 401, "/in/none": 401, "/in/protected": 401, "/in": 307} {
		assert.Equal(t, want, ask(outer, "GET", path, "").Code, path)
	}
}
