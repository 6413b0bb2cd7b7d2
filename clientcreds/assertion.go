package clientcreds

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"
)

// The types of a client assertion, for [Assertion.Type].
const (
	// AssertionTypeJWTBearer is a JWT, RFC 7523 §2.2.
	AssertionTypeJWTBearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	// AssertionTypeJWTSPIFFE is a JWT-SVID, draft-ietf-oauth-spiffe-client-auth.
	AssertionTypeJWTSPIFFE = "urn:ietf:params:oauth:client-assertion-type:jwt-spiffe"
)

const (
	// assertionTyp keeps a client's assertion from passing for any other JWT, RFC 10070.
	assertionTyp = "client-authentication+jwt"
	// assertionLifetime is what issuers take at most, some of them.
	assertionLifetime = time.Minute
)

// assertion is what the methods have in common that mint a JWT for each token request.
type assertion struct {
	audience, typ string
}

// mint signs a JWT for the client that form names and puts it there. sign gets the header's typ and the claims.
//
// One for each request: an issuer remembers the jti and refuses the second use, so even the second request of an attempt needs its own.
func (a assertion) mint(issuer string, form url.Values, sign func(header map[string]any, claims []byte) (string, error)) error {
	id := form.Get("client_id")
	if id == "" {
		return errors.New("the client has no id, which an assertion needs")
	}
	audience, typ := a.audience, a.typ
	if audience == "" {
		audience = issuer
	}
	if audience == "" {
		return errors.New("the assertion has no audience: set Audience")
	}
	if typ == "" {
		typ = assertionTyp
	}
	now := time.Now()
	claims, err := json.Marshal(map[string]any{
		"iss": id, "sub": id, "aud": audience, "jti": rand.Text(), "iat": now.Unix(), "exp": now.Add(assertionLifetime).Unix(),
	})
	if err != nil {
		return errors.New("the assertion can't be encoded")
	}
	signed, err := sign(map[string]any{"typ": typ}, claims)
	if err != nil {
		return err
	}
	form.Set("client_assertion_type", AssertionTypeJWTBearer)
	form.Set("client_assertion", signed)
	return nil
}

func (a assertion) check(c *Config, method string) error {
	if c.ClientID == "" {
		return errClientID
	}
	if a.audience == "" && c.Issuer == "" {
		return fmt.Errorf("%s.Audience is empty, and with TokenURL there is no issuer to take it from: set Audience to the issuer's identifier (RFC 10070), or Issuer instead of TokenURL", method)
	}
	if err := checkText(method+".Audience", a.audience); err != nil {
		return err
	}
	return checkText(method+".Type", a.typ)
}
