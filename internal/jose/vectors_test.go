package jose

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPublishedVectors signs the RFCs' examples with the RFCs' keys. What is deterministic must come out to the bit; the rest must verify both ways.
func TestPublishedVectors(t *testing.T) {
	data, err := os.ReadFile("testdata/rfc_vectors.json")
	require.NoError(t, err)
	var file struct {
		Vectors []struct {
			Name, Alg, Token string
			JWK              json.RawMessage
		}
	}
	require.NoError(t, json.Unmarshal(data, &file))
	require.Len(t, file.Vectors, 5)
	for _, v := range file.Vectors {
		t.Run(v.Name, func(t *testing.T) {
			dot := strings.LastIndexByte(v.Token, '.')
			input := []byte(v.Token[:dot])
			published, err := base64.RawURLEncoding.DecodeString(v.Token[dot+1:])
			require.NoError(t, err)
			if SupportedHMAC(v.Alg) {
				var oct struct{ K string }
				require.NoError(t, json.Unmarshal(v.JWK, &oct))
				secret, err := base64.RawURLEncoding.DecodeString(oct.K)
				require.NoError(t, err)
				assert.Equal(t, published, mac(v.Alg, secret, input))
				return
			}
			private, err := ParsePrivateKey(v.JWK)
			require.NoError(t, err)
			assert.Equal(t, v.Alg, private.Algorithm(), "the usual one of its kind")
			assert.Empty(t, private.ID())
			keys, _, err := ParseSet([]byte(`{"keys":[` + string(private.PublicJWK("sig")) + `]}`))
			require.NoError(t, err)
			assert.NoError(t, keys[0].Verify(v.Alg, string(input), published))
			made, err := private.signature(input)
			require.NoError(t, err)
			assert.NoError(t, keys[0].Verify(v.Alg, string(input), made))
			if v.Alg[:2] != "ES" {
				assert.Equal(t, published, made)
			}
		})
	}
}

func TestRSAKeyWithoutPrimesSignsAlike(t *testing.T) {
	data, err := os.ReadFile("testdata/rfc_vectors.json")
	require.NoError(t, err)
	var file struct {
		Vectors []struct {
			Token string
			JWK   map[string]string
		}
	}
	require.NoError(t, json.Unmarshal(data, &file))
	v := file.Vectors[1]
	delete(v.JWK, "p")
	delete(v.JWK, "q")
	bare, err := json.Marshal(v.JWK)
	require.NoError(t, err)
	private, err := ParsePrivateKey(bare)
	require.NoError(t, err)
	dot := strings.LastIndexByte(v.Token, '.')
	made, err := private.signature([]byte(v.Token[:dot]))
	require.NoError(t, err)
	assert.Equal(t, v.Token[dot+1:], base64.RawURLEncoding.EncodeToString(made))
}
