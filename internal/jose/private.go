package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// ParsePrivateKey reads one private signing key: PEM (PKCS #8, PKCS #1 or SEC 1, in clear) or a JWK (RFC 7517). Its id and algorithm are those the JWK
// gives; a key without an id has "", and one without an algorithm the usual one of its kind: RS256, ES256, ES384, ES512 or EdDSA. Errors hold nothing of the
// key.
func ParsePrivateKey(data []byte) (*PrivateKey, error) {
	text := strings.TrimSpace(string(data))
	if strings.HasPrefix(text, "{") {
		return parsePrivateJWK([]byte(text))
	}
	private, err := parsePEM([]byte(text))
	if err != nil {
		return nil, err
	}
	return newPrivateKey("", "", private)
}

// newPrivateKey checks the key and completes alg.
func newPrivateKey(id, alg string, private crypto.Signer) (*PrivateKey, error) {
	usual := ""
	switch k := private.(type) {
	case *rsa.PrivateKey:
		usual = "RS256"
	case *ecdsa.PrivateKey:
		for name, a := range algorithms {
			if a.kty == "EC" && a.crv == k.Curve.Params().Name {
				usual = name
			}
		}
	case ed25519.PrivateKey:
		usual = "EdDSA"
	}
	if usual == "" {
		return nil, errors.New("the key is of a kind that is not supported: want RSA, EC on P-256, P-384 or P-521, or Ed25519")
	}
	if err := check(private.Public()); err != nil {
		return nil, fmt.Errorf("the key can't be used: it is %w", err)
	}
	public, err := publicJWK(private)
	if err != nil {
		return nil, err
	}
	k := &PrivateKey{id: id, alg: usual, public: public, private: private}
	if alg == "" {
		return k, nil
	}
	return k.WithAlgorithm(alg)
}

// WithAlgorithm returns the key as one that signs by alg, or an error if the two don't fit.
func (k *PrivateKey) WithAlgorithm(alg string) (*PrivateKey, error) {
	a, own := algorithms[alg], algorithms[k.alg]
	if a.kty == "" {
		return nil, fmt.Errorf("algorithm %.20q is not supported: want one of %s", alg, strings.Join(Algorithms(), ", "))
	}
	if a.kty != own.kty || a.crv != own.crv {
		return nil, fmt.Errorf("algorithm %q does not fit the key, which is for %s", alg, k.alg)
	}
	copied := *k
	copied.alg = alg
	return &copied, nil
}

// WithID returns the key with another id.
func (k *PrivateKey) WithID(id string) *PrivateKey {
	copied := *k
	copied.id = id
	return &copied
}

// parsePEM finds the one private key among the blocks. Tools write others beside it: the curve's parameters, the certificate.
func parsePEM(data []byte) (crypto.Signer, error) {
	var found crypto.Signer
	for rest := data; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if !strings.HasSuffix(block.Type, "PRIVATE KEY") {
			continue
		}
		if found != nil {
			return nil, errors.New("there is more than one private key in it: keep one")
		}
		var err error
		if found, err = parseBlock(block); err != nil {
			return nil, err
		}
	}
	switch {
	case found != nil:
		return found, nil
	case strings.Contains(string(data), "-----BEGIN"):
		return nil, errors.New("there is no complete private key in it: a certificate or a public key can't sign")
	}
	return nil, errors.New("it is neither PEM nor a JWK")
}

func parseBlock(block *pem.Block) (crypto.Signer, error) {
	if block.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED") {
		return nil, errors.New("the private key is encrypted: decrypt it, with openssl pkey for example, and guard the file by its permissions")
	}
	var key any
	var err error
	switch block.Type {
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	default:
		return nil, fmt.Errorf("a block of type %.40q is not supported: convert it to PKCS #8, with openssl pkey for example", block.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("the block of type %q holds no key that can be read", block.Type)
	}
	signer, ok := key.(crypto.Signer)
	if !ok { // X25519, which encrypts
		return nil, errors.New("the key is of a kind that can't sign")
	}
	return signer, nil
}
