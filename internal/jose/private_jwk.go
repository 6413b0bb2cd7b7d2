package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
)

// wirePrivateKey is what a private JWK has beyond a public one (RFC 7518 §6.2.2 and §6.3.2, RFC 8037 §2).
type wirePrivateKey struct {
	D   string          `json:"d"`
	P   string          `json:"p"`
	Q   string          `json:"q"`
	Oth json.RawMessage `json:"oth"`
}

func parsePrivateJWK(data []byte) (*PrivateKey, error) {
	var w wireKey
	var own wirePrivateKey
	var set struct {
		Keys json.RawMessage `json:"keys"`
	}
	if json.Unmarshal(data, &w) != nil || json.Unmarshal(data, &own) != nil || json.Unmarshal(data, &set) != nil {
		return nil, errors.New("it is not a JWK")
	}
	switch {
	case set.Keys != nil:
		return nil, errors.New("it is a JWK Set: give the one key that signs")
	case w.Kty == "oct":
		return nil, errors.New("it is a symmetric key")
	case own.D == "":
		return nil, errors.New("there is no private key in it: a public key can't sign")
	case own.Oth != nil:
		return nil, errors.New("it is an RSA key of more than two primes, which is not supported")
	case w.Use != "" && w.Use != "sig":
		return nil, fmt.Errorf("the key's use is %.20q, not sig", w.Use)
	case len(w.KeyOps) > 0 && !slices.Contains(w.KeyOps, "sign"):
		return nil, errors.New("the key's key_ops lack sign")
	}
	public, err := w.public()
	if err != nil {
		return nil, fmt.Errorf("the key can't be used: it is %w", err)
	}
	private := own.private(public)
	if private == nil {
		return nil, errors.New("the private half of the JWK is malformed, or belongs to another public half")
	}
	return newPrivateKey(w.Kid, w.Alg, private)
}

// private joins the private half to the public one. It returns nil if they are of two keys, for such signatures would verify nowhere.
func (w *wirePrivateKey) private(public any) crypto.Signer {
	d, err := base64.RawURLEncoding.Strict().DecodeString(w.D)
	if err != nil {
		return nil
	}
	switch public := public.(type) {
	case *rsa.PublicKey:
		private := &rsa.PrivateKey{PublicKey: *public, D: new(big.Int).SetBytes(d)}
		if w.P != "" || w.Q != "" { // they only make it faster, and may be absent
			p, errP := base64.RawURLEncoding.Strict().DecodeString(w.P)
			q, errQ := base64.RawURLEncoding.Strict().DecodeString(w.Q)
			if errP != nil || errQ != nil {
				return nil
			}
			private.Primes = []*big.Int{new(big.Int).SetBytes(p), new(big.Int).SetBytes(q)}
		}
		private.Precompute()
		if private.Primes != nil && private.Validate() != nil || !signs(private) {
			return nil
		}
		return private
	case *ecdsa.PublicKey:
		private, err := ecdsa.ParseRawPrivateKey(public.Curve, d)
		if err != nil || !private.PublicKey.Equal(public) {
			return nil
		}
		return private
	case ed25519.PublicKey:
		if len(d) != ed25519.SeedSize {
			return nil
		}
		private := ed25519.NewKeyFromSeed(d)
		if !public.Equal(private.Public()) {
			return nil
		}
		return private
	}
	return nil
}

// signs tries the key, which is the only check there is for one without primes.
func signs(private *rsa.PrivateKey) bool {
	digest := make([]byte, crypto.SHA256.Size())
	signature, err := rsa.SignPKCS1v15(nil, private, crypto.SHA256, digest)
	return err == nil && rsa.VerifyPKCS1v15(&private.PublicKey, crypto.SHA256, digest, signature) == nil
}
