package keycloaktest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/svcauth/svcauth/clientcreds"
	"github.com/svcauth/svcauth/keycloak/keycloaktest"
	"github.com/svcauth/svcauth/resourceserver"
)

// oneTest stands for *testing.T where there is none: it keeps what is to be done at the test's end.
type oneTest struct{ cleanups []func() }

func (*oneTest) Helper()             {}
func (*oneTest) Fatal(args ...any)   { panic(fmt.Sprint(args...)) }
func (t *oneTest) Cleanup(do func()) { t.cleanups = append(t.cleanups, do) }
func (t *oneTest) end() {
	for _, do := range t.cleanups {
		do()
	}
}

// A realm for one test: it is closed when the test is over.
func ExampleNew() {
	testService := func(t keycloaktest.TB) { // in a test file: func TestService(t *testing.T)
		realm := keycloaktest.New(t, keycloaktest.Config{Algorithm: "EdDSA"})
		config := realm.ServerConfig("service")
		config.Logger = quiet
		auth, err := resourceserver.New(config)
		if err != nil {
			t.Fatal(err)
		}
		caller, err := auth.Verify(context.Background(), realm.Token(keycloaktest.Token{User: "alice"}))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println(caller.Username, caller.HasRole("ADMIN"))
	}
	t := new(oneTest)
	testService(t)
	t.end()
	// Output: alice true
}

// Without a test at hand, such as in a program that shows something, the realm is closed by whoever made it.
func ExampleNewServer() {
	realm := keycloaktest.NewServer(keycloaktest.Config{Name: "demo", Algorithm: "EdDSA"})
	defer realm.Close()

	res, err := http.Get(realm.Issuer() + keycloaktest.DiscoveryEndpoint)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer res.Body.Close()
	fmt.Println(res.StatusCode, realm.Issuer() == realm.URL+"/realms/demo")
	// Output: 200 true
}

// An administrator makes a new key. While the old one is passive its tokens still pass; once it is gone they don't.
func ExampleServer_RotateKeys() {
	realm := keycloaktest.NewServer(keycloaktest.Config{InMemory: true, Algorithm: "EdDSA"})
	defer realm.Close()
	old := realm.Token(keycloaktest.Token{User: "alice"})
	for _, keepOld := range []bool{true, false} {
		realm.RotateKeys(keepOld)
		config := realm.ServerConfig("service")
		config.Logger = quiet
		auth, err := resourceserver.New(config) // one that has just started, and so has the keys of now
		if err != nil {
			fmt.Println(err)
			return
		}
		_, ofOld := auth.Verify(context.Background(), old)
		_, ofNew := auth.Verify(context.Background(), realm.Token(keycloaktest.Token{User: "alice"}))
		fmt.Println(keepOld, ofOld == nil, ofNew == nil)
	}
	// Output:
	// true true true
	// false false true
}

// The issuer goes away. Callers with a token at hand don't notice.
func ExampleServer_SetDown() {
	realm := keycloaktest.NewServer(keycloaktest.Config{InMemory: true, Algorithm: "EdDSA"})
	defer realm.Close()
	config := realm.ClientConfig("job")
	config.Logger = quiet
	source, err := clientcreds.New(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, before := source.Token()
	realm.SetDown(true)
	_, during := source.Token()
	_, another := source.For(clientcreds.Target{Scopes: []string{"openid"}}).Token()
	fmt.Println(before, during, errors.Is(another, clientcreds.ErrUnavailable))
	// Output: <nil> <nil> true
}

// What the issuer was asked tells whether a service behaves.
func ExampleServer_Requests() {
	realm := keycloaktest.NewServer(keycloaktest.Config{InMemory: true, Algorithm: "EdDSA"})
	defer realm.Close()
	config := realm.ServerConfig("service")
	config.Logger = quiet
	auth, err := resourceserver.New(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 100 {
		if _, err := auth.Verify(context.Background(), realm.Token(keycloaktest.Token{User: "bob"})); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println(realm.Requests(keycloaktest.DiscoveryEndpoint), realm.Requests(keycloaktest.JWKSEndpoint))
	// Output: 1 1
}

// A client of the realm, with its secret. The config is for editing.
func ExampleServer_ClientConfig() {
	realm := keycloaktest.NewServer(keycloaktest.Config{InMemory: true, Algorithm: "EdDSA"})
	defer realm.Close()
	config := realm.ClientConfig("job")
	config.Scopes = []string{"openid"}
	config.Logger = quiet
	source, err := clientcreds.New(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = source.Token()
	fmt.Println(err, realm.Grants("job"), realm.LastTokenRequest().Get("scope"))
	// Output: <nil> 1 openid
}

// Tokens that a service must refuse, each by the name of what is wrong with it.
func ExampleServer_BadTokens() {
	realm := keycloaktest.NewServer(keycloaktest.Config{InMemory: true, Algorithm: "EdDSA"})
	defer realm.Close()
	config := realm.ServerConfig("service")
	config.Logger = quiet
	auth, err := resourceserver.New(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	good := keycloaktest.Token{User: "alice"}
	_, err = auth.Verify(context.Background(), realm.Token(good))
	fmt.Println(err)
	for name, token := range realm.BadTokens(good) {
		if _, err := auth.Verify(context.Background(), token); err == nil {
			fmt.Println("let in:", name)
		}
	}
	// Output: <nil>
}
