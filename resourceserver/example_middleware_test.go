package resourceserver_test

import (
	"fmt"
	"net/http"

	"github.com/svcauth/svcauth/keycloak/keycloaktest"
	"github.com/svcauth/svcauth/resourceserver"
)

// Rules of several kinds together; all must hold. Here a person, and no service, who may write.
func ExampleAuthenticator_Require() {
	realm := keycloaktest.NewServer(keycloaktest.Config{InMemory: true, Algorithm: "EdDSA"})
	defer realm.Close()
	auth := serviceIn(realm)
	people := auth.Require(resourceserver.Person(), resourceserver.AnyRole("USER", "JOB"))
	mux := http.NewServeMux()
	mux.Handle("POST /api/messages", people(ok))

	call(mux, "POST", "/api/messages", realm.Token(keycloaktest.Token{User: "bob"}))
	call(mux, "POST", "/api/messages", realm.Token(keycloaktest.Token{Client: "job"}))
	// Output:
	// 200 ok
	// 403 Bearer error="insufficient_scope", error_description="the request requires higher privileges than provided by the access token"
}

// The realm role ROLE_ADMIN counts as ADMIN too.
func ExampleAuthenticator_RequireRole() {
	realm := keycloaktest.NewServer(keycloaktest.Config{InMemory: true, Algorithm: "EdDSA"})
	defer realm.Close()
	auth := serviceIn(realm)
	handler := auth.RequireRole("ADMIN")(ok)

	call(handler, "GET", "/", realm.Token(keycloaktest.Token{User: "alice"}))
	call(handler, "GET", "/", realm.Token(keycloaktest.Token{User: "bob"}))
	// Output:
	// 200 ok
	// 403 Bearer error="insufficient_scope", error_description="the request requires higher privileges than provided by the access token"
}

// The challenge tells the client which scope to ask for.
func ExampleAuthenticator_RequireScope() {
	realm := keycloaktest.NewServer(keycloaktest.Config{InMemory: true, Algorithm: "EdDSA"})
	defer realm.Close()
	auth := serviceIn(realm)
	handler := auth.RequireScope("messages:read")(ok)

	for _, scope := range []string{"openid messages:read", "openid"} {
		call(handler, "GET", "/", realm.Token(keycloaktest.Token{User: "bob", Claims: map[string]any{"scope": scope}}))
	}
	// Output:
	// 200 ok
	// 403 Bearer error="insufficient_scope", error_description="the request requires higher privileges than provided by the access token", scope="messages:read"
}

// A framework with handlers of its own: what Verify, BearerToken or a rule refused is answered as the middleware would.
func ExampleAuthenticator_Refuse() {
	realm := keycloaktest.NewServer(keycloaktest.Config{InMemory: true, Algorithm: "EdDSA"})
	defer realm.Close()
	auth := serviceIn(realm)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, err := resourceserver.BearerToken(r.Header.Values("Authorization"))
		if err != nil {
			auth.Refuse(w, r, err)
			return
		}
		caller, err := auth.Verify(r.Context(), token)
		if err != nil {
			auth.Refuse(w, r, err)
			return
		}
		fmt.Fprint(w, "hello ", caller.Username)
	})
	call(handler, "GET", "/", realm.Token(keycloaktest.Token{User: "bob"}))
	call(handler, "GET", "/", "garbage")
	// Output:
	// 200 hello bob
	// 401 Bearer error="invalid_token", error_description="the token is malformed"
}

// Handlers learn who calls from the context.
func ExamplePrincipalFrom() {
	realm := keycloaktest.NewServer(keycloaktest.Config{InMemory: true, Algorithm: "EdDSA"})
	defer realm.Close()
	auth := serviceIn(realm)
	handler := auth.Require()(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller, _ := resourceserver.PrincipalFrom(r.Context())
		fmt.Fprintf(w, "%s by %s", caller.Username, caller.ClientID)
	}))
	call(handler, "GET", "/", realm.Token(keycloaktest.Token{User: "alice"}))
	call(handler, "GET", "/", realm.Token(keycloaktest.Token{Client: "job"}))
	// Output:
	// 200 alice by webapp
	// 200 service-account-job by job
}

// One handler, more for some. Names of roles are compared exactly, and nobody is no administrator.
func ExamplePrincipal_HasRole() {
	caller := &resourceserver.Principal{Username: "siva", Roles: []string{"ADMIN"}} // of a test; a handler asks PrincipalFrom
	var nobody *resourceserver.Principal
	fmt.Println(caller.HasRole("ADMIN"), caller.HasRole("admin"), nobody.HasRole("ADMIN"))
	// Output: true false false
}

// A test that holds the list: a new route shows here, with who may use it.
func ExampleMux_Routes() {
	routes := exampleAuth().NewMux()
	routes.Public("GET /healthz", ok)
	routes.Handle("GET /api/orders", ok)
	routes.Handle("POST /api/orders", ok, resourceserver.Role("CLERK"), resourceserver.Scope("orders:write"))
	for _, route := range routes.Routes() {
		fmt.Printf("%-17s %-5t %s\n", route.Pattern, route.Public, route.Rule)
	}
	// Output:
	// GET /healthz      true  public
	// GET /api/orders   false any valid token
	// POST /api/orders  false role CLERK; scope orders:write
}
