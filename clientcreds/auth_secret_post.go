package clientcreds

import (
	"context"
	"net/http"
	"net/url"
)

// SecretPost sends the client's id and secret in the form: client_secret_post, RFC 6749 §2.3.1. It is for issuers that do not accept [SecretBasic].
// The form is encoded as every form is, so there is nothing here that an older issuer could read otherwise.
type SecretPost struct {
	Secret Secret
}

var _ ClientAuth = SecretPost{}

// AuthenticateClient implements [ClientAuth].
func (a SecretPost) AuthenticateClient(ctx context.Context, _ string, _ *http.Request, form url.Values) error {
	secret, err := a.Secret.read(ctx)
	if err != nil {
		return err
	}
	form.Set("client_secret", secret)
	return nil
}

func (a SecretPost) check(c *Config) error { return checkSecret(c, "SecretPost", a.Secret) }

func (SecretPost) method() string { return "client_secret_post" }
