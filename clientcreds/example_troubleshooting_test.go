package clientcreds_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/svcauth/svcauth/clientcreds"
	"github.com/svcauth/svcauth/keycloak/keycloaktest"
)

// The secret is wrong. Diagnose says what was found, and what to do about it; the page that String writes is for people.
func ExampleSource_Diagnose() {
	realm := keycloaktest.NewServer(keycloaktest.Config{InMemory: true, Algorithm: "EdDSA"})
	defer realm.Close()
	config := realm.ClientConfig("job")
	config.ClientSecret = "a-former-secret"
	source, err := clientcreds.New(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	diagnosis := source.Diagnose(ctx)
	fmt.Println("fine:", diagnosis.OK())
	for _, check := range diagnosis.Checks {
		if check.Result == clientcreds.ResultWrong {
			fmt.Printf("%s: %s\n", check.Subject, check.Mend)
		}
	}
	// Output:
	// fine: false
	// secret: Keycloak: Clients > job > Credentials: compare the secret, and see that Client Authenticator is Client Id and Secret: a right secret by another method looks like a wrong one
}

// An error tells a program what happened, without text to take apart, and a person what to do.
func ExampleError() {
	realm := keycloaktest.NewServer(keycloaktest.Config{InMemory: true, Algorithm: "EdDSA"})
	defer realm.Close()
	config := realm.ClientConfig("job")
	config.Scopes = []string{"mesages"}
	config.Logger = slog.New(slog.DiscardHandler)
	source, err := clientcreds.New(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = source.TokenContext(context.Background())
	var failed *clientcreds.Error
	if errors.As(err, &failed) {
		fmt.Println(failed.Class, failed.Status, failed.Code)
		fmt.Println(failed.Hint)
	}
	// Output:
	// refused 400 invalid_scope
	// Keycloak refuses the whole request for one scope it does not know: Clients > job > Client scopes: add it, as Default or Optional, or remove it from Scopes
}

// Metrics without a metrics library: each attempt to get a token is told to OnFetch.
func ExampleConfig_onFetch() {
	realm := keycloaktest.NewServer(keycloaktest.Config{InMemory: true, Algorithm: "EdDSA"})
	defer realm.Close()
	fetches := map[string]int{} // of a real program: its counters, which may be used concurrently
	config := realm.ClientConfig("job")
	config.Logger = slog.New(slog.DiscardHandler)
	config.OnFetch = func(_ context.Context, f clientcreds.Fetch) {
		result := "success"
		var failed *clientcreds.Error
		if errors.As(f.Err, &failed) {
			result = string(failed.Class)
		}
		fetches[result]++
	}
	source, err := clientcreds.New(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := source.TokenContext(context.Background()); err != nil {
		fmt.Println(err)
	}
	fmt.Println(fetches)
	// Output: map[success:1]
}

// What is known of one attempt. A log record of it holds no token.
func ExampleFetch() {
	realm := keycloaktest.NewServer(keycloaktest.Config{InMemory: true, Algorithm: "EdDSA"})
	defer realm.Close()
	realm.SetDown(true)
	config := realm.ClientConfig("job")
	config.Logger = slog.New(slog.DiscardHandler)
	config.OnFetch = func(_ context.Context, f clientcreds.Fetch) {
		fmt.Println(f.Trigger, "attempt, failures in a row:", f.Failures)
		fmt.Println("transient:", errors.Is(f.Err, clientcreds.ErrUnavailable))
		fmt.Println("waits before the next:", f.Next.After(f.Start))
	}
	source, err := clientcreds.New(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, _ = source.Token()
	// Output:
	// first attempt, failures in a row: 1
	// transient: true
	// waits before the next: true
}
