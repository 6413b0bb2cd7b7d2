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
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/svcauth/svcauth/internal/jose"
)

// An RSA key takes a tenth of a second or more to make. So keys are made when first needed; the encryption key, which nothing is encrypted for, is one per
// process; and the RSA keys of a closed server serve the next one. Two servers that are open at the same time never share a signing key.
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

func isRSA(alg string) bool { return strings.HasPrefix(alg, "RS") || strings.HasPrefix(alg, "PS") }

func signingKey(alg string) *jose.PrivateKey {
	if !isRSA(alg) {
		return generate(alg)
	}
	spareMu.Lock()
	if n := len(spare); n > 0 {
		key := spare[n-1]
		spare = spare[:n-1]
		spareMu.Unlock()
		key, err := key.WithAlgorithm(alg)
		if err != nil {
			panic("keycloaktest: " + err.Error()) // can't happen: any RSA key fits
		}
		return key
	}
	spareMu.Unlock()
	return generate(alg)
}

// keyring holds the keys of one realm.
type keyring struct {
	realm, algorithm string

	mu        sync.Mutex                 // guards the following
	keys      []*jose.PrivateKey         // in the key set; of those for an algorithm the first signs; empty until first needed
	withdrawn []*jose.PrivateKey         // kept from other servers while this one is open
	published map[string]json.RawMessage // by key ID; a key's certificate stays the same
}

func newKeyring(realm, algorithm string) *keyring {
	return &keyring{realm: realm, algorithm: algorithm, published: map[string]json.RawMessage{}}
}

// signer is the key that signs by alg. If there is none yet it is made, as Keycloak does, and is in the key set from then on.
func (k *keyring) signer(alg string) *jose.PrivateKey {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.find(alg)
}

// find is called with mu held.
func (k *keyring) find(alg string) *jose.PrivateKey {
	for _, key := range k.keys {
		if key.Algorithm() == alg {
			return key
		}
	}
	key := signingKey(alg)
	k.keys = append(k.keys, key)
	return key
}

func (k *keyring) rotate(keepOld bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.find(k.algorithm) // a token signed before any request for keys must not stay valid
	var fresh []*jose.PrivateKey
	for _, old := range k.keys {
		if !slices.ContainsFunc(fresh, func(key *jose.PrivateKey) bool { return key.Algorithm() == old.Algorithm() }) {
			fresh = append(fresh, signingKey(old.Algorithm()))
		}
	}
	if !keepOld {
		k.withdrawn = append(k.withdrawn, k.keys...)
		k.keys = nil
	}
	k.keys = append(fresh, k.keys...)
}

// public is the key set as Keycloak shows it: the encryption key, the keys that sign, then the former ones.
func (k *keyring) public() []json.RawMessage {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.find(k.algorithm)
	set := []json.RawMessage{k.publish(encryptionKey(), "enc")}
	for _, key := range k.keys {
		set = append(set, k.publish(key, "sig"))
	}
	return set
}

// publish is called with mu held.
func (k *keyring) publish(key *jose.PrivateKey, use string) json.RawMessage {
	if k.published[key.ID()] == nil {
		k.published[key.ID()] = publicJWK(k.realm, key, use)
	}
	return k.published[key.ID()]
}

// release leaves the keys to the servers to come.
func (k *keyring) release() {
	k.mu.Lock()
	keys := append(k.keys, k.withdrawn...)
	k.keys, k.withdrawn, k.published = nil, nil, map[string]json.RawMessage{}
	k.mu.Unlock()
	spareMu.Lock()
	defer spareMu.Unlock()
	for _, key := range keys {
		if isRSA(key.Algorithm()) {
			spare = append(spare, key)
		}
	}
}

// publicJWK adds to an RSA key's JWK the self-signed certificate that Keycloak's have (RFC 7517 §4.7 to §4.9).
func publicJWK(realm string, key *jose.PrivateKey, use string) json.RawMessage {
	if use == "sig" && !isRSA(key.Algorithm()) {
		return key.PublicJWK(use)
	}
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
