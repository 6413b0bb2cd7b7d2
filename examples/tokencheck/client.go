package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"strings"

	"github.com/svcauth/svcauth/clientcreds"
)

const secretVariable = "OAUTH_CLIENT_SECRET"

// newClient makes the client of the flags. It asks nobody but, where the secret is nowhere else, who sits at the terminal.
func newClient(ctx context.Context, o options, stdin *os.File, stderr io.Writer) (*clientcreds.Source, error) {
	config := clientcreds.Config{
		Issuer:    o.issuer,
		ClientID:  o.clientID,
		Scopes:    o.requestScopes,
		Params:    url.Values{},
		AllowHTTP: o.allowHTTP,
		Logger:    slog.New(slog.DiscardHandler), // what goes wrong is reported
	}
	for _, param := range o.requestParams {
		name, value, ok := strings.Cut(param, "=")
		if !ok {
			return nil, errors.New("-request-param or REQUEST_PARAM: want name=value, such as audience=https://api.example") // not echoed: it may be a secret
		}
		config.Params.Add(name, value)
	}
	if o.tokenURL != "" {
		config.Issuer, config.TokenURL = "", o.tokenURL
	}
	var secret clientcreds.Secret
	held := func(ctx context.Context) ([]byte, error) { return secret(ctx) } // so that a wrong flag shows before the secret is asked for
	switch o.authMethod {
	case "client_secret_basic":
		config.Auth = clientcreds.SecretBasic{Secret: held}
	case "client_secret_post":
		config.Auth = clientcreds.SecretPost{Secret: held}
	case "client_secret_jwt":
		config.Auth = clientcreds.SecretJWT{Secret: held}
	default:
		return nil, fmt.Errorf("-auth-method or OAUTH_AUTH_METHOD is %q: want client_secret_basic, client_secret_post or client_secret_jwt", o.authMethod)
	}
	source, err := clientcreds.New(config)
	if err != nil {
		return nil, fmt.Errorf("%w (-h lists the flags, which are named alike)", err)
	}
	secret, err = findSecret(ctx, o, stdin, stderr)
	return source, err
}

// findSecret finds the client's secret and reads it once, so that a missing one shows before anything is asked for.
func findSecret(ctx context.Context, o options, stdin *os.File, stderr io.Writer) (clientcreds.Secret, error) {
	if o.clientSecretFile != "" {
		secret := clientcreds.FromFile(o.clientSecretFile)
		_, err := secret(ctx)
		return secret, err
	}
	if os.Getenv(secretVariable) != "" {
		return clientcreds.FromEnv(secretVariable), nil
	}
	typed, err := askHidden(ctx, stdin, stderr, fmt.Sprintf("Secret of client %q, which will not show: ", o.clientID), "-echo")
	switch {
	case errors.Is(err, errNoTerminal):
		return nil, fmt.Errorf("no secret of client %q: put it into %s, or into the file that -client-secret-file names", o.clientID, secretVariable)
	case err != nil:
		return nil, err
	case typed == "":
		return nil, fmt.Errorf("no secret of client %q: nothing was typed", o.clientID)
	}
	return func(context.Context) ([]byte, error) { return []byte(typed), nil }, nil
}
