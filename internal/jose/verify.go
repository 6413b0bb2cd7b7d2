package jose

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"math/big"
)

// ErrSignature is a signature that the key did not make over this input. It says no more: the cause would help only who forges.
var ErrSignature = errors.New("the signature is not valid")

// Fits reports whether the key may verify signatures of this algorithm: the algorithm is supported, belongs to the key's kty and crv, and is the
// key's own where the set gave it one (RFC 7517 §4.4, RFC 8725 §3.1).
func (k *Key) Fits(alg string) bool {
	_, fits := k.algorithm(alg)
	return fits
}

// algorithm returns the algorithm of that name if k fits it.
func (k *Key) algorithm(name string) (algorithm, bool) {
	a, ok := algorithms[name]
	if !ok || a.kty != k.kty || a.crv != "" && a.crv != k.crv {
		return algorithm{}, false
	}
	return a, k.Algorithm == "" || sameAlgorithm(k.Algorithm, name)
}

// Verify checks signature over signingInput (RFC 7515 §5.2 step 8). A key that does not fit alg verifies nothing.
func (k *Key) Verify(alg, signingInput string, signature []byte) error {
	a, fits := k.algorithm(alg)
	var room [2048]byte // on the stack, enough for most tokens
	if !fits || a.sigSize != 0 && len(signature) != a.sigSize || !k.signed(a, append(room[:0], signingInput...), signature) {
		return ErrSignature
	}
	return nil
}

// signed calls the standard library itself, since the JOSE dependency takes PSS salts of any length, where RFC 7518 §3.5 fixes it, and looks at every signature
// whether the point of an EC key is on the curve, as check did once.
func (k *Key) signed(a algorithm, input, signature []byte) bool {
	switch public := k.public.(type) {
	case *rsa.PublicKey:
		if a.pss {
			return rsa.VerifyPSS(public, a.hash, a.digest(input), signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) == nil
		}
		return rsa.VerifyPKCS1v15(public, a.hash, a.digest(input), signature) == nil
	case *ecdsa.PublicKey:
		half := len(signature) / 2 // RFC 7518 §3.4
		return ecdsa.Verify(public, a.digest(input), new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:]))
	case ed25519.PublicKey:
		return ed25519.Verify(public, input, signature)
	}
	return false
}
