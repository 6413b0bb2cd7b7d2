package clientcreds

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/svcauth/svcauth/internal/jose"
)

// PrivateKeyJWT sends a JWT that the client's private key signs: private_key_jwt, OpenID Connect Core 1.0 §9 and RFC 7523 §2.2. The issuer knows the public
// key only, so nothing it holds can be used in the client's name.
//
// Each token request carries a JWT of its own, valid for a minute by this machine's clock.
type PrivateKeyJWT struct {
	// Key is a PEM block (PKCS #8, PKCS #1 or SEC 1, not encrypted) or a JWK: RSA of 2048 bits or more, EC on P-256, P-384 or P-521, or Ed25519.
	Key Secret
	// KeyID is the JWT's kid, by which the issuer finds the public key. Empty: the JWK's kid; a PEM has none, and then the JWT has none.
	KeyID string
	// Algorithm is an RS, PS or ES algorithm of RFC 7518 §3.1, or EdDSA. Empty: the JWK's alg, or else RS256, ES256, ES384, ES512 or EdDSA, by the key.
	Algorithm string
	Audience  string // Empty: the issuer's identifier, as RFC 10070 asks. Some issuers want their token endpoint's URL
	Type      string // the JWT's typ. Empty: client-authentication+jwt, as RFC 10070 asks. Some issuers want JWT
}

var (
	_ ClientAuth    = PrivateKeyJWT{}
	_ fingerprinter = PrivateKeyJWT{}
)

// AuthenticateClient implements [ClientAuth].
func (a PrivateKeyJWT) AuthenticateClient(ctx context.Context, issuer string, req *http.Request, form url.Values) error {
	_, err := a.authenticate(ctx, issuer, req, form)
	return err
}

func (a PrivateKeyJWT) authenticate(ctx context.Context, issuer string, _ *http.Request, form url.Values) (fingerprint, error) {
	text, err := a.Key.read(ctx)
	if err != nil {
		return fingerprint{}, err
	}
	key, err := a.parse(text)
	if err != nil {
		return fingerprint{}, fmt.Errorf("private key: %w", err)
	}
	return fingerprintOf(text), assertion{a.Audience, a.Type}.mint(issuer, form, key.Sign)
}

func (a PrivateKeyJWT) parse(text string) (*jose.PrivateKey, error) {
	key, err := jose.ParsePrivateKey([]byte(text))
	if err != nil {
		return nil, err
	}
	if a.KeyID != "" {
		key = key.WithID(a.KeyID)
	}
	if a.Algorithm != "" {
		return key.WithAlgorithm(a.Algorithm)
	}
	return key, nil
}

func (a PrivateKeyJWT) check(c *Config) error {
	if a.Key == nil {
		return errors.New("PrivateKeyJWT.Key is nil: set it, to FromFile for example")
	}
	if a.Algorithm != "" && !jose.Supported(a.Algorithm) {
		return fmt.Errorf("PrivateKeyJWT.Algorithm: %q is not one of %s", a.Algorithm, strings.Join(jose.Algorithms(), ", "))
	}
	if err := checkText("PrivateKeyJWT.KeyID", a.KeyID); err != nil {
		return err
	}
	return assertion{a.Audience, a.Type}.check(c, "PrivateKeyJWT")
}

func (PrivateKeyJWT) method() string { return "private_key_jwt" }
