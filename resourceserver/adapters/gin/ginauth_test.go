package ginauth_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/svcauth/svcauth/keycloak/keycloaktest"
	"github.com/svcauth/svcauth/resourceserver"
	ginauth "github.com/svcauth/svcauth/resourceserver/adapters/gin"
)

func TestMain(m *testing.M) {
	gin.SetMode(gin.ReleaseMode)
	m.Run()
}

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

// whoami answers with the name of the caller.
func whoami(c *gin.Context) {
	name := "nobody"
	if caller, ok := resourceserver.PrincipalFrom(c.Request.Context()); ok {
		name = caller.Username
	}
	c.String(http.StatusOK, name)
}

func ask(engine http.Handler, method, path, token string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	engine.ServeHTTP(w, r)
	return w
}

// owner holds for the person whose name stands in the path.
var owner = resourceserver.RuleFunc("owner", func(r *http.Request, p *resourceserver.Principal) bool {
	return p.Username != "" && r.PathValue("user") == p.Username
})

var underAlice = resourceserver.RuleFunc("files of alice", func(r *http.Request, _ *resourceserver.Principal) bool {
	return r.PathValue("path") == "/alice/notes"
})

func TestRoutes(t *testing.T) {
	realm := newRealm(t)
	auth := newAuth(t, realm, nil)
	engine := gin.New()
	engine.GET("/public", whoami)
	engine.GET("/optional", ginauth.Optional(auth), whoami)
	engine.GET("/any", ginauth.Require(auth), whoami)
	engine.GET("/admin", ginauth.Require(auth, resourceserver.Role("ADMIN")), whoami)
	engine.GET("/both", ginauth.Require(auth, resourceserver.Role("USER"), resourceserver.Role("ADMIN")), whoami)
	engine.GET("/users/:user", ginauth.Require(auth, owner), whoami)
	engine.GET("/files/*path", ginauth.Require(auth, underAlice), whoami)
	group := engine.Group("/group", ginauth.Require(auth))
	group.GET("/any", whoami)
	group.GET("/admin", ginauth.Require(auth, resourceserver.Role("ADMIN")), whoami)
	alice, bob := realm.Token(keycloaktest.Token{User: "alice"}), realm.Token(keycloaktest.Token{User: "bob"})
	expired := realm.Token(keycloaktest.Token{User: "alice", Lifetime: -time.Hour})

	for _, c := range []struct {
		name, path, token string
		status            int
		body              string
	}{
		{"public", "/public", "", 200, "nobody"},
		{"public, a bad token", "/public", "garbage", 200, "nobody"},

		{"optional, no token", "/optional", "", 200, "nobody"},
		{"optional, a token", "/optional", bob, 200, "bob"},
		{"optional, a bad token", "/optional", "garbage", 401, ""},

		{"any valid token", "/any", bob, 200, "bob"},
		{"no token", "/any", "", 401, ""},
		{"a bad token", "/any", "garbage", 401, ""},
		{"an expired token", "/any", expired, 401, ""},

		{"the rule holds", "/admin", alice, 200, "alice"},
		{"the rule fails", "/admin", bob, 403, ""},
		{"one of two rules fails", "/both", bob, 403, ""},

		{"path parameter, its owner", "/users/bob", bob, 200, "bob"},
		{"path parameter, somebody else", "/users/alice", bob, 403, ""},
		{"catch-all, the rule holds", "/files/alice/notes", bob, 200, "bob"},
		{"catch-all, the rule fails", "/files/bob/notes", bob, 403, ""},

		{"group", "/group/any", bob, 200, "bob"},
		{"group, no token", "/group/any", "", 401, ""},
		{"in a group, the rule holds", "/group/admin", alice, 200, "alice"},
		{"in a group, the rule fails", "/group/admin", bob, 403, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := ask(engine, http.MethodGet, c.path, c.token)
			assert.Equal(t, c.status, w.Code)
			if c.status == http.StatusOK {
				assert.Equal(t, c.body, w.Body.String())
				return
			}
			assert.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
			assert.Contains(t, w.Header().Get("WWW-Authenticate"), "Bearer")
			assert.NotContains(t, w.Body.String(), "nobody", "the handler did not run")
		})
	}
}

// TestAnswersAreTheMiddlewares compares whole answers with those of the middleware without gin.
func TestAnswersAreTheMiddlewares(t *testing.T) {
	realm := newRealm(t)
	for name, edit := range map[string]func(*resourceserver.Config){
		"problem": nil,
		"a writer of the program's own": func(c *resourceserver.Config) {
			c.WriteError = func(w http.ResponseWriter, _ *http.Request, e *resourceserver.Error) { w.WriteHeader(e.Status) }
		},
	} {
		auth := newAuth(t, realm, edit)
		engine := gin.New()
		engine.GET("/", ginauth.Require(auth, resourceserver.Role("ADMIN")), whoami)
		plain := auth.RequireRole("ADMIN")(http.NotFoundHandler())
		for _, token := range []string{"", "garbage", realm.Token(keycloaktest.Token{User: "bob"})} {
			got, want := ask(engine, http.MethodGet, "/", token), ask(plain, http.MethodGet, "/", token)
			assert.Equal(t, want.Code, got.Code, name)
			assert.Equal(t, want.Header(), got.Header(), name)
			assert.Equal(t, want.Body.String(), got.Body.String(), name)
		}
	}
}

// TestWhatNobodyRoutedIsRefused holds that a Require on the engine comes before gin's own 404 and 405.
func TestWhatNobodyRoutedIsRefused(t *testing.T) {
	realm := newRealm(t)
	engine := gin.New()
	engine.HandleMethodNotAllowed = true
	engine.GET("/before", whoami)
	engine.Use(ginauth.Require(newAuth(t, realm, nil)))
	engine.GET("/any", whoami)
	bob := realm.Token(keycloaktest.Token{User: "bob"})
	for _, c := range []struct {
		method, path string
		status       int // with a valid token
	}{{"GET", "/any", 200}, {"GET", "/unlisted", 404}, {"POST", "/any", 405}} {
		assert.Equal(t, http.StatusUnauthorized, ask(engine, c.method, c.path, "").Code, "%s %s", c.method, c.path)
		assert.Equal(t, c.status, ask(engine, c.method, c.path, bob).Code, "%s %s", c.method, c.path)
	}
	assert.Equal(t, http.StatusOK, ask(engine, http.MethodGet, "/before", "").Code, "gin gives a route the handlers that were there before it")
}

func TestNestedRequiresVerifyOnce(t *testing.T) {
	realm := newRealm(t)
	verified := 0
	auth := newAuth(t, realm, func(c *resourceserver.Config) {
		mapper := c.Roles
		c.DisableCache, c.Roles = true, func(claims resourceserver.Claims) []string { verified++; return mapper(claims) }
	})
	engine := gin.New()
	engine.Use(ginauth.Require(auth))
	engine.GET("/", ginauth.Require(auth, resourceserver.Role("ADMIN")), whoami)
	assert.Equal(t, http.StatusOK, ask(engine, http.MethodGet, "/", realm.Token(keycloaktest.Token{User: "alice"})).Code)
	assert.Equal(t, 1, verified)
}

// TestGinsOwnContext shows where a principal is found.
func TestGinsOwnContext(t *testing.T) {
	realm := newRealm(t)
	auth, alice := newAuth(t, realm, nil), realm.Token(keycloaktest.Token{User: "alice"})
	for _, fallback := range []bool{false, true} {
		engine := gin.New()
		engine.ContextWithFallback = fallback
		engine.GET("/", ginauth.Require(auth), func(c *gin.Context) {
			_, found := resourceserver.PrincipalFrom(c)
			assert.Equal(t, fallback, found)
			_, found = resourceserver.PrincipalFrom(c.Request.Context())
			assert.True(t, found)
		})
		assert.Equal(t, http.StatusOK, ask(engine, http.MethodGet, "/", alice).Code)
	}
}

func TestIssuerOutOfReach(t *testing.T) {
	realm := newRealm(t)
	engine := gin.New()
	engine.GET("/any", ginauth.Require(newAuth(t, realm, nil)), whoami)
	realm.SetDown(true)
	w := ask(engine, http.MethodGet, "/any", realm.Token(keycloaktest.Token{}))
	assert.Equal(t, http.StatusServiceUnavailable, w.Code)
	assert.NotEmpty(t, w.Header().Get("Retry-After"))
}

// TestLaterHandlersOfARefusedRequest holds that gin calls none of them, while those before see the status of the refusal.
func TestLaterHandlersOfARefusedRequest(t *testing.T) {
	auth := newAuth(t, newRealm(t), nil)
	var log bytes.Buffer
	engine := gin.New()
	engine.Use(func(c *gin.Context) {
		c.Next()
		log.WriteString(http.StatusText(c.Writer.Status()))
		assert.True(t, c.IsAborted())
	})
	engine.GET("/", ginauth.Require(auth), func(*gin.Context) { log.WriteString("handler ran") })
	ask(engine, http.MethodGet, "/", "")
	assert.Equal(t, "Unauthorized", log.String())
}

// TestPanicsDoNotPass holds that the chain ends where a callback panics, also under a recovery that does not abort.
func TestPanicsDoNotPass(t *testing.T) {
	realm := newRealm(t)
	bob := realm.Token(keycloaktest.Token{User: "bob"})
	boom := resourceserver.RuleFunc("boom", func(*http.Request, *resourceserver.Principal) bool { panic("boom") })
	for name, c := range map[string]struct {
		edit  func(*resourceserver.Config)
		rule  resourceserver.Rule
		token string
	}{
		"rule": {nil, boom, bob},
		"role mapper": {func(c *resourceserver.Config) {
			c.Roles = func(resourceserver.Claims) []string { panic("boom") }
		}, resourceserver.Role("ADMIN"), bob},
		"OnDecision": {func(c *resourceserver.Config) {
			c.OnDecision = func(context.Context, resourceserver.Decision) { panic("boom") }
		}, resourceserver.Role("ADMIN"), ""},
		"WriteError": {func(c *resourceserver.Config) {
			c.WriteError = func(http.ResponseWriter, *http.Request, *resourceserver.Error) { panic("boom") }
		}, resourceserver.Role("ADMIN"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			engine := gin.New()
			engine.Use(gin.CustomRecoveryWithWriter(nil, func(c *gin.Context, _ any) { c.Status(http.StatusInternalServerError) }))
			engine.GET("/", ginauth.Require(newAuth(t, realm, c.edit), c.rule), func(*gin.Context) { t.Error("the handler ran") })
			assert.NotEqual(t, http.StatusOK, ask(engine, http.MethodGet, "/", c.token).Code)
		})
	}
}

// TestParameterThatStandsTwice holds that rules see the value that handlers get from Param.
func TestParameterThatStandsTwice(t *testing.T) {
	realm := newRealm(t)
	engine := gin.New()
	engine.GET("/users/:user/friends/:user", ginauth.Require(newAuth(t, realm, nil), owner), func(c *gin.Context) { c.String(http.StatusOK, c.Param("user")) })
	bob := realm.Token(keycloaktest.Token{User: "bob"})
	assert.Equal(t, http.StatusForbidden, ask(engine, http.MethodGet, "/users/alice/friends/bob", bob).Code)
	w := ask(engine, http.MethodGet, "/users/bob/friends/alice", bob)
	assert.Equal(t, http.StatusOK, w.Code)
	assert.Equal(t, "bob", w.Body.String())
}

// TestHandleContext holds that a refused request stays so when another handler has routed it anew: before 1.11 gin forgot that it was aborted.
func TestHandleContext(t *testing.T) {
	realm := newRealm(t)
	engine := gin.New()
	engine.GET("/admin", ginauth.Require(newAuth(t, realm, nil), resourceserver.Role("ADMIN")), whoami)
	engine.GET("/old", func(c *gin.Context) {
		c.Request.URL.Path = "/admin"
		engine.HandleContext(c)
	})
	for token, status := range map[string]int{"": 401, realm.Token(keycloaktest.Token{User: "bob"}): 403} {
		w := ask(engine, http.MethodGet, "/old", token)
		assert.Equal(t, status, w.Code)
		assert.True(t, json.Valid(w.Body.Bytes()), "only the refusal was written: %s", w.Body)
	}
	assert.Equal(t, "alice", ask(engine, http.MethodGet, "/old", realm.Token(keycloaktest.Token{User: "alice"})).Body.String())
}

// TestRedirectsComeBeforeRequire shows what the README says of them, and the way around.
func TestRedirectsComeBeforeRequire(t *testing.T) {
	auth := newAuth(t, newRealm(t), nil)
	engine := gin.New()
	engine.HandleMethodNotAllowed = true
	engine.Use(ginauth.Require(auth))
	engine.GET("/secret", whoami)
	assert.Equal(t, "GET", ask(engine, http.MethodPost, "/secret", "").Header().Get("Allow"))
	assert.Empty(t, ask(auth.Require()(engine), http.MethodPost, "/secret", "").Header().Get("Allow"))
	assert.Equal(t, http.StatusMovedPermanently, ask(engine, http.MethodGet, "/secret/", "").Code)
	assert.Equal(t, http.StatusUnauthorized, ask(engine, http.MethodGet, "/unlisted/", "").Code)
	assert.Equal(t, http.StatusUnauthorized, ask(auth.Require()(engine), http.MethodGet, "/secret/", "").Code)
}

func TestMistakesShowAtTheStart(t *testing.T) {
	auth := newAuth(t, newRealm(t), func(c *resourceserver.Config) { c.Roles = nil })
	assert.Panics(t, func() { ginauth.Require(auth, nil) })
	assert.Panics(t, func() { ginauth.Require(auth, resourceserver.Role("ADMIN")) })
}
