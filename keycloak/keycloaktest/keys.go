package keycloaktest

import (
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // Keycloak publishes x5t, which is SHA-1 (RFC 7517 §4.8)
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"sync"
	"time"

	"github.com/svcauth/svcauth/internal/jose"
)

// An RSA key takes a tenth of a second or more to make. So keys are made when first needed; the encryption key, which nothing is encrypted for, is one per
// process; and the signing keys of a closed server serve the next one. Two servers that are open at the same time never share a signing key.
var (
	encryptionKey = sync.OnceValue(func() *jose.PrivateKey { return generate("RSA-OAEP") })

	spareMu sync.Mutex // guards spare
	spare   []*jose.PrivateKey
)

func generate(alg string) *jose.PrivateKey {
	key, err := jose.GenerateKey(alg)
	if err != nil {
		panic("keycloaktest: " + err.Error())
	}
	return key
}

func signingKey() *jose.PrivateKey {
	spareMu.Lock()
	if n := len(spare); n > 0 {
		key := spare[n-1]
		spare = spare[:n-1]
		spareMu.Unlock()
		return key
	}
	spareMu.Unlock()
	return generate("RS256")
}

// keyring holds the keys of one realm.
type keyring struct {
	realm string

	mu        sync.Mutex         // guards the following
	keys      []*jose.PrivateKey // in the key set; the first signs; empty until first needed
	withdrawn []*jose.PrivateKey // kept from other servers while this one is open
	set       []json.RawMessage  // nil until first needed
}

func newKeyring(realm string) *keyring { return &keyring{realm: realm} }

// current is the key that signs.
func (k *keyring) current() *jose.PrivateKey {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.first()
}

// first is called with mu held.
func (k *keyring) first() *jose.PrivateKey {
	if len(k.keys) == 0 {
		k.keys = []*jose.PrivateKey{signingKey()}
	}
	return k.keys[0]
}

func (k *keyring) rotate(keepOld bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.first() // a token signed before any request for keys must not stay valid
	if !keepOld {
		k.withdrawn = append(k.withdrawn, k.keys...)
		k.keys = nil
	}
	k.keys = append([]*jose.PrivateKey{signingKey()}, k.keys...)
	k.set = nil
}

// public is the key set as Keycloak shows it: the encryption key, the key that signs, then the former ones.
func (k *keyring) public() []json.RawMessage {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.first()
	if k.set == nil {
		k.set = append(k.set, publicJWK(k.realm, encryptionKey(), "enc"))
		for _, key := range k.keys {
			k.set = append(k.set, publicJWK(k.realm, key, "sig"))
		}
	}
	return k.set
}

// release leaves the keys to the servers to come.
func (k *keyring) release() {
	k.mu.Lock()
	keys := append(k.keys, k.withdrawn...)
	k.keys, k.withdrawn, k.set = nil, nil, nil
	k.mu.Unlock()
	spareMu.Lock()
	defer spareMu.Unlock()
	spare = append(spare, keys...)
}

// publicJWK adds to the key's JWK the self-signed certificate that Keycloak's keys have (RFC 7517 §4.7 to §4.9).
func publicJWK(realm string, key *jose.PrivateKey, use string) json.RawMessage {
	now := time.Now()
	name := pkix.Name{CommonName: realm}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixMilli()),
		Issuer:       name,
		Subject:      name,
		NotBefore:    now.Add(-100 * time.Second),
		NotAfter:     now.AddDate(10, 0, 0),
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Signer().Public(), key.Signer())
	if err != nil {
		panic(fmt.Sprintf("keycloaktest: no certificate for %v: %v", key, err))
	}
	var jwk struct {
		KeyID       string   `json:"kid"`
		KeyType     string   `json:"kty"`
		Algorithm   string   `json:"alg"`
		Use         string   `json:"use"`
		Chain       []string `json:"x5c"`
		ThumbSHA1   string   `json:"x5t"`
		ThumbSHA256 string   `json:"x5t#S256"`
		Modulus     string   `json:"n"`
		Exponent    string   `json:"e"`
	}
	if err := json.Unmarshal(key.PublicJWK(use), &jwk); err != nil {
		panic(fmt.Sprintf("keycloaktest: no JWK for %v: %v", key, err))
	}
	thumb1, thumb256 := sha1.Sum(certificate), sha256.Sum256(certificate) //nolint:gosec // as above
	jwk.Chain = []string{base64.StdEncoding.EncodeToString(certificate)}
	jwk.ThumbSHA1 = base64.RawURLEncoding.EncodeToString(thumb1[:])
	jwk.ThumbSHA256 = base64.RawURLEncoding.EncodeToString(thumb256[:])
	out, err := json.Marshal(jwk)
	if err != nil {
		panic(fmt.Sprintf("keycloaktest: no JWK for %v: %v", key, err))
	}
	return out
}
