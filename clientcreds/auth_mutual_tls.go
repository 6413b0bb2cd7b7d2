package clientcreds

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// MutualTLS shows a certificate in the TLS handshake with the token endpoint: tls_client_auth and self_signed_tls_client_auth, RFC 8705 §2. If the issuer
// has a token endpoint apart for this (mtls_endpoint_aliases, RFC 8705 §5), discovery finds it. Config.HTTPClient's Transport must be nil or an
// *http.Transport, of which a copy gets the certificate.
//
// The files are read for every token request; once they changed, new connections show the new certificate, and the old connections are used no more.
type MutualTLS struct {
	CertFile string // PEM: the certificate, then those between it and the root
	KeyFile  string // PEM, not encrypted
}

var (
	_ ClientAuth    = MutualTLS{}
	_ fingerprinter = MutualTLS{}
	_ connector     = MutualTLS{}
)

// AuthenticateClient implements [ClientAuth]. The proof is in the connection, which [New] takes care of; what is left is to say so if it can't be given.
func (a MutualTLS) AuthenticateClient(ctx context.Context, issuer string, req *http.Request, form url.Values) error {
	_, err := a.authenticate(ctx, issuer, req, form)
	return err
}

func (a MutualTLS) authenticate(_ context.Context, _ string, req *http.Request, form url.Values) (fingerprint, error) {
	if form.Get("client_id") == "" {
		return fingerprint{}, errors.New("the client has no id, which the issuer needs beside a certificate (RFC 8705 §2)")
	}
	if !strings.EqualFold(req.URL.Scheme, "https") {
		return fingerprint{}, errors.New("it is plain http, where no certificate can be shown")
	}
	_, own, err := a.load()
	return own, err
}

// load reads the certificate and its key.
func (a MutualTLS) load() (*tls.Certificate, fingerprint, error) {
	cert, err := readSecret(a.CertFile)
	if err != nil {
		return nil, fingerprint{}, fmt.Errorf("certificate file %q: %w", a.CertFile, err)
	}
	key, err := readSecret(a.KeyFile)
	if err != nil {
		return nil, fingerprint{}, fmt.Errorf("key file %q: %w", a.KeyFile, err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fingerprint{}, fmt.Errorf("certificate file %q and key file %q make no pair: each must be PEM, the key not encrypted, and the two belong together", a.CertFile, a.KeyFile)
	}
	return &pair, fingerprintOf(string(cert), string(key)), nil
}

func (a MutualTLS) check(c *Config) error {
	switch {
	case a.CertFile == "":
		return errors.New("MutualTLS.CertFile is empty: set it to the path of the client's certificate")
	case a.KeyFile == "":
		return errors.New("MutualTLS.KeyFile is empty: set it to the path of the certificate's private key")
	case c.ClientID == "":
		return errClientID
	case c.TokenURL != "" && !strings.HasPrefix(strings.ToLower(c.TokenURL), "https:"):
		return fmt.Errorf("MutualTLS needs https: TokenURL %q is plain http", c.TokenURL)
	}
	base := http.DefaultTransport
	if c.HTTPClient != nil && c.HTTPClient.Transport != nil {
		base = c.HTTPClient.Transport
	}
	t, ok := base.(*http.Transport)
	if !ok || t == nil {
		return fmt.Errorf("MutualTLS can't put a certificate into HTTPClient.Transport, a %T: leave it nil, or make it an *http.Transport", base)
	}
	if t.DialTLSContext != nil || t.DialTLS != nil { //nolint:staticcheck // deprecated, and still obeyed by net/http
		return errors.New("MutualTLS can't put a certificate into an HTTPClient.Transport that has its own DialTLSContext: leave that nil")
	}
	return nil
}

func (MutualTLS) method() string { return "tls_client_auth" }

// connect returns base with the certificate in it. A check has made sure that base is an *http.Transport.
func (a MutualTLS) connect(base http.RoundTripper) http.RoundTripper {
	if base == nil {
		base = http.DefaultTransport
	}
	return &certificateTransport{auth: a, base: base.(*http.Transport)}
}
