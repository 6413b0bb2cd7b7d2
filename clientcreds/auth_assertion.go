package clientcreds

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// Assertion sends an assertion that somebody else made about the client (RFC 7521 §4.2): Kubernetes, which projects a service account's token into a file and
// renews it there, or SPIFFE, whose agent gives JWT-SVIDs. The client has no secret of its own.
//
// Leave [Config.ClientID] empty unless the issuer asks for one: it knows the client by the assertion's subject. Ask for the assertion with the issuer's
// identifier as its only audience.
type Assertion struct {
	// Token gives the assertion; it is asked for every token request, and so may be renewed at any time. An issuer may take each assertion once only, as
	// Keycloak does unless its identity provider allows reuse: a file that rests longer than a token lives needs that permission.
	Token Secret
	// Type is the client_assertion_type. Empty: [AssertionTypeJWTBearer].
	Type string
}

var _ ClientAuth = Assertion{}

// AuthenticateClient implements [ClientAuth].
func (a Assertion) AuthenticateClient(ctx context.Context, _ string, _ *http.Request, form url.Values) error {
	token, err := a.Token.read(ctx)
	if err != nil {
		return err
	}
	if strings.ContainsFunc(token, func(r rune) bool { return r < 0x21 || r > 0x7e }) {
		return errors.New("the assertion has characters that no assertion may have, such as white space")
	}
	kind := a.Type
	if kind == "" {
		kind = AssertionTypeJWTBearer
	}
	form.Set("client_assertion_type", kind)
	form.Set("client_assertion", token)
	return nil
}

func (a Assertion) check(*Config) error {
	if a.Token == nil {
		return errors.New("Assertion.Token is nil: set it, to FromFile for example")
	}
	return checkText("Assertion.Type", a.Type)
}

// method is the registered name for any JWT of RFC 7523; who signed it makes no difference there.
func (Assertion) method() string { return "private_key_jwt" }
