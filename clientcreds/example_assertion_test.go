package clientcreds_test

import (
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"

	"github.com/svcauth/svcauth/clientcreds"
)

// newAssertionIssuer is a token endpoint that takes client assertions whose signature is good.
func newAssertionIssuer(good func(signed, signature []byte) bool) *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		assertion := r.FormValue("client_assertion")
		end := max(0, strings.LastIndexByte(assertion, '.'))
		signature, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(assertion[end:], "."))
		if r.FormValue("client_assertion_type") != clientcreds.AssertionTypeJWTBearer || err != nil || !good([]byte(assertion[:end]), signature) {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"error":"invalid_client"}`)
			return
		}
		fmt.Fprint(w, `{"access_token":"token-for-a-good-signature","token_type":"Bearer","expires_in":300}`)
	}))
}

// newKey is a key pair, the private one as a file would have it.
func newKey() (ed25519.PublicKey, []byte) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		panic(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		panic(err)
	}
	return public, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// newFile is a file with this text, as a deployment mounts one.
func newFile(text string) (path string, remove func()) {
	folder, err := os.MkdirTemp("", "mounted")
	if err != nil {
		panic(err)
	}
	path = filepath.Join(folder, "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		panic(err)
	}
	return path, func() { os.RemoveAll(folder) }
}

// The secret never leaves: it signs a short-lived JWT, anew for each token request.
func ExampleSecretJWT() {
	const secret = "a secret of no less than 32 bytes"
	issuer := newAssertionIssuer(func(signed, signature []byte) bool {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(signed)
		return hmac.Equal(signature, mac.Sum(nil))
	})
	defer issuer.Close()
	path, remove := newFile(secret)
	defer remove()
	source, err := clientcreds.New(clientcreds.Config{
		TokenURL: issuer.URL, ClientID: "archival-service",
		Auth:   clientcreds.SecretJWT{Secret: clientcreds.FromFile(path), Audience: issuer.URL}, // with Issuer instead of TokenURL no Audience is needed
		Logger: slog.New(slog.DiscardHandler),
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
	// Output: token-for-a-good-signature
}

// The issuer knows the public key alone.
func ExamplePrivateKeyJWT() {
	public, private := newKey()
	path, remove := newFile(string(private))
	defer remove()
	issuer := newAssertionIssuer(func(signed, signature []byte) bool { return ed25519.Verify(public, signed, signature) })
	defer issuer.Close()
	source, err := clientcreds.New(clientcreds.Config{
		TokenURL: issuer.URL,
		ClientID: "archival-service",
		Auth:     clientcreds.PrivateKeyJWT{Key: clientcreds.FromFile(path), KeyID: "2026-11", Audience: issuer.URL},
		Logger:   slog.New(slog.DiscardHandler),
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
	// Output: token-for-a-good-signature
}

// Kubernetes projects a token of the service account into a file and renews it there. The client has no secret, and no ID but the one in that token.
func ExampleAssertion() {
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"access_token":"token-for-%s","token_type":"Bearer","expires_in":300}`, r.FormValue("client_assertion"))
	}))
	defer issuer.Close()
	path, remove := newFile("projected") // in a pod it may be /var/run/secrets/tokens/keycloak
	defer remove()
	source, err := clientcreds.New(clientcreds.Config{
		TokenURL: issuer.URL,
		Auth:     clientcreds.Assertion{Token: clientcreds.FromFile(path)},
		Logger:   slog.New(slog.DiscardHandler),
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
	// Output: token-for-projected
}
