package keycloaktest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/svcauth/svcauth/keycloak/keycloaktest"
	"github.com/svcauth/svcauth/resourceserver"
)

// A service asks the realm for a token, with the secret of the realm's JSON.
func Example() {
	realm := keycloaktest.NewServer(keycloaktest.Config{RealmFile: "../../examples/realm/sivalabs-realm.json"})
	defer realm.Close()

	res, err := http.PostForm(realm.Issuer()+keycloaktest.TokenEndpoint, url.Values{
		"grant_type":    {"client_credentials"},
		"client_id":     {"archival-service"},
		"client_secret": {"archival-service-demo-secret"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer res.Body.Close()
	var answer struct {
		TokenType string `json:"token_type"`
		ExpiresIn int    `json:"expires_in"`
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(res.StatusCode, answer.TokenType, answer.ExpiresIn)
	// Output: 200 Bearer 300
}

// Tokens for the tests of one's own service: of a person, of somebody with other roles, and one that has expired.
func ExampleServer_Token() {
	realm := keycloaktest.NewServer(keycloaktest.Config{})
	defer realm.Close()
	auth, err := resourceserver.New(realm.ServerConfig("service"))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, token := range []keycloaktest.Token{
		{User: "alice"},
		{User: "alice", Roles: []string{"ROLE_USER"}},
		{User: "alice", Lifetime: -time.Hour},
	} {
		principal, err := auth.Verify(context.Background(), realm.Token(token))
		fmt.Println(principal.HasRole("ADMIN"), err == nil)
	}
	// Output:
	// true true
	// false true
	// false false
}
