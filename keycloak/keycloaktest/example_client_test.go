package keycloaktest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"github.com/svcauth/svcauth/clientcreds"
	"github.com/svcauth/svcauth/keycloak/keycloaktest"
	"github.com/svcauth/svcauth/resourceserver"
)

// Test a client: that it gets through, and how often it asks the issuer. A thousand calls take one token request, and the service that they go to fetches the keys
// once.
func Example_client() {
	realm := keycloaktest.NewServer(keycloaktest.Config{})
	defer realm.Close()
	auth, err := resourceserver.New(realm.ServerConfig("service"))
	if err != nil {
		fmt.Println(err)
		return
	}
	service := httptest.NewServer(auth.RequireRole("JOB")(http.HandlerFunc(archive)))
	defer service.Close()

	config := realm.ClientConfig("job")
	config.Logger = quiet
	config.Scopes = []string{"openid"}
	config.Origins = []string{service.URL}
	source, err := clientcreds.New(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	client := source.Client(service.Client())
	var calls sync.WaitGroup
	for range 10 {
		calls.Go(func() {
			for range 100 {
				resp, err := client.Post(service.URL+"/api/messages/archive", "application/json", nil)
				if err != nil || resp.StatusCode != http.StatusOK {
					fmt.Println(resp, err)
					return
				}
				resp.Body.Close()
			}
		})
	}
	calls.Wait()

	fmt.Println("token requests:", realm.Requests(keycloaktest.TokenEndpoint))
	fmt.Println("granted, refused:", realm.Grants("job"), realm.Refusals("job"))
	fmt.Println("key requests:", realm.Requests(keycloaktest.JWKSEndpoint))
	fmt.Println("asked for:", realm.LastTokenRequest().Encode())
	// Output:
	// token requests: 1
	// granted, refused: 1 0
	// key requests: 1
	// asked for: grant_type=client_credentials&scope=openid
}

// A secret is rotated. For a while both are good, and then the old one is refused: the client must read the new one by then.
func ExampleServer_RotateSecret() {
	realm := keycloaktest.NewServer(keycloaktest.Config{})
	defer realm.Close()
	old := realm.ClientConfig("job")
	realm.RotateSecret("job", time.Hour)

	for _, passed := range []time.Duration{0, 2 * time.Hour} {
		realm.SetClockSkew(passed)
		for _, config := range []clientcreds.Config{old, realm.ClientConfig("job")} {
			config.Logger = quiet
			source, err := clientcreds.New(config)
			if err != nil {
				fmt.Println(err)
				return
			}
			_, err = source.TokenContext(context.Background())
			fmt.Println(passed, err == nil, errors.Is(err, clientcreds.ErrRefused))
		}
	}
	// Output:
	// 0s true false
	// 0s true false
	// 2h0m0s false true
	// 2h0m0s true false
}
