package resourceserver_test

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/svcauth/svcauth/keycloak/keycloaktest"
	"github.com/svcauth/svcauth/resourceserver"
)

// Metrics without a metrics library: each decision of the middleware is told to OnDecision.
func ExampleConfig_onDecision() {
	realm := keycloaktest.NewServer(keycloaktest.Config{InMemory: true, Algorithm: "EdDSA"})
	defer realm.Close()
	decisions := map[resourceserver.Reason]int{} // of a real program: its counters, which may be used concurrently
	config := realm.ServerConfig("service")
	config.Logger = discard
	config.OnDecision = func(_ context.Context, d resourceserver.Decision) { decisions[d.Reason]++ }
	auth, err := resourceserver.New(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	handler := auth.RequireRole("ADMIN")(ok)
	call(handler, "GET", "/", realm.Token(keycloaktest.Token{User: "alice"}))
	call(handler, "GET", "/", "")
	fmt.Println(decisions)
	// Output:
	// 200 ok
	// 401 Bearer
	// map[:1 missing_token:1]
}

// A machine without a network gets the keys as a file. Nothing is ever fetched.
func ExampleConfig_jwks() {
	realm := keycloaktest.NewServer(keycloaktest.Config{InMemory: true, Algorithm: "EdDSA"})
	defer realm.Close()
	client := &http.Client{Transport: realm.Transport()}
	answer, err := client.Get(realm.Realm().JWKSURL())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer answer.Body.Close()
	keys, err := io.ReadAll(answer.Body) // in a real program: os.ReadFile
	if err != nil {
		fmt.Println(err)
		return
	}
	realm.SetDown(true)
	auth, err := resourceserver.New(resourceserver.Config{Issuer: realm.Issuer(), Audiences: []string{"service"}, JWKS: keys, Logger: discard})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = auth.Verify(context.Background(), realm.Token(keycloaktest.Token{User: "bob"}))
	fmt.Println(err)
	// Output: <nil>
}

// Two realms, one service. A token goes to the issuer that it names, and counts for what that realm says.
func ExampleConfig_issuers() {
	staff := keycloaktest.NewServer(keycloaktest.Config{Name: "staff", Algorithm: "EdDSA"})
	defer staff.Close()
	partners := keycloaktest.NewServer(keycloaktest.Config{Name: "partners", Algorithm: "EdDSA"})
	defer partners.Close()
	auth, err := resourceserver.New(resourceserver.Config{
		Issuers: []resourceserver.Config{
			{Issuer: staff.Issuer(), Audiences: []string{"service"}, Roles: resourceserver.RolesFromClaim("realm_access", "roles")},
			{Issuer: partners.Issuer(), Audiences: []string{"service"}}, // whose roles mean nothing here
		},
		Logger: discard,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	handler := auth.RequireRole("ROLE_ADMIN")(ok)
	call(handler, "GET", "/", staff.Token(keycloaktest.Token{User: "alice"}))
	call(handler, "GET", "/", partners.Token(keycloaktest.Token{User: "alice"}))
	// Output:
	// 200 ok
	// 403 Bearer error="insufficient_scope", error_description="the request requires higher privileges than provided by the access token"
}
