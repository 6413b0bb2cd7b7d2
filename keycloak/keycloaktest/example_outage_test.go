package keycloaktest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/svcauth/svcauth/clientcreds"
	"github.com/svcauth/svcauth/keycloak/keycloaktest"
	"github.com/svcauth/svcauth/resourceserver"
)

// quiet keeps expected failures out of the output.
var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// Test an outage: a client and a service keep working while the issuer is down, and what they can't do they say so, without taking a good token for a bad one.
func Example_outage() {
	realm := keycloaktest.NewServer(keycloaktest.Config{})
	defer realm.Close()
	client, server := realm.ClientConfig("job"), realm.ServerConfig("service")
	client.Logger, server.Logger = quiet, quiet
	source, err := clientcreds.New(client)
	if err != nil {
		fmt.Println(err)
		return
	}
	auth, err := resourceserver.New(server)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	call := func(when string) {
		token, err := source.TokenContext(ctx)
		if err != nil {
			fmt.Println(when, "no token, unavailable:", errors.Is(err, clientcreds.ErrUnavailable))
			return
		}
		_, err = auth.Verify(ctx, token.AccessToken)
		fmt.Println(when, "verified:", err == nil)
	}

	call("all is well:")
	realm.SetDown(true)
	call("issuer down:")
	realm.RotateKeys(true)
	_, err = auth.Verify(ctx, realm.Token(keycloaktest.Token{User: "alice"}))
	fmt.Println("issuer down, new key: refused:", err != nil, "can't tell:", errors.Is(err, resourceserver.ErrKeysUnavailable))
	call("issuer down, old key:")
	// Output:
	// all is well: verified: true
	// issuer down: verified: true
	// issuer down, new key: refused: true can't tell: true
	// issuer down, old key: verified: true
}

// Each trouble of the key set, before there are any keys. A service says that it can't tell, never that a token is bad.
func ExampleServer_SetTrouble() {
	realm := keycloaktest.NewServer(keycloaktest.Config{})
	defer realm.Close()
	token := realm.Token(keycloaktest.Token{User: "alice"})
	for _, trouble := range []keycloaktest.Trouble{
		keycloaktest.Status(500), keycloaktest.RateLimited(time.Minute), keycloaktest.HTML(200), keycloaktest.Truncated(), keycloaktest.Dropped(),
		keycloaktest.Oversized(8 << 20), keycloaktest.Redirected(""), keycloaktest.NoKeys(), keycloaktest.OddKeys(),
	} {
		realm.SetTrouble(keycloaktest.JWKSEndpoint, trouble)
		config := realm.ServerConfig("service")
		config.Logger = quiet
		auth, err := resourceserver.New(config)
		if err != nil {
			fmt.Println(err)
			return
		}
		_, err = auth.Verify(context.Background(), token)
		fmt.Printf("%v: verified %v, can't tell %v\n", trouble, err == nil, errors.Is(err, resourceserver.ErrKeysUnavailable))
	}
	// Output:
	// status 500: verified false, can't tell true
	// rate-limited: verified false, can't tell true
	// HTML, status 200: verified false, can't tell true
	// truncated: verified false, can't tell true
	// dropped: verified false, can't tell true
	// oversized by 8388608 bytes: verified false, can't tell true
	// redirected: verified false, can't tell true
	// no keys: verified false, can't tell true
	// odd keys: verified true, can't tell false
}
