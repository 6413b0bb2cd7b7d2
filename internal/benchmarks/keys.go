package benchmarks

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/big"
)

// The signature algorithms that are measured (RFC 7518 §3.1, RFC 8037).
const (
	RS256 = "RS256" // 2048 bits
	ES256 = "ES256"
	EdDSA = "EdDSA" // on Ed25519
)

// Algorithms are those that are measured. RS256 is what Keycloak signs with unless it is told otherwise.
var Algorithms = []string{RS256, ES256, EdDSA}

// signingKey is one key of an issuer.
type signingKey struct {
	id        string
	algorithm string
	private   crypto.Signer
}

func newSigningKey(algorithm string, generation int) (*signingKey, error) {
	k := &signingKey{id: fmt.Sprintf("%s-%d-FJ86GcF3jTbNLOco4NvZkUCIUmfYCqoqtOQeMfbhNlE", algorithm, generation), algorithm: algorithm} // as long as Keycloak's
	var err error
	switch algorithm {
	case RS256:
		k.private, err = rsa.GenerateKey(rand.Reader, 2048)
	case ES256:
		k.private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case EdDSA:
		_, k.private, err = ed25519.GenerateKey(rand.Reader)
	default:
		err = fmt.Errorf("no key is made for algorithm %q", algorithm)
	}
	return k, err
}

// jwk is the public half as its issuer publishes it (RFC 7517 §4).
func (k *signingKey) jwk() (map[string]string, error) {
	jwk := map[string]string{"kid": k.id, "alg": k.algorithm, "use": "sig"}
	switch public := k.private.Public().(type) {
	case *rsa.PublicKey:
		jwk["kty"], jwk["n"], jwk["e"] = "RSA", base64url(public.N.Bytes()), base64url(big.NewInt(int64(public.E)).Bytes())
	case *ecdsa.PublicKey:
		point, err := public.Bytes() // 4, x, y
		if err != nil {
			return nil, err
		}
		jwk["kty"], jwk["crv"], jwk["x"], jwk["y"] = "EC", "P-256", base64url(point[1:33]), base64url(point[33:])
	case ed25519.PublicKey:
		jwk["kty"], jwk["crv"], jwk["x"] = "OKP", "Ed25519", base64url(public)
	}
	return jwk, nil
}

// sign makes the signature of a JWS over input (RFC 7515 §5.1).
func (k *signingKey) sign(input string) ([]byte, error) {
	hash := sha256.Sum256([]byte(input))
	switch private := k.private.(type) {
	case *rsa.PrivateKey:
		return rsa.SignPKCS1v15(rand.Reader, private, crypto.SHA256, hash[:])
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, private, hash[:])
		if err != nil {
			return nil, err
		}
		signature := make([]byte, 64)
		r.FillBytes(signature[:32])
		s.FillBytes(signature[32:])
		return signature, nil
	case ed25519.PrivateKey:
		return ed25519.Sign(private, []byte(input)), nil
	}
	return nil, fmt.Errorf("no signature is made with a %T", k.private)
}

func base64url(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }
