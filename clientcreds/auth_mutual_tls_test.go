package clientcreds

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// certificate writes a self-signed certificate for name, and its key, over what is there.
func certificate(t testing.TB, files MutualTLS, name string, end time.Time) {
	t.Helper()
	key := testKeys.ec().(*ecdsa.PrivateKey)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: end,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(files.CertFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(files.KeyFile, []byte(pkcs8(key)), 0o600))
}

// mtlsIssuer is an issuer that asks for certificates, with a token endpoint apart for those who show one.
type mtlsIssuer struct {
	*httptest.Server
	mu    sync.Mutex // guards seen
	seen  []string   // path and the certificate's name, a request each
	aside string     // what the document says the endpoint apart is
}

func newMTLSIssuer(t testing.TB) *mtlsIssuer {
	i := &mtlsIssuer{}
	i.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := "nobody"
		if len(r.TLS.PeerCertificates) > 0 {
			name = r.TLS.PeerCertificates[0].Subject.CommonName
		}
		i.mu.Lock()
		i.seen = append(i.seen, r.URL.Path+" "+name)
		i.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		switch {
		case r.URL.Path == "/.well-known/openid-configuration":
			fmt.Fprintf(w, `{"issuer":%q,"token_endpoint":"%s/token","token_endpoint_auth_methods_supported":["tls_client_auth"],"mtls_endpoint_aliases":{"token_endpoint":%q}}`, i.URL, i.URL, i.aside)
		case name == "nobody" || r.FormValue("client_id") != "c":
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"error":"invalid_client"}`)
		default:
			fmt.Fprintf(w, `{"access_token":"for-%s","expires_in":300}`, name)
		}
	}))
	i.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	i.EnableHTTP2 = true
	i.StartTLS()
	t.Cleanup(i.Close)
	return i
}

func (i *mtlsIssuer) requests() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	all := i.seen
	i.seen = nil
	return all
}

func newMTLSSource(t testing.TB, i *mtlsIssuer, change ...func(*Config)) (*Source, MutualTLS) {
	dir := t.TempDir()
	files := MutualTLS{CertFile: filepath.Join(dir, "tls.crt"), KeyFile: filepath.Join(dir, "tls.key")}
	certificate(t, files, "first", time.Now().Add(time.Hour))
	config := Config{TokenURL: i.URL + "/token", ClientID: "c", Auth: files, HTTPClient: i.Client(), Logger: slog.New(slog.DiscardHandler)}
	for _, f := range change {
		f(&config)
	}
	source, err := New(config)
	require.NoError(t, err)
	return source, files
}

func TestMutualTLSShowsTheCertificateAndItsSuccessor(t *testing.T) {
	issuer := newMTLSIssuer(t)
	source, files := newMTLSSource(t, issuer)
	assert.Equal(t, "for-first", token(t, source))
	certificate(t, files, "second", time.Now().Add(time.Hour))
	assert.Equal(t, "for-second", token(t, source.For(Target{Scopes: []string{"a"}})), "the open connection has the old one")
	assert.Equal(t, []string{"/token first", "/token second"}, issuer.requests())
	assert.Nil(t, issuer.Client().Transport.(*http.Transport).TLSClientConfig.GetClientCertificate, "the caller's transport is not touched")
}

func TestMutualTLSUsesTheEndpointApart(t *testing.T) {
	issuer := newMTLSIssuer(t)
	discover := func(c *Config) { c.Issuer, c.TokenURL = issuer.URL, "" }
	for aside, want := range map[string]string{"": "/token first", issuer.URL + "/mtls/token": "/mtls/token first"} {
		issuer.aside = aside
		source, _ := newMTLSSource(t, issuer, discover)
		token(t, source)
		assert.Equal(t, []string{"/.well-known/openid-configuration first", want}, issuer.requests())
	}
	source, _ := newMTLSSource(t, issuer, discover, func(c *Config) { c.Auth, c.ClientSecret = nil, "s" })
	_, _ = source.Token()
	assert.Equal(t, []string{"/.well-known/openid-configuration nobody", "/token nobody"}, issuer.requests(), "other methods have no business there")
}

func TestMutualTLSWithFilesThatAreNotThere(t *testing.T) {
	issuer := newMTLSIssuer(t)
	source, files := newMTLSSource(t, issuer, func(c *Config) { c.Issuer, c.TokenURL = issuer.URL, "" })
	require.NoError(t, os.WriteFile(files.KeyFile, []byte("p1anted"), 0o600))
	_, err := source.Token()
	require.ErrorIs(t, err, ErrUnavailable)
	assert.ErrorContains(t, err, "make no pair")
	assert.NotContains(t, err.Error(), "p1anted")
	assert.Equal(t, []string{"/.well-known/openid-configuration nobody"}, issuer.requests(), "no token request is sent")
	certificate(t, files, "third", time.Now().Add(time.Hour))
	other := source.For(Target{Scopes: []string{"a"}}) // without the backoff
	assert.Equal(t, "for-third", token(t, other))
	require.NoError(t, os.Remove(files.CertFile))
	_, err = source.For(Target{Scopes: []string{"b"}}).Token()
	assert.ErrorContains(t, err, "certificate file")
}

func TestMutualTLSIsNeverPlain(t *testing.T) {
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"issuer":"http://%s","token_endpoint":"http://%s/token"}`, r.Host, r.Host)
	}))
	defer plain.Close()
	source, _ := newMTLSSource(t, newMTLSIssuer(t), func(c *Config) { c.Issuer, c.TokenURL = plain.URL, "" })
	_, err := source.Token()
	assert.ErrorContains(t, err, "it is plain http, where no certificate can be shown")
}

// TestMutualTLSIsReadAgainWhenRefused: the certificate of a refused handshake may be the one that was replaced a moment ago.
func TestMutualTLSIsReadAgainWhenRefused(t *testing.T) {
	issuer := newMTLSIssuer(t)
	source, files := newMTLSSource(t, issuer)
	handler := issuer.Config.Handler
	issuer.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS.PeerCertificates[0].Subject.CommonName == "first" {
			certificate(t, files, "second", time.Now().Add(time.Hour))
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		handler.ServeHTTP(w, r)
	})
	assert.Equal(t, "for-second", token(t, source))
}
