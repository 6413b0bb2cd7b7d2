package clientcreds

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

// ClientAuth is how a client proves who it is at the token endpoint (RFC 6749 §2.3). The types of this package that implement it are named after the
// registered methods; a program may write its own.
//
// AuthenticateClient adds the proof to one token request. It is called for every request that is sent, a second one of the same attempt included, so what
// may be used only once (an assertion's jti) is minted in it.
//
//   - ctx has the deadline of the fetch, and nothing of any caller's context. The method must return when it ends: all callers wait for it.
//   - issuer is the issuer's identifier, the audience of assertions (RFC 10070), or "" if the client is configured with a TokenURL.
//   - req.URL is the token endpoint. Header fields set on req.Header are sent; everything else of req is ignored.
//   - form is what the body will be. It holds grant_type, the target's parameters, and client_id unless [Config.ClientID] is empty; members may be added,
//     and client_id removed by a method that sends it elsewhere.
//
// Implementations must be safe for concurrent use and must not keep req or form. Their errors are shown to callers and logged: they must not hold the
// secret. Such an error counts as transient and nothing is sent.
type ClientAuth interface {
	AuthenticateClient(ctx context.Context, issuer string, req *http.Request, form url.Values) error
}

// checkedAuth is a ClientAuth that New can look over. The config is the one that it stands in.
type checkedAuth interface {
	check(*Config) error
}

// named is a ClientAuth with a registered method name (OpenID Connect Core 1.0 §9, RFC 8705 §2).
type named interface {
	method() string
}

// methodOf returns the registered name of auth's method, or "" for a program's own.
func methodOf(auth ClientAuth) string {
	if n, ok := auth.(named); ok {
		return n.method()
	}
	return ""
}

// fingerprinter is a ClientAuth whose requests do not show whether its credential is still the same: a JWT is another each time, a certificate is not in
// them. authenticate is AuthenticateClient and tells, so that a refused credential is tried once more only if it was rotated.
type fingerprinter interface {
	authenticate(ctx context.Context, issuer string, req *http.Request, form url.Values) (fingerprint, error)
}

// fingerprint stands for a credential without being one.
type fingerprint [sha256.Size]byte

func fingerprintOf(parts ...string) fingerprint {
	h := sha256.New()
	for _, part := range parts {
		own := sha256.Sum256([]byte(part)) // of one length, so that no two lists of parts read alike
		h.Write(own[:])
	}
	return fingerprint(h.Sum(nil))
}

// checkSecret is the check of methods that are a client id and a secret.
func checkSecret(c *Config, method string, secret Secret) error {
	if secret == nil {
		return fmt.Errorf("%s.Secret is nil: set it, to FromFile or FromEnv for example", method)
	}
	if c.ClientID == "" {
		return errClientID
	}
	return nil
}

// read gets a secret that must not be empty.
func (s Secret) read(ctx context.Context) (string, error) {
	if s == nil {
		return "", errors.New("the secret is nil")
	}
	b, err := s(ctx)
	if err != nil {
		return "", err
	}
	if len(b) == 0 {
		return "", errors.New("the secret is empty")
	}
	return string(b), nil
}
