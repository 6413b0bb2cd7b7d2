package clientcreds

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
)

// SecretBasic sends the client's id and secret in the Authorization header: client_secret_basic, RFC 6749 §2.3.1. It is what most issuers expect.
type SecretBasic struct {
	Secret Secret
}

var _ ClientAuth = SecretBasic{}

// AuthenticateClient implements [ClientAuth].
func (a SecretBasic) AuthenticateClient(ctx context.Context, _ string, req *http.Request, form url.Values) error {
	secret, err := a.Secret.read(ctx)
	if err != nil {
		return err
	}
	pair := formEncode(form.Get("client_id")) + ":" + formEncode(secret)
	req.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(pair)))
	// The id is in the header. Issuers exist that take a second one for a second credential and refuse the request.
	form.Del("client_id")
	return nil
}

func (a SecretBasic) check(c *Config) error { return checkSecret(c, "SecretBasic", a.Secret) }

// formEncode is the application/x-www-form-urlencoded encoding of RFC 6749 §2.3.1, with a space as %20: decoders of forms read both spellings, but there is
// an issuer that decodes as a URI and takes + for itself.
func formEncode(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
