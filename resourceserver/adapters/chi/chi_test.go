package chiauth_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/svcauth/svcauth/keycloak/keycloaktest"
	"github.com/svcauth/svcauth/resourceserver"
)

func newRealm(t *testing.T) *keycloaktest.Server {
	t.Helper()
	realm := keycloaktest.NewServer(keycloaktest.Config{})
	t.Cleanup(realm.Close)
	return realm
}

func newAuth(t *testing.T, realm *keycloaktest.Server, edit func(*resourceserver.Config)) *resourceserver.Authenticator {
	t.Helper()
	config := realm.Realm().ServerConfig("service")
	config.Logger = slog.New(slog.DiscardHandler)
	if edit != nil {
		edit(&config)
	}
	auth, err := resourceserver.New(config)
	require.NoError(t, err)
	return auth
}

func whoami(w http.ResponseWriter, r *http.Request) {
	if caller, ok := resourceserver.PrincipalFrom(r.Context()); ok {
		fmt.Fprint(w, caller.Username)
		return
	}
	fmt.Fprint(w, "nobody")
}

func ask(router http.Handler, method, path, token string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	router.ServeHTTP(w, r)
	return w
}

// owner holds for the person whose name stands in the path, whichever of the two ways it is read.
var owner = resourceserver.RuleFunc("owner", func(r *http.Request, p *resourceserver.Principal) bool {
	return p.Username != "" && r.PathValue("user") == p.Username && chi.URLParam(r, "user") == p.Username
})

func TestGroups(t *testing.T) {
	realm := newRealm(t)
	verified := 0
	auth := newAuth(t, realm, func(c *resourceserver.Config) {
		mapper := c.Roles
		c.DisableCache, c.Roles = true, func(claims resourceserver.Claims) []string { verified++; return mapper(claims) }
	})
	router := chi.NewRouter()
	router.Get("/public", whoami)
	router.Group(func(r chi.Router) {
		r.Use(auth.Require())
		r.Get("/any", whoami)
		r.With(auth.RequireRole("ADMIN")).Get("/admin", whoami)
		r.With(auth.Require(owner)).Get("/users/{user}", whoami)
	})
	router.Route("/accounts/{user}", func(r chi.Router) {
		r.Use(auth.Require(owner)) // the parameter of the router around it
		r.Get("/orders", whoami)
	})
	alice, bob := realm.Token(keycloaktest.Token{User: "alice"}), realm.Token(keycloaktest.Token{User: "bob"})
	for _, c := range []struct {
		name, path, token string
		status, verified  int
		body              string
	}{
		{"public", "/public", "garbage", 200, 0, "nobody"},
		{"any valid token", "/any", bob, 200, 1, "bob"},
		{"no token", "/any", "", 401, 0, ""},
		{"a bad token", "/any", "garbage", 401, 0, ""},
		{"two Requires, both hold", "/admin", alice, 200, 1, "alice"},
		{"two Requires, the inner one fails", "/admin", bob, 403, 1, ""},
		{"parameter, its owner", "/users/bob", bob, 200, 1, "bob"},
		{"parameter, somebody else", "/users/alice", bob, 403, 1, ""},
		{"outer router's parameter, its owner", "/accounts/bob/orders", bob, 200, 1, "bob"},
		{"outer router's parameter, somebody else", "/accounts/alice/orders", bob, 403, 1, ""},
		{"no route", "/unlisted", "", 404, 0, ""}, // a group does not cover what has no route
	} {
		t.Run(c.name, func(t *testing.T) {
			verified = 0
			w := ask(router, http.MethodGet, c.path, c.token)
			assert.Equal(t, c.status, w.Code)
			assert.Equal(t, c.verified, verified)
			if c.status == http.StatusOK {
				assert.Equal(t, c.body, w.Body.String())
			}
		})
	}
}

func TestUseOnTheWholeRouter(t *testing.T) {
	realm := newRealm(t)
	var values []string
	look := resourceserver.RuleFunc("look", func(r *http.Request, _ *resourceserver.Principal) bool {
		values = append(values, r.PathValue("user"), chi.URLParam(r, "user"))
		return true
	})
	auth := newAuth(t, realm, nil)
	router := chi.NewRouter()
	router.Use(auth.Require(look))
	router.With(auth.Require(look)).Get("/users/{user}", whoami)
	bob := realm.Token(keycloaktest.Token{User: "bob"})
	for _, c := range []struct {
		method, path string
		status       int // with a valid token
	}{{"GET", "/users/bob", 200}, {"GET", "/unlisted", 404}, {"POST", "/users/bob", 405}} {
		assert.Equal(t, http.StatusUnauthorized, ask(router, c.method, c.path, "").Code, "%s %s", c.method, c.path)
		values = nil
		assert.Equal(t, c.status, ask(router, c.method, c.path, bob).Code, "%s %s", c.method, c.path)
		assert.Equal(t, []string{"", ""}, values[:2], "before routing there are no parameters")
		if c.status == http.StatusOK {
			assert.Equal(t, []string{"bob", "bob"}, values[2:])
		}
	}
}

// TestEscapesStayInParameters holds that chi decodes a path only if its escapes are those that Go would write itself.
func TestEscapesStayInParameters(t *testing.T) {
	realm := newRealm(t)
	auth, bob := newAuth(t, realm, nil), realm.Token(keycloaktest.Token{User: "bob"})
	for path, want := range map[string]string{"/users/b%20b": "b b", "/users/b%6Fb": "b%6Fb", "/users/b%2Fb": "b%2Fb"} {
		var got []string
		router := chi.NewRouter()
		router.With(auth.Require(resourceserver.RuleFunc("look", func(r *http.Request, _ *resourceserver.Principal) bool {
			got = []string{r.PathValue("user"), chi.URLParam(r, "user")}
			return true
		}))).Get("/users/{user}", whoami)
		assert.Equal(t, http.StatusOK, ask(router, http.MethodGet, path, bob).Code)
		assert.Equal(t, []string{want, want}, got)
	}
}

func Example() {
	realm := keycloaktest.NewServer(keycloaktest.Config{}) // stands for a Keycloak
	defer realm.Close()

	config := realm.Realm().ServerConfig("service")
	config.Logger = slog.New(slog.DiscardHandler)
	auth, err := resourceserver.New(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	router := chi.NewRouter()
	router.Get("/api/messages", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "all messages") })
	router.Group(func(r chi.Router) {
		r.Use(auth.Require())
		r.Get("/api/me", whoami)
		r.With(auth.RequireRole("ADMIN")).Post("/api/messages/archive", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "archived") })
	})

	alice, bob := realm.Token(keycloaktest.Token{User: "alice"}), realm.Token(keycloaktest.Token{User: "bob"})
	for _, call := range []struct{ method, path, token string }{
		{"GET", "/api/messages", ""},
		{"GET", "/api/me", bob},
		{"GET", "/api/me", ""},
		{"POST", "/api/messages/archive", alice},
		{"POST", "/api/messages/archive", bob},
	} {
		answer := ask(router, call.method, call.path, call.token)
		if answer.Code == http.StatusOK {
			fmt.Println(answer.Code, answer.Body)
		} else {
			fmt.Println(answer.Code, answer.Header().Get("WWW-Authenticate"))
		}
	}
	// Output:
	// 200 all messages
	// 200 bob
	// 401 Bearer
	// 200 archived
	// 403 Bearer error="insufficient_scope", error_description="the request requires higher privileges than provided by the access token"
}
