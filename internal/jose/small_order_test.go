package jose

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestSmallOrder shows for each key of small order that a signature made without its private half holds, and that no set gets such a key in.
func TestSmallOrder(t *testing.T) {
	forged := append([]byte{1}, make([]byte, ed25519.SignatureSize-1)...) // R is the neutral element and S zero
	for _, y := range smallOrders {
		for _, sign := range []byte{0, 0x80} {
			public, err := hex.DecodeString(y)
			require.NoError(t, err)
			public[len(public)-1] |= sign
			held := false
			for n := 0; n < 1000 && !held; n++ {
				held = (&Key{kty: "OKP", crv: "Ed25519", public: ed25519.PublicKey(public)}).Verify("EdDSA", fmt.Sprint(n), forged) == nil
			}
			assert.True(t, held, "%x", public)
			x := base64.RawURLEncoding.EncodeToString(public)
			_, skipped, err := ParseSet([]byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"` + x + `"}]}`))
			require.ErrorIs(t, err, ErrNoKeys)
			assert.Equal(t, []Skipped{{Reason: "an Ed25519 key of small order, for which anybody can sign"}}, skipped)
		}
	}
}
