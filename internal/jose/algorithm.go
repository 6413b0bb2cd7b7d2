// Package jose is the library's one door to JOSE: public keys from a JWK Set (RFC 7517), signatures (RFC 7515, RFC 7518, RFC 8037), and signing, for a
// client's own assertions and for the embedded realm. Parsing of tokens and claims is not here: it belongs to who decides about them.
package jose

import (
	"crypto"
	"crypto/sha256"
	"crypto/sha512"
	"maps"
	"slices"

	"github.com/lestrrat-go/jwx/v2/jwa"
)

// algorithm is a signature algorithm with the one kind of key that fits it.
type algorithm struct {
	kty, crv string
	hash     crypto.Hash
	pss      bool
	sigSize  int // exact, in bytes; 0: the size of the modulus
}

// algorithms holds asymmetric signatures only. There is no HMAC here by construction: a public key can never be taken for a shared secret.
var algorithms = map[string]algorithm{
	"RS256": {kty: "RSA", hash: crypto.SHA256},
	"RS384": {kty: "RSA", hash: crypto.SHA384},
	"RS512": {kty: "RSA", hash: crypto.SHA512},
	"PS256": {kty: "RSA", hash: crypto.SHA256, pss: true},
	"PS384": {kty: "RSA", hash: crypto.SHA384, pss: true},
	"PS512": {kty: "RSA", hash: crypto.SHA512, pss: true},
	"ES256": {kty: "EC", crv: "P-256", hash: crypto.SHA256, sigSize: 64},
	"ES384": {kty: "EC", crv: "P-384", hash: crypto.SHA384, sigSize: 96},
	"ES512": {kty: "EC", crv: "P-521", hash: crypto.SHA512, sigSize: 132},
	"EdDSA": {kty: "OKP", crv: "Ed25519", sigSize: 64},
	// RFC 9864 gives EdDSA on this curve a name of its own; issuers send either.
	"Ed25519": {kty: "OKP", crv: "Ed25519", sigSize: 64},
}

// digest leaves data on the stack, where a hash.Hash would not.
func (a algorithm) digest(data []byte) []byte {
	switch a.hash {
	case crypto.SHA384:
		sum := sha512.Sum384(data)
		return sum[:]
	case crypto.SHA512:
		sum := sha512.Sum512(data)
		return sum[:]
	default:
		sum := sha256.Sum256(data)
		return sum[:]
	}
}

// dependencyName is how the JOSE dependency calls an algorithm.
func dependencyName(alg string) jwa.SignatureAlgorithm {
	if alg == "Ed25519" {
		return jwa.EdDSA
	}
	return jwa.SignatureAlgorithm(alg)
}

// Algorithms returns the names of every signature algorithm that Verify knows, sorted.
func Algorithms() []string {
	return slices.Sorted(maps.Keys(algorithms))
}

// Supported reports whether name is one of Algorithms, spelled exactly.
func Supported(name string) bool {
	_, ok := algorithms[name]
	return ok
}

// sameAlgorithm compares a token's alg with a key's: equal, or the two names of Ed25519.
func sameAlgorithm(a, b string) bool {
	if a == b {
		return true
	}
	return algorithms[a].crv == "Ed25519" && algorithms[b].crv == "Ed25519"
}
