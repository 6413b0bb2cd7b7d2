package keycloaktest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/svcauth/svcauth/keycloak/keycloaktest"
	"github.com/svcauth/svcauth/resourceserver"
)

// archive is the handler under test.
func archive(w http.ResponseWriter, r *http.Request) {
	caller, _ := resourceserver.PrincipalFrom(r.Context())
	fmt.Fprintf(w, "archived for %s", caller.Username)
}

// Test a handler, with the middleware around it: who gets in, who doesn't, and that no bad token does. The realm is made from Go; in a test the first line is
// keycloaktest.New(t, …), which needs no Close.
func Example_handler() {
	realm := keycloaktest.NewServer(keycloaktest.Config{
		Clients: []keycloaktest.Client{
			{ID: "messages-service"},
			{ID: "archiver", Secret: "archiver-secret", Roles: []string{"ROLE_ADMIN_JOB"}, Audience: []string{"messages-service"}},
			{ID: "webapp", RedirectURIs: []string{"http://127.0.0.1/*"}, Audience: []string{"messages-service"}},
		},
		Users: []keycloaktest.User{
			{Name: "ann", Roles: []string{"ROLE_ADMIN"}},
			{Name: "ben", Roles: []string{"ROLE_USER"}},
		},
	})
	defer realm.Close()
	config := realm.ServerConfig("messages-service")
	config.Logger = quiet
	auth, err := resourceserver.New(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	handler := auth.RequireAnyRole("ADMIN", "ADMIN_JOB")(http.HandlerFunc(archive))
	call := func(token string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("POST", "/api/messages/archive", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w
	}

	for _, c := range []struct {
		caller string
		token  keycloaktest.Token
	}{
		{"an administrator", keycloaktest.Token{User: "ann"}},
		{"a service", keycloaktest.Token{Client: "archiver"}},
		{"a user", keycloaktest.Token{User: "ben"}},
		{"an administrator with an old token", keycloaktest.Token{User: "ann", Lifetime: -time.Hour}},
	} {
		w := call(realm.Token(c.token))
		fmt.Println(c.caller+":", w.Code)
	}
	passed := 0
	for name, token := range realm.BadTokens(keycloaktest.Token{User: "ann"}) {
		if call(token).Code != http.StatusUnauthorized {
			fmt.Println("let in:", name)
			passed++
		}
	}
	fmt.Println("bad tokens let in:", passed)
	// Output:
	// an administrator: 200
	// a service: 200
	// a user: 403
	// an administrator with an old token: 401
	// bad tokens let in: 0
}

// Tokens of many kinds, and what a service makes of them.
func ExampleToken() {
	realm := keycloaktest.NewServer(keycloaktest.Config{Algorithm: "EdDSA"})
	defer realm.Close()
	auth, err := resourceserver.New(realm.ServerConfig("service"))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, token := range []keycloaktest.Token{
		{User: "alice"},
		{User: "alice", Type: "ID"},
		{User: "alice", Type: "Refresh"},
		{User: "alice", Audience: []string{"account"}},
		{User: "alice", Claims: map[string]any{"nbf": time.Now().Add(time.Hour).Unix()}},
		{User: "alice", Lightweight: true, Audience: []string{"service"}},
		{User: "alice", Algorithm: "ES256"},
		{User: "alice", Algorithm: "none"},
		{User: "alice", Forged: true},
	} {
		explanation := auth.Explain(context.Background(), realm.Token(token))
		fmt.Printf("%v %q\n", explanation.Accepted, explanation.Reason)
	}
	// Output:
	// true ""
	// false "audience_mismatch"
	// false "algorithm_not_allowed"
	// false "audience_mismatch"
	// false "not_yet_valid"
	// true ""
	// true ""
	// false "malformed_token"
	// false "invalid_signature"
}
