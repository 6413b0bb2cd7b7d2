package clientcreds

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// SecretBasic sends the client's id and secret in the Authorization header: client_secret_basic, RFC 6749 §2.3.1. It is what most issuers expect.
type SecretBasic struct {
	Secret Secret
	// SkipFormEncoding sends id and secret as they are. It is for issuers older than the RFC's encoding: try it when a secret with %, + or other special
	// characters is refused although it is right. An id with a colon in it can't be sent that way.
	SkipFormEncoding bool
}

var _ ClientAuth = SecretBasic{}

// AuthenticateClient implements [ClientAuth].
func (a SecretBasic) AuthenticateClient(ctx context.Context, _ string, req *http.Request, form url.Values) error {
	secret, err := a.Secret.read(ctx)
	if err != nil {
		return err
	}
	pair := formEncode(form.Get("client_id")) + ":" + formEncode(secret)
	if a.SkipFormEncoding {
		pair = form.Get("client_id") + ":" + secret
	}
	req.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(pair)))
	// The id is in the header. Issuers exist that take a second one for a second credential and refuse the request.
	form.Del("client_id")
	return nil
}

func (a SecretBasic) check(c *Config) error {
	if a.SkipFormEncoding && strings.Contains(c.ClientID, ":") {
		return errors.New("SecretBasic.SkipFormEncoding: ClientID has a colon in it, which only form-encoding can tell from the one before the secret: use SecretPost")
	}
	return checkSecret(c, "SecretBasic", a.Secret)
}

func (SecretBasic) method() string { return "client_secret_basic" }

// formEncode is the application/x-www-form-urlencoded encoding of RFC 6749 §2.3.1, with a space as %20: decoders of forms read both spellings, but there is
// an issuer that decodes as a URI and takes + for itself.
func formEncode(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
