//go:build vectors

package jose_test

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/svcauth/svcauth/internal/jose"
)

// cookbook reads a file of the JOSE cookbook. The folder must be there: with the tag nothing skips.
func cookbook(t *testing.T, name string, into any) {
	t.Helper()
	folder := os.Getenv("JOSE_VECTORS")
	require.NotEmpty(t, folder, "JOSE_VECTORS names no folder of vectors")
	if !filepath.IsAbs(folder) { // relative to the module's root, where the command is typed
		folder = filepath.Join("..", "..", folder)
	}
	data, err := os.ReadFile(filepath.Join(folder, "jose-cookbook", filepath.FromSlash(name)))
	require.NoError(t, err)
	if into != nil {
		require.NoError(t, json.Unmarshal(data, into))
	}
}

// public leaves only the public members of a private JWK, as an issuer publishes it.
func public(t *testing.T, key map[string]any) []byte {
	t.Helper()
	for _, secret := range []string{"d", "p", "q", "dp", "dq", "qi"} {
		delete(key, secret)
	}
	data, err := json.Marshal(key)
	require.NoError(t, err)
	return setOf(string(data))
}

// TestCookbook verifies the signatures of RFC 7520 §4 and RFC 8037. Every file of the three folders is here, or in the list of those that are no access token's.
func TestCookbook(t *testing.T) {
	none := map[string]string{
		"jws/4_4.hmac-sha2_integrity_protection.json":    "HMAC: nothing verifies with a shared secret",
		"jws/4_5.signature_with_detached_content.json":   "HMAC, and an access token carries its claims",
		"jws/4_6.protecting_specific_header_fields.json": "HMAC, and an unprotected header has no compact form",
		"jws/4_7.protecting_content_only.json":           "HMAC, and a header that is not signed has no compact form",
		"jws/4_8.multiple_signatures.json":               "several signatures have no compact form",
		"rfc7797/4.2.hmac-sha2_b64_false.json":           "HMAC, and b64 is refused",
		"rfc7797/hmac-sha2_b64_false.json":               "HMAC, and b64 is refused",
		"jwk/3_5.symmetric_key_mac_computation.json":     "a symmetric key; TestCookbookKeys sees it skipped",
		"jwk/3_1.ec_public_key.json":                     "a key: TestCookbookKeys",
		"jwk/3_2.ec_private_key.json":                    "a key: TestCookbookKeys",
		"jwk/3_3.rsa_public_key.json":                    "a key: TestCookbookKeys",
		"jwk/3_4.rsa_private_key.json":                   "a key: TestCookbookKeys",
	}
	verified := []string{"jws/4_1.rsa_v15_signature.json", "jws/4_2.rsa-pss_signature.json", "jws/4_3.ecdsa_signature.json", "curve25519/jws.json"}
	for _, name := range verified {
		t.Run(name, func(t *testing.T) {
			var v struct {
				Input struct {
					Key map[string]any
					Alg string
				}
				Signing struct {
					Input string `json:"sig-input"`
					Sig   string
				}
				Output struct{ Compact string }
			}
			cookbook(t, name, &v)
			keys, skipped, err := jose.ParseSet(public(t, v.Input.Key))
			require.NoError(t, err)
			require.Empty(t, skipped)
			input, signature := split(t, v.Output.Compact)
			require.Equal(t, v.Signing.Input, string(input))
			require.Equal(t, v.Signing.Sig, base64.RawURLEncoding.EncodeToString(signature))
			require.NoError(t, keys[0].Verify(v.Input.Alg, input, signature))
			for _, other := range jose.Algorithms() {
				if other != v.Input.Alg && !(v.Input.Alg == "EdDSA" && other == "Ed25519") {
					assert.ErrorIs(t, keys[0].Verify(other, input, signature), jose.ErrSignature, other)
				}
			}
			signature[len(signature)/2] ^= 1
			assert.ErrorIs(t, keys[0].Verify(v.Input.Alg, input, signature), jose.ErrSignature)
		})
	}

	folder := os.Getenv("JOSE_VECTORS")
	if !filepath.IsAbs(folder) {
		folder = filepath.Join("..", "..", folder)
	}
	all, err := filepath.Glob(filepath.Join(folder, "jose-cookbook", "*", "*.json"))
	require.NoError(t, err)
	assert.Len(t, all, len(none)+len(verified), "a file is neither verified nor listed")
	for name := range none {
		cookbook(t, name, nil)
	}
}

// TestCookbookKeys reads RFC 7520 §3: public keys are used, private and symmetric ones are skipped.
func TestCookbookKeys(t *testing.T) {
	for name, reason := range map[string]string{
		"jwk/3_1.ec_public_key.json":                 "",
		"jwk/3_2.ec_private_key.json":                "private",
		"jwk/3_3.rsa_public_key.json":                "",
		"jwk/3_4.rsa_private_key.json":               "private",
		"jwk/3_5.symmetric_key_mac_computation.json": "symmetric",
	} {
		t.Run(name, func(t *testing.T) {
			var raw json.RawMessage
			cookbook(t, name, &raw)
			keys, skipped, err := jose.ParseSet(setOf(string(raw)))
			if reason == "" {
				require.NoError(t, err)
				assert.Equal(t, "bilbo.baggins@hobbiton.example", keys[0].ID)
				return
			}
			require.ErrorIs(t, err, jose.ErrNoKeys)
			require.Len(t, skipped, 1)
			assert.Contains(t, skipped[0].Reason, reason)
		})
	}
}
