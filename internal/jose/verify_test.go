package jose_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/svcauth/svcauth/internal/jose"
)

// TestVerifyRefusesOtherSpellings takes genuine signatures and spells them otherwise: with other lengths, and with numbers that are the same only to a modulus.
// The JOSE dependency's verifier is asked too, but for PSS, whose salts it takes in any length. (A negated s holds by the nature of ECDSA, and is not among them.)
func TestVerifyRefusesOtherSpellings(t *testing.T) {
	for _, alg := range jose.Algorithms() {
		private := keyFor(t, alg)
		public := private.Signer().Public()
		keys, _, err := jose.ParseSet(setOf(string(private.PublicJWK("sig"))))
		require.NoError(t, err)
		verifier, err := jws.NewVerifier(jwa.SignatureAlgorithm(strings.Replace(alg, "Ed25519", "EdDSA", 1)))
		require.NoError(t, err)
		for _, size := range []int{1, 2048, 2049, 9000} { // about the room that Verify has on its stack
			token, err := private.Sign(nil, bytes.Repeat([]byte{'x'}, size))
			require.NoError(t, err)
			input, signature := split(t, token)
			require.NoError(t, keys[0].Verify(alg, input, signature), alg)
			for name, other := range otherSpellings(public, signature) {
				require.ErrorIs(t, keys[0].Verify(alg, input, other), jose.ErrSignature, "%s: %s", alg, name)
				if !strings.HasPrefix(alg, "PS") {
					assert.Error(t, verifier.Verify([]byte(input), other, public), "%s: %s", alg, name)
				}
			}
			require.ErrorIs(t, keys[0].Verify(alg, input+"x", signature), jose.ErrSignature, alg)
			require.ErrorIs(t, keys[0].Verify(alg, input[:len(input)-1], signature), jose.ErrSignature, alg)
		}
	}
}

func otherSpellings(public any, signature []byte) map[string][]byte {
	half := len(signature) / 2
	first, second := new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:])
	others := map[string][]byte{
		"empty": {}, "one byte": {1}, "zeros": make([]byte, len(signature)), "a zero before it": append([]byte{0}, signature...), "a zero after it": append(slices.Clone(signature), 0),
		"no first byte": signature[1:], "no last byte": signature[:len(signature)-1], "twice": append(slices.Clone(signature), signature...), "halves changed": append(slices.Clone(signature[half:]), signature[:half]...),
	}
	switch public := public.(type) {
	case *rsa.PublicKey:
		sum := new(big.Int).Add(new(big.Int).SetBytes(signature), public.N)
		others["and the modulus"] = sum.FillBytes(make([]byte, len(signature)+1))
		others["the modulus"] = public.N.FillBytes(make([]byte, len(signature)))
	case *ecdsa.PublicKey:
		order, zero := public.Params().N, new(big.Int)
		pair := func(size int, r, s *big.Int) []byte {
			return append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...)
		}
		others["wider"] = pair(half+1, first, second)
		others["r zero"], others["s zero"] = pair(half, zero, second), pair(half, first, zero)
		others["r the order"], others["s the order"] = pair(half, order, second), pair(half, first, order)
		if sum := new(big.Int).Add(first, order); sum.BitLen() <= 8*half { // as on P-521, whose order leaves bits free
			others["r and the order"] = pair(half, sum, second)
		}
	case ed25519.PublicKey:
		order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10) // RFC 8032 §5.1
		s := slices.Clone(signature[half:])
		slices.Reverse(s) // to big endian
		s = new(big.Int).Add(new(big.Int).SetBytes(s), order).FillBytes(make([]byte, half))
		slices.Reverse(s)
		others["S and the order"] = append(slices.Clone(signature[:half]), s...)
	}
	return others
}
