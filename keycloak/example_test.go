package keycloak_test

import (
	"fmt"
	"log/slog"

	"github.com/svcauth/svcauth/clientcreds"
	"github.com/svcauth/svcauth/keycloak"
	"github.com/svcauth/svcauth/resourceserver"
)

// A service in the same cluster as Keycloak reaches it by another address than people do. Tokens name the public one.
func ExampleRealm() {
	realm := keycloak.Realm{
		BaseURL:     "https://sso.example.com",
		Name:        "sivalabs",
		InternalURL: "https://keycloak.infra.svc:8443",
	}
	fmt.Println(realm.Issuer())
	fmt.Println(realm.TokenURL())
	fmt.Println(realm.JWKSURL())
	// Output:
	// https://sso.example.com/realms/sivalabs
	// https://keycloak.infra.svc:8443/realms/sivalabs/protocol/openid-connect/token
	// https://keycloak.infra.svc:8443/realms/sivalabs/protocol/openid-connect/certs
}

// A client in two lines. New does no I/O, so this works before Keycloak is up.
func ExampleRealm_ClientConfig() {
	realm := keycloak.Realm{BaseURL: "http://localhost:9191", Name: "sivalabs"}
	config := realm.ClientConfig("archival-service", "a-secret")
	config.Origins = []string{"http://localhost:8181"} // the result is for editing
	config.Logger = slog.New(slog.DiscardHandler)
	_, err := clientcreds.New(config)
	fmt.Println(config.Issuer, config.ClientID, err)
	// Output: http://localhost:9191/realms/sivalabs archival-service <nil>
}

// A service in two lines, with realm roles.
func ExampleRealm_ServerConfig() {
	realm := keycloak.Realm{BaseURL: "http://localhost:9191", Name: "sivalabs"}
	auth, err := resourceserver.New(realm.ServerConfig("messages-service"))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, issuer := range auth.Status().Issuers {
		fmt.Println(issuer.Issuer, issuer.Ready)
	}
	// Output:
	// http://localhost:9191/realms/sivalabs false
}

// A realm made for Spring Security has roles with a prefix. Rules may use either name; other clients' roles and the realm's own don't mix.
func ExampleRealmRoles() {
	claims := resourceserver.NewClaims(map[string]any{
		"realm_access":    map[string]any{"roles": []string{"ROLE_ADMIN", "offline_access"}},
		"resource_access": map[string]any{"messages-service": map[string]any{"roles": []string{"archiver"}}},
	})
	fmt.Println(keycloak.RealmRoles(claims))
	// Output: [ROLE_ADMIN offline_access ADMIN]
}

// A service that has roles of its own in Keycloak, and uses the realm's too.
func ExampleClientRoles() {
	claims := resourceserver.NewClaims(map[string]any{
		"realm_access":    map[string]any{"roles": []string{"ADMIN"}},
		"resource_access": map[string]any{"messages-service": map[string]any{"roles": []string{"archiver"}}},
	})
	ours := keycloak.ClientRoles("messages-service")
	fmt.Println(ours(claims))
	fmt.Println(resourceserver.MergeRoles(keycloak.RealmRoles, ours)(claims))
	// Output:
	// [archiver]
	// [ADMIN archiver]
}
