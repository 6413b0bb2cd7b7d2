package jose

import (
	"crypto"
	"encoding/base64"
	"encoding/json"
	"os"
	"testing"

	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPublishedThumbprints holds that the id which GenerateKey gives is the one that the RFCs compute, from keys read out of a set.
func TestPublishedThumbprints(t *testing.T) {
	data, err := os.ReadFile("testdata/rfc_thumbprints.json")
	require.NoError(t, err)
	var file struct {
		Vectors []struct {
			Name, Thumbprint string
			JWK              json.RawMessage
		}
	}
	require.NoError(t, json.Unmarshal(data, &file))
	require.Len(t, file.Vectors, 2)
	for _, v := range file.Vectors {
		t.Run(v.Name, func(t *testing.T) {
			keys, skipped, err := ParseSet([]byte(`{"keys":[` + string(v.JWK) + `]}`))
			require.NoError(t, err)
			require.Empty(t, skipped)
			key, err := jwk.FromRaw(keys[0].public)
			require.NoError(t, err)
			sum, err := key.Thumbprint(crypto.SHA256)
			require.NoError(t, err)
			assert.Equal(t, v.Thumbprint, base64.RawURLEncoding.EncodeToString(sum))
		})
	}
}
