package benchmarks

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// rawName is what the floor is called.
const rawName = "bare signature check"

var errSignature = errors.New("the signature does not hold")

// signed is a token taken apart, so that nothing but its signature is left to do.
type signed struct {
	input, signature []byte
}

func takeApart(tokens []string) ([]signed, error) {
	all := make([]signed, len(tokens))
	for n, token := range tokens {
		dot := strings.LastIndexByte(token, '.')
		signature, err := base64.RawURLEncoding.DecodeString(token[dot+1:])
		if err != nil {
			return nil, err
		}
		all[n] = signed{[]byte(token[:dot]), signature}
	}
	return all, nil
}

// newRaw is the floor: the signature check of the standard library and the hash that goes with it, which nobody who verifies the token can leave out.
func newRaw(issuer *Issuer, algorithm string) (func(signed) error, error) {
	key, err := issuer.key(algorithm)
	if err != nil {
		return nil, err
	}
	switch public := key.private.Public().(type) {
	case *rsa.PublicKey:
		return func(s signed) error {
			hash := sha256.Sum256(s.input)
			return rsa.VerifyPKCS1v15(public, crypto.SHA256, hash[:], s.signature)
		}, nil
	case *ecdsa.PublicKey:
		return func(s signed) error {
			hash := sha256.Sum256(s.input)
			if !ecdsa.Verify(public, hash[:], new(big.Int).SetBytes(s.signature[:32]), new(big.Int).SetBytes(s.signature[32:])) {
				return errSignature
			}
			return nil
		}, nil
	case ed25519.PublicKey:
		return func(s signed) error {
			if !ed25519.Verify(public, s.input, s.signature) {
				return errSignature
			}
			return nil
		}, nil
	default:
		return nil, fmt.Errorf("no signature is checked with a %T", public)
	}
}
