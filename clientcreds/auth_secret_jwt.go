package clientcreds

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/svcauth/svcauth/internal/jose"
)

// SecretJWT sends a JWT that the client's secret signs: client_secret_jwt, OpenID Connect Core 1.0 §9 and RFC 7523 §2.2. The secret itself stays here. It
// should have as many bytes as the algorithm's hash, 32 for HS256 (RFC 7518 §3.2): who sees the JWT of a shorter one can find it out by trial.
//
// Each token request carries a JWT of its own, valid for a minute by this machine's clock.
type SecretJWT struct {
	Secret    Secret
	Algorithm string // HS256, HS384 or HS512. Empty: HS256
	Audience  string // Empty: the issuer's identifier, as RFC 10070 asks. Some issuers want their token endpoint's URL
	Type      string // the JWT's typ. Empty: client-authentication+jwt, as RFC 10070 asks. Some issuers want JWT
}

var (
	_ ClientAuth    = SecretJWT{}
	_ fingerprinter = SecretJWT{}
)

// AuthenticateClient implements [ClientAuth].
func (a SecretJWT) AuthenticateClient(ctx context.Context, issuer string, req *http.Request, form url.Values) error {
	_, err := a.authenticate(ctx, issuer, req, form)
	return err
}

func (a SecretJWT) authenticate(ctx context.Context, issuer string, _ *http.Request, form url.Values) (fingerprint, error) {
	secret, err := a.Secret.read(ctx)
	if err != nil {
		return fingerprint{}, err
	}
	alg := a.Algorithm
	if alg == "" {
		alg = "HS256"
	}
	err = assertion{a.Audience, a.Type}.mint(issuer, form, func(header map[string]any, claims []byte) (string, error) {
		return jose.SignHMAC(alg, []byte(secret), header, claims)
	})
	return fingerprintOf(secret), err
}

func (a SecretJWT) check(c *Config) error {
	if err := checkSecret(c, "SecretJWT", a.Secret); err != nil {
		return err
	}
	if a.Algorithm != "" && !jose.SupportedHMAC(a.Algorithm) {
		return fmt.Errorf("SecretJWT.Algorithm: %q is not one of HS256, HS384, HS512", a.Algorithm)
	}
	return assertion{a.Audience, a.Type}.check(c, "SecretJWT")
}

func (SecretJWT) method() string { return "client_secret_jwt" }
