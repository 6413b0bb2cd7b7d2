package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// PrivateKey signs. It never prints its key: fmt sees the id and the algorithm only.
type PrivateKey struct {
	id, alg string
	public  jwk.Key
	private crypto.Signer
}

// GenerateKey makes a key for one of Algorithms, or for "RSA-OAEP", which encrypts and so can't sign; RSA keys have 2048 bits. Its id is the key's
// thumbprint (RFC 7638).
func GenerateKey(alg string) (*PrivateKey, error) {
	var private crypto.Signer
	var err error
	a, known := algorithms[alg]
	switch {
	case alg == "RSA-OAEP" || a.kty == "RSA":
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	case a.crv == "P-256":
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case a.crv == "P-384":
		private, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case a.crv == "P-521":
		private, err = ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case known:
		_, private, err = ed25519.GenerateKey(rand.Reader)
	default:
		return nil, fmt.Errorf("jose: %q is not a supported algorithm", alg)
	}
	if err != nil {
		return nil, errors.New("jose: key generation failed")
	}
	public, err := publicJWK(private)
	if err != nil {
		return nil, fmt.Errorf("jose: %w", err)
	}
	thumbprint, err := public.Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, errors.New("jose: key generation failed")
	}
	return &PrivateKey{id: base64.RawURLEncoding.EncodeToString(thumbprint), alg: alg, public: public, private: private}, nil
}

func publicJWK(private crypto.Signer) (jwk.Key, error) {
	public, err := jwk.FromRaw(private.Public())
	if err != nil {
		return nil, errors.New("the key has no public half")
	}
	return public, nil
}

// ID is the key's kid; empty if it has none.
func (k *PrivateKey) ID() string { return k.id }

// Algorithm is the key's alg.
func (k *PrivateKey) Algorithm() string { return k.alg }

// Signer gives the key itself, for certificates.
func (k *PrivateKey) Signer() crypto.Signer { return k.private }

// Format shows no key material, whatever the verb.
func (k *PrivateKey) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "private key %s (%s)", k.id, k.alg) }

// Sign makes a compact JWS (RFC 7515 §3.1) of payload. alg, kid (if the key has one) and typ "JWT" are filled in unless header has them; a nil value in
// header removes the member.
func (k *PrivateKey) Sign(header map[string]any, payload []byte) (string, error) {
	own := map[string]any{"alg": k.alg, "typ": "JWT"}
	if k.id != "" {
		own["kid"] = k.id
	}
	return compact(own, header, payload, k.signature)
}

func (k *PrivateKey) signature(input []byte) ([]byte, error) {
	signer, err := jws.NewSigner(dependencyName(k.alg))
	if err != nil {
		return nil, fmt.Errorf("jose: a key for %s can't sign", k.alg)
	}
	signature, err := signer.Sign(input, k.private)
	if err != nil {
		return nil, errors.New("jose: signing failed")
	}
	return signature, nil
}

// compact makes a compact JWS whose header is own, changed by header.
func compact(own, header map[string]any, payload []byte, sign func(input []byte) ([]byte, error)) (string, error) {
	for name, value := range header {
		if value == nil {
			delete(own, name)
			continue
		}
		own[name] = value
	}
	head, err := json.Marshal(own)
	if err != nil {
		return "", errors.New("jose: the header can't be encoded as JSON")
	}
	input := base64.RawURLEncoding.EncodeToString(head) + "." + base64.RawURLEncoding.EncodeToString(payload)
	signature, err := sign([]byte(input))
	if err != nil {
		return "", err
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

// PublicJWK returns the public half as a JWK (RFC 7517 §4) with alg, use, and kid if the key has one.
func (k *PrivateKey) PublicJWK(use string) json.RawMessage {
	raw, err := json.Marshal(k.public)
	if err != nil {
		panic("jose: a public key can't be encoded") // can't happen: GenerateKey made it
	}
	var members map[string]any
	if err := json.Unmarshal(raw, &members); err != nil {
		panic("jose: a public key can't be encoded")
	}
	members["alg"], members["use"] = k.alg, use
	if k.id != "" {
		members["kid"] = k.id
	}
	out, err := json.Marshal(members)
	if err != nil {
		panic("jose: a public key can't be encoded")
	}
	return out
}
