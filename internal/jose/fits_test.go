package jose_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/svcauth/svcauth/internal/jose"
)

// TestVerifyKeepsToTheKeysOwnAlgorithm holds RFC 7517 §4.4: a genuine signature by another algorithm than the key's own is none. Without an alg of its own the
// key verifies it.
func TestVerifyKeepsToTheKeysOwnAlgorithm(t *testing.T) {
	private := keyFor(t, "RS256")
	published := string(private.PublicJWK("sig"))
	bare := strings.Replace(published, `"alg":"RS256",`, "", 1)
	require.NotEqual(t, published, bare)
	for _, alg := range []string{"RS384", "RS512", "PS256", "PS384", "PS512"} {
		signer, err := private.WithAlgorithm(alg)
		require.NoError(t, err)
		token, err := signer.Sign(nil, []byte(`{}`))
		require.NoError(t, err)
		input, signature := split(t, token)
		for key, want := range map[string]error{published: jose.ErrSignature, bare: nil} {
			keys, _, err := jose.ParseSet(setOf(key))
			require.NoError(t, err)
			require.ErrorIs(t, keys[0].Verify(alg, input, signature), want, alg)
		}
	}
}
