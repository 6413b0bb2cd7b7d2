package resourceserver_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/svcauth/svcauth/keycloak/keycloaktest"
	"github.com/svcauth/svcauth/resourceserver"
)

// A call of another transport, gRPC or a queue: one line verifies the token, checks the rules, logs a refusal, and puts the caller into the context.
func ExampleAuthenticator_Admit() {
	realm := keycloaktest.NewServer(keycloaktest.Config{InMemory: true, Algorithm: "EdDSA"})
	defer realm.Close()
	auth := serviceIn(realm)
	archive := func(ctx context.Context, authorization ...string) {
		ctx, err := auth.Admit(ctx, "/messages.Archive/Run", authorization, resourceserver.Role("JOB"))
		if err != nil {
			fmt.Println(err)
			return
		}
		caller, _ := resourceserver.PrincipalFrom(ctx)
		fmt.Println("archived for", caller.Username)
	}
	archive(context.Background(), "Bearer "+realm.Token(keycloaktest.Token{Client: "job"}))
	archive(context.Background(), "Bearer "+realm.Token(keycloaktest.Token{User: "bob"}))
	archive(context.Background())
	// Output:
	// archived for service-account-job
	// resourceserver: the request requires higher privileges than provided by the access token (missing_role)
	// resourceserver: no bearer token in the request (missing_token)
}

// The values of the Authorization fields, not the first of them: of two tokens another reader might take the other.
func ExampleBearerToken() {
	for _, authorization := range [][]string{
		{"Bearer abc.def.ghi"},
		{"bearer   abc.def.ghi"},
		{"Basic c2l2YTpzZWNyZXQ="},
		{"Bearer abc.def.ghi", "Bearer jkl.mno.pqr"},
	} {
		token, err := resourceserver.BearerToken(authorization)
		fmt.Printf("%q %v\n", token, err)
	}
	// Output:
	// "abc.def.ghi" <nil>
	// "abc.def.ghi" <nil>
	// "" resourceserver: no bearer token in the request (missing_token)
	// "" resourceserver: more than one Authorization header in the request (multiple_authorization)
}

// A refusal as data: what the client is told, and what the operator should do.
func ExampleError() {
	realm := keycloaktest.NewServer(keycloaktest.Config{InMemory: true, Algorithm: "EdDSA"})
	defer realm.Close()
	auth := serviceIn(realm)
	_, err := auth.Verify(context.Background(), realm.Token(keycloaktest.Token{User: "bob", Audience: []string{"account"}}))
	var refused *resourceserver.Error
	if errors.As(err, &refused) {
		fmt.Println(refused.Status == http.StatusUnauthorized, refused.Code)
		fmt.Println("to the client: ", refused.Description)
		fmt.Println("for the metric:", refused.Reason)
		fmt.Println("for the log:   ", refused.Hint)
	}
	fmt.Println(errors.Is(err, resourceserver.ErrKeysUnavailable)) // the token is to blame
	// Output:
	// true invalid_token
	// to the client:  the audience does not match
	// for the metric: audience_mismatch
	// for the log:    aud is [account]: in Keycloak add an Audience mapper for service to the calling client or to a client scope of it
	// false
}
