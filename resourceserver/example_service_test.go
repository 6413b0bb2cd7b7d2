package resourceserver_test

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/svcauth/svcauth/keycloak/keycloaktest"
	"github.com/svcauth/svcauth/resourceserver"
)

// serviceIn is a resource server that trusts realm, under the name "service".
func serviceIn(realm *keycloaktest.Server) *resourceserver.Authenticator {
	config := realm.ServerConfig("service") // the realm's issuer, audience "service", realm roles
	config.Logger = discard
	auth, err := resourceserver.New(config)
	if err != nil {
		panic(err)
	}
	return auth
}

// New does no I/O: it is no matter whether the issuer is up. What it finds wrong, it names.
func ExampleNew() {
	_, err := resourceserver.New(resourceserver.Config{
		Issuer: "https://keycloak.example.com/realms/sivalabs",
	})
	fmt.Println(err)
	// Output: resourceserver: Config.Audiences is empty: name this service as it stands in the tokens' aud claim (in Keycloak an Audience mapper puts it there), or set SkipAudienceCheck to accept tokens for any service
}

// A service that wants its first request to be quick fetches the keys before it says that it is ready. It starts all the same if the issuer is down.
func ExampleAuthenticator_Warm() {
	realm := keycloaktest.NewServer(keycloaktest.Config{InMemory: true, Algorithm: "EdDSA"})
	defer realm.Close()
	auth := serviceIn(realm)

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := auth.Warm(ctx); err != nil {
		fmt.Println("the keys will be fetched on demand:", err)
	}

	realm.SetDown(true) // no matter: the keys are there
	_, err := auth.Verify(context.Background(), realm.Token(keycloaktest.Token{User: "bob"}))
	fmt.Println(err)
	// Output: <nil>
}

// A readiness check. It stays true through an outage while the last good keys serve.
func ExampleAuthenticator_Status() {
	realm := keycloaktest.NewServer(keycloaktest.Config{InMemory: true, Algorithm: "EdDSA"})
	defer realm.Close()
	auth := serviceIn(realm)
	ready := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "ready: %t", auth.Status().Ready())
	})
	call(ready, "GET", "/readyz", "")
	if err := auth.Warm(context.Background()); err != nil {
		fmt.Println(err)
	}
	realm.SetDown(true)
	call(ready, "GET", "/readyz", "")
	// Output:
	// 200 ready: false
	// 200 ready: true
}

// The role mapper reads a table that has changed: tokens that were seen before are looked at anew.
func ExampleAuthenticator_Forget() {
	realm := keycloaktest.NewServer(keycloaktest.Config{InMemory: true, Algorithm: "EdDSA"})
	defer realm.Close()
	admins := map[string]bool{}
	config := realm.ServerConfig("service")
	config.Logger = discard
	config.Roles = func(claims resourceserver.Claims) []string {
		if admins[claims.String("preferred_username")] {
			return []string{"ADMIN"}
		}
		return nil
	}
	auth, err := resourceserver.New(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	token := realm.Token(keycloaktest.Token{User: "bob"})
	before, _ := auth.Verify(context.Background(), token)
	admins["bob"] = true
	auth.Forget()
	after, _ := auth.Verify(context.Background(), token)
	fmt.Println(before.HasRole("ADMIN"), after.HasRole("ADMIN"))
	// Output: false true
}
