package integration

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
)

// authRealm is the realm of the tests of client authentication. They make it themselves; only the document below knows its name earlier.
const authRealm = "client-authentication"

// serveHTTPS gives Keycloak a second port, where it asks for a certificate and takes those of k.authority.
//
// --https-client-auth is an option that Keycloak is built with: if KEYCLOAK_HOME was built without, it builds itself anew at its first start, for half a minute.
func (k *keycloak) serveHTTPS(dir string) error {
	addr := freeAddr()
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	if k.authority, err = newAuthority(dir, "authority"); err != nil {
		return err
	}
	own := pair(dir, "keycloak")
	if _, err := k.authority.issue(own, "localhost", "localhost", "127.0.0.1"); err != nil {
		return err
	}
	// Keycloak advertises mtls_endpoint_aliases, and they are the usual endpoints, so who takes no notice of them would not be found out. With these, which every
	// realm advertises, the token endpoint for those who show a certificate has another host name.
	k.secure, k.mtlsTokenURL = "https://"+addr, "https://127.0.0.1:"+port+"/realms/"+authRealm+tokenPath
	aliases, err := json.Marshal(object{"mtls_endpoint_aliases": object{"token_endpoint": k.mtlsTokenURL}})
	if err != nil {
		return err
	}
	override := filepath.Join(dir, "aliases.json")
	if err := os.WriteFile(override, aliases, 0o600); err != nil {
		return err
	}
	k.args = append(k.args, "--https-port", port, "--https-client-auth=request", "--https-certificate-file", own.CertFile,
		"--https-certificate-key-file", own.KeyFile, "--truststore-paths", k.authority.path,
		"--spi-well-known--openid-configuration--openid-configuration-override="+override)
	return nil
}

// secureURL is the issuer of a realm that has k.secure as its frontend URL: whichever host it is asked at.
func (k *keycloak) secureURL(realm string) string { return k.secure + "/realms/" + realm }

// trusting is a client that trusts Keycloak's certificate.
func (k *keycloak) trusting() *http.Client {
	pool := x509.NewCertPool()
	pool.AddCert(k.authority.cert)
	return &http.Client{Timeout: client.Timeout, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}}
}
