package clientcreds

import (
	"crypto/tls"
	"net/http"
	"sync"
)

// connector is a ClientAuth whose proof is in the connection to the issuer.
type connector interface {
	connect(base http.RoundTripper) http.RoundTripper
}

// certificateTransport sends requests over connections that show the client's certificate of the moment.
type certificateTransport struct {
	auth MutualTLS
	base *http.Transport // copied, not used

	mu      sync.Mutex // guards the rest
	shown   fingerprint
	current *http.Transport
}

// RoundTrip implements http.RoundTripper.
func (t *certificateTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	return t.transport().RoundTrip(req)
}

// CloseIdleConnections lets http.Client.CloseIdleConnections reach the connections.
func (t *certificateTransport) CloseIdleConnections() { t.transport().CloseIdleConnections() }

// transport returns one whose connections show the certificate that is in the files now. A connection keeps the certificate it was made with, so another
// certificate needs other connections. While the files can't be read, the last certificate stays, or none is shown: discovery may do without, and token
// requests are not sent then.
func (t *certificateTransport) transport() *http.Transport {
	pair, own, err := t.auth.load()
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case err != nil:
		if t.current == nil {
			t.current = t.base.Clone()
		}
	case t.current == nil || own != t.shown:
		if t.current != nil {
			t.current.CloseIdleConnections()
		}
		t.shown = own
		t.current = t.base.Clone()
		if t.current.TLSClientConfig == nil {
			t.current.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
		}
		// Shown whatever authorities the server lists: an issuer that says it is wrong can be understood, a handshake without any can't.
		t.current.TLSClientConfig.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return pair, nil }
	}
	return t.current
}
