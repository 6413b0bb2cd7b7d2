package clientcreds_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/svcauth/svcauth/clientcreds"
	"github.com/svcauth/svcauth/keycloak/keycloaktest"
)

// A secret out of a vault: any function will do. It is asked for every token request, so a cache in it decides how soon a rotated secret counts.
func ExampleSecret() {
	vault := map[string]string{"clients/job": "job-secret"}
	var secret clientcreds.Secret = func(context.Context) ([]byte, error) {
		value, ok := vault["clients/job"]
		if !ok {
			return nil, fmt.Errorf("the vault has no clients/job")
		}
		return []byte(value), nil
	}
	realm := keycloaktest.NewServer(keycloaktest.Config{InMemory: true, Algorithm: "EdDSA"})
	defer realm.Close()
	config := realm.ClientConfig("job")
	config.ClientSecret, config.Auth = "", clientcreds.SecretBasic{Secret: secret}
	source, err := clientcreds.New(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(source.Diagnose(context.Background()).OK())
	// Output: true
}

// The secret is rotated: the issuer has a new one, and so has the file that the deployment mounts. The program goes on without a restart.
func ExampleFromFile() {
	path, remove := newFile("not yet written")
	defer remove()
	realm := keycloaktest.NewServer(keycloaktest.Config{InMemory: true, Algorithm: "EdDSA"})
	defer realm.Close()
	config := realm.ClientConfig("job")
	config.ClientSecret, config.Auth = "", clientcreds.SecretBasic{Secret: clientcreds.FromFile(path)}
	source, err := clientcreds.New(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, secret := range []string{"the first secret", "the second secret"} {
		realm.SetSecret("job", secret)
		if err := os.WriteFile(path, []byte(secret+"\n"), 0o600); err != nil {
			fmt.Println(err)
		}
		fmt.Println(source.Diagnose(context.Background()).OK())
	}
	// Output:
	// true
	// true
}

// An environment variable that is missing is an error that names it, at the first token request.
func ExampleFromEnv() {
	secret := clientcreds.FromEnv("EXAMPLE_JOB_SECRET")
	_, err := secret(context.Background())
	fmt.Println(err)

	os.Setenv("EXAMPLE_JOB_SECRET", "job-secret") // as the deployment does
	defer os.Unsetenv("EXAMPLE_JOB_SECRET")
	value, err := secret(context.Background())
	fmt.Println(len(value), err)
	// Output:
	// environment variable "EXAMPLE_JOB_SECRET" is not set
	// 10 <nil>
}

// The usual method, with a secret that may change.
func ExampleSecretBasic() {
	realm := keycloaktest.NewServer(keycloaktest.Config{InMemory: true, Algorithm: "EdDSA"})
	defer realm.Close()
	os.Setenv("EXAMPLE_JOB_SECRET", "job-secret") // as the deployment does
	defer os.Unsetenv("EXAMPLE_JOB_SECRET")

	source, err := clientcreds.New(clientcreds.Config{
		Issuer:     realm.Issuer(),
		ClientID:   "job",
		Auth:       clientcreds.SecretBasic{Secret: clientcreds.FromEnv("EXAMPLE_JOB_SECRET")},
		HTTPClient: realm.ClientConfig("job").HTTPClient,
		Logger:     slog.New(slog.DiscardHandler),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = source.TokenContext(context.Background())
	fmt.Println(err, realm.LastTokenRequest().Encode())
	// Output: <nil> grant_type=client_credentials
}

// For an issuer that wants the secret in the form.
func ExampleSecretPost() {
	realm := keycloaktest.NewServer(keycloaktest.Config{InMemory: true, Algorithm: "EdDSA"})
	defer realm.Close()
	secret := func(context.Context) ([]byte, error) { return []byte("job-secret"), nil }
	config := realm.ClientConfig("job")
	config.ClientSecret, config.Auth = "", clientcreds.SecretPost{Secret: secret}
	config.Logger = slog.New(slog.DiscardHandler)
	source, err := clientcreds.New(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = source.TokenContext(context.Background())
	fmt.Println(err)
	for name, values := range realm.LastTokenRequest() {
		if name == "client_secret" {
			fmt.Println(name, values)
		}
	}
	// Output:
	// <nil>
	// client_secret [[secret]]
}
