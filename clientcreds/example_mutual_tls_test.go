package clientcreds_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/svcauth/svcauth/clientcreds"
)

// newCertificate makes a self-signed certificate for name, and its key, as files.
func newCertificate(name string) (files clientcreds.MutualTLS, remove func()) {
	public, key := newKey()
	block, _ := pem.Decode(key)
	private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	certificate, err := x509.CreateCertificate(nil, template, template, public, private)
	if err != nil {
		panic(err)
	}
	certFile, removeCert := newFile(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})))
	keyFile, removeKey := newFile(string(key))
	return clientcreds.MutualTLS{CertFile: certFile, KeyFile: keyFile}, func() { removeCert(); removeKey() }
}

// newTLSIssuer is a token endpoint that knows its clients by their certificates.
func newTLSIssuer() *httptest.Server {
	issuer := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"access_token":"token-for-%s","token_type":"Bearer","expires_in":300}`, r.TLS.PeerCertificates[0].Subject.CommonName)
	}))
	issuer.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	issuer.StartTLS()
	return issuer
}

// The client is known by its certificate. The files are read for every token request, so one that is renewed counts without a restart.
func ExampleMutualTLS() {
	files, remove := newCertificate("archival-service") // MutualTLS{CertFile: …, KeyFile: …}
	defer remove()
	issuer := newTLSIssuer()
	defer issuer.Close()
	source, err := clientcreds.New(clientcreds.Config{
		TokenURL: issuer.URL, ClientID: "archival-service", Auth: files,
		HTTPClient: issuer.Client(), // trusts this issuer's own certificate
		Logger:     slog.New(slog.DiscardHandler),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	token, err := source.TokenContext(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(token.AccessToken)
	// Output: token-for-archival-service
}
