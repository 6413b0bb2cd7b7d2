package jose

import (
	"crypto/rsa"
	"errors"
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
func (k *Key) Verify(alg string, signingInput, signature []byte) error {
	a, fits := k.algorithm(alg)
	if !fits || a.sigSize != 0 && len(signature) != a.sigSize {
		return ErrSignature
	}
	if a.pss {
		return k.verifyPSS(a, signingInput, signature)
	}
	if a.verifier.Verify(signingInput, signature, k.public) != nil {
		return ErrSignature
	}
	return nil
}

// verifyPSS is here because RFC 7518 §3.5 fixes the salt to the size of the hash, while the JOSE dependency takes any.
func (k *Key) verifyPSS(a algorithm, signingInput, signature []byte) error {
	public, ok := k.public.(*rsa.PublicKey)
	if !ok {
		return ErrSignature
	}
	h := a.hash.New()
	h.Write(signingInput)
	if rsa.VerifyPSS(public, a.hash, h.Sum(nil), signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) != nil {
		return ErrSignature
	}
	return nil
}
