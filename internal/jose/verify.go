package jose

import (
	"crypto/rsa"
	"errors"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// ErrSignature is a signature that the key did not make over this input. It says no more: the cause would help only who forges.
var ErrSignature = errors.New("the signature is not valid")

// Fits reports whether the key may verify signatures of this algorithm: the algorithm is supported, belongs to the key's kty and crv, and is the
// key's own where the set gave it one (RFC 7517 §4.4, RFC 8725 §3.1).
func (k *Key) Fits(alg string) bool {
	a, ok := algorithms[alg]
	if !ok || a.kty != k.kty || a.crv != "" && a.crv != k.crv {
		return false
	}
	return k.Algorithm == "" || sameAlgorithm(k.Algorithm, alg)
}

// Verify checks signature over signingInput (RFC 7515 §5.2 step 8). A key that does not fit alg verifies nothing.
func (k *Key) Verify(alg string, signingInput, signature []byte) error {
	if !k.Fits(alg) {
		return ErrSignature
	}
	a := algorithms[alg]
	if a.sigSize != 0 && len(signature) != a.sigSize {
		return ErrSignature
	}
	if a.pss {
		return k.verifyPSS(a, signingInput, signature)
	}
	if alg == "Ed25519" {
		alg = "EdDSA"
	}
	verifier, err := jws.NewVerifier(jwa.SignatureAlgorithm(alg))
	if err != nil {
		return ErrSignature
	}
	if err := verifier.Verify(signingInput, signature, k.public); err != nil {
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
