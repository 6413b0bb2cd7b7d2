package clientcreds_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"golang.org/x/oauth2"

	"github.com/svcauth/svcauth/clientcreds"
	"github.com/svcauth/svcauth/keycloak/keycloaktest"
)

// A library that wants an oauth2.TokenSource takes the Source as it is. However often it asks, the issuer is asked once.
func ExampleSource_Token() {
	realm := keycloaktest.NewServer(keycloaktest.Config{InMemory: true, Algorithm: "EdDSA"})
	defer realm.Close()
	config := realm.ClientConfig("job")
	config.Logger = slog.New(slog.DiscardHandler)
	source, err := clientcreds.New(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	var tokens oauth2.TokenSource = source
	for range 3 {
		token, err := tokens.Token()
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(token.Type(), time.Until(token.Expiry).Round(time.Minute))
	}
	fmt.Println("token requests:", realm.Requests(keycloaktest.TokenEndpoint))
	// Output:
	// Bearer 5m0s
	// Bearer 5m0s
	// Bearer 5m0s
	// token requests: 1
}

// A client with a transport of its own, such as one that counts requests or speaks to a proxy, gets the token on top of it.
func ExampleSource_Transport() {
	issuer, api := newIssuer(), newAPI()
	defer issuer.Close()
	defer api.Close()
	source, err := clientcreds.New(clientcreds.Config{
		TokenURL: issuer.URL, ClientID: "archival-service", ClientSecret: "secret", Origins: []string{api.URL},
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	base := &http.Transport{MaxIdleConnsPerHost: 20}
	defer base.CloseIdleConnections()
	client := &http.Client{Transport: source.Transport(base), Timeout: 10 * time.Second}

	resp, err := client.Get(api.URL + "/api/messages")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	fmt.Println(resp.Status)
	// Output: 200 OK
}

// A message broker refused the token. Whoever carries tokens without the Source's Transport says so, and the next token is a new one as soon as the pace
// allows that; until then the old one is better than none.
func ExampleSource_Invalidate() {
	realm := keycloaktest.NewServer(keycloaktest.Config{InMemory: true, Algorithm: "EdDSA"})
	defer realm.Close()
	config := realm.ClientConfig("job")
	config.Logger = slog.New(slog.DiscardHandler)
	source, err := clientcreds.New(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	token, err := source.TokenContext(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	source.Invalidate(token)
	next, err := source.TokenContext(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("another token:", next.AccessToken != token.AccessToken)
	fmt.Println("refused:", source.Status().Refused)
	// Output:
	// another token: true
	// refused: false
}

// A health check reads what the Source knows. It never asks the issuer.
func ExampleSource_Status() {
	realm := keycloaktest.NewServer(keycloaktest.Config{InMemory: true, Algorithm: "EdDSA"})
	defer realm.Close()
	config := realm.ClientConfig("job")
	config.Logger = slog.New(slog.DiscardHandler)
	source, err := clientcreds.New(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	report := func() {
		status := source.Status()
		fmt.Printf("%s, failures %d, last error %q\n", status.State, status.Failures, status.ErrorClass)
	}
	report()
	realm.SetTrouble(keycloaktest.TokenEndpoint, keycloaktest.Status(http.StatusServiceUnavailable))
	_, _ = source.TokenContext(context.Background())
	report()
	// Output:
	// none, failures 0, last error ""
	// none, failures 1, last error "status"
}
