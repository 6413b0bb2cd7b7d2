package jose_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/svcauth/svcauth/internal/jose"
)

var made = map[string]*jose.PrivateKey{}

// keyFor makes each key once; the tests of this package run one after the other.
func keyFor(t testing.TB, alg string) *jose.PrivateKey {
	t.Helper()
	if made[alg] == nil {
		key, err := jose.GenerateKey(alg)
		require.NoError(t, err)
		made[alg] = key
	}
	return made[alg]
}

func setOf(keys ...string) []byte { return []byte(`{"keys":[` + strings.Join(keys, ",") + `]}`) }

func split(t *testing.T, token string) (input string, signature []byte) {
	t.Helper()
	dot := strings.LastIndexByte(token, '.')
	signature, err := base64.RawURLEncoding.DecodeString(token[dot+1:])
	require.NoError(t, err)
	return token[:dot], signature
}

func TestSignAndVerify(t *testing.T) {
	for _, alg := range jose.Algorithms() {
		t.Run(alg, func(t *testing.T) {
			private := keyFor(t, alg)
			keys, skipped, err := jose.ParseSet(setOf(string(private.PublicJWK("sig"))))
			require.NoError(t, err)
			require.Empty(t, skipped)
			token, err := private.Sign(nil, []byte(`{"sub":"x"}`))
			require.NoError(t, err)
			input, signature := split(t, token)
			require.Equal(t, private.ID(), keys[0].ID)
			require.NoError(t, keys[0].Verify(alg, input, signature))
			for i := range signature {
				signature[i] ^= 1
				require.ErrorIs(t, keys[0].Verify(alg, input, signature), jose.ErrSignature)
				signature[i] ^= 1
				if alg[:2] != "ES" && i > 8 { // RSA is slow, and each bit of it is alike
					break
				}
			}
			require.ErrorIs(t, keys[0].Verify(alg, input+"x", signature), jose.ErrSignature)
			require.ErrorIs(t, keys[0].Verify(alg, input, append(signature, 0)), jose.ErrSignature)
			require.ErrorIs(t, keys[0].Verify(alg, input, nil), jose.ErrSignature)
			for _, other := range append(jose.Algorithms(), "none", "HS256", "", "rs256") {
				if other != alg && !(strings.HasPrefix(alg, "Ed") && strings.HasPrefix(other, "Ed")) {
					require.False(t, keys[0].Fits(other), other)
					require.ErrorIs(t, keys[0].Verify(other, input, signature), jose.ErrSignature)
				}
			}
		})
	}
}

func TestKeyWithoutAlgFitsItsKind(t *testing.T) {
	bare := strings.Replace(string(keyFor(t, "RS256").PublicJWK("sig")), `"alg":"RS256",`, "", 1)
	keys, _, err := jose.ParseSet(setOf(bare))
	require.NoError(t, err)
	for _, alg := range jose.Algorithms() {
		assert.Equal(t, alg[1:2] == "S" && alg[0] != 'E', keys[0].Fits(alg), alg)
	}
}

// TestPSSSaltLength holds RFC 7518 §3.5: the salt is as long as the hash. A shorter one is another signature scheme.
func TestPSSSaltLength(t *testing.T) {
	private := keyFor(t, "PS256")
	keys, _, err := jose.ParseSet(setOf(string(private.PublicJWK("sig"))))
	require.NoError(t, err)
	input := []byte("a.b")
	digest := sha256.Sum256(input)
	for salt, want := range map[int]error{32: nil, 0: jose.ErrSignature, 20: jose.ErrSignature, 64: jose.ErrSignature} {
		if salt == 0 {
			salt = 1
		}
		signature, err := rsa.SignPSS(rand.Reader, private.Signer().(*rsa.PrivateKey), crypto.SHA256, digest[:], &rsa.PSSOptions{SaltLength: salt})
		require.NoError(t, err)
		assert.Equal(t, want, keys[0].Verify("PS256", string(input), signature), "salt of %d bytes", salt)
	}
}

func TestParseSetSkips(t *testing.T) {
	rsaKey, ecKey, edKey := string(keyFor(t, "RS256").PublicJWK("sig")), string(keyFor(t, "ES256").PublicJWK("sig")), string(keyFor(t, "EdDSA").PublicJWK("sig"))
	change := func(key, member string, value any) string {
		var members map[string]any
		require.NoError(t, json.Unmarshal([]byte(key), &members))
		members[member] = value
		if value == nil {
			delete(members, member)
		}
		data, err := json.Marshal(members)
		require.NoError(t, err)
		return string(data)
	}
	number := func(n *big.Int) string { return base64.RawURLEncoding.EncodeToString(n.Bytes()) }
	weak := new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), 1023), big.NewInt(1))
	even := new(big.Int).Lsh(big.NewInt(1), 2047)
	huge := new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), 20000), big.NewInt(1))
	good := string(keyFor(t, "ES384").PublicJWK("sig"))

	for _, c := range []struct{ name, key, reason string }{
		{"a number", `5`, "wrong type"},
		{"null", `null`, "not supported"},
		{"empty", `{}`, "not supported"},
		{"unknown kty", `{"kty":"AKP","alg":"ML-DSA-44"}`, "not a supported signature algorithm"},
		{"unknown kty without alg", `{"kty":"AKP"}`, "not supported"},
		{"kty in lower case", change(rsaKey, "kty", "rsa"), "does not fit"},
		{"kty mistyped", change(rsaKey, "kty", 5), "wrong type"},
		{"symmetric", `{"kty":"oct","k":"c2VjcmV0"}`, "symmetric"},
		{"symmetric hidden in an RSA key", change(rsaKey, "k", "c2VjcmV0"), "symmetric"},
		{"private", change(edKey, "d", "c2VjcmV0"), "private"},
		{"for encryption", change(rsaKey, "use", "enc"), "use"},
		{"RSA-OAEP", change(rsaKey, "alg", "RSA-OAEP"), "not a supported"},
		{"HS256", change(rsaKey, "alg", "HS256"), "not a supported"},
		{"alg of another kind", change(rsaKey, "alg", "ES256"), "does not fit"},
		{"alg of another curve", change(ecKey, "alg", "ES384"), "does not fit"},
		{"key_ops without verify", change(rsaKey, "key_ops", []string{"encrypt"}), "key_ops"},
		{"key_ops mistyped", change(rsaKey, "key_ops", "verify"), "wrong type"},
		{"secp256k1", change(change(ecKey, "crv", "secp256k1"), "alg", nil), "not supported"},
		{"X25519", change(change(edKey, "crv", "X25519"), "alg", nil), "not supported"},
		{"Ed448", change(change(edKey, "crv", "Ed448"), "alg", nil), "not supported"},
		{"RSA of 1024 bits", change(rsaKey, "n", number(weak)), "1024 bits"},
		{"RSA of 20001 bits", change(rsaKey, "n", number(huge)), "more than"},
		{"even modulus", change(rsaKey, "n", number(even)), "even"},
		{"exponent 1", change(rsaKey, "e", "AQ"), "exponent"},
		{"exponent 2", change(rsaKey, "e", "Ag"), "exponent"},
		{"exponent 4", change(rsaKey, "e", "BA"), "exponent"},
		{"exponent too large", change(rsaKey, "e", number(new(big.Int).Lsh(big.NewInt(3), 40))), ""},
		{"exponent beyond an int", change(rsaKey, "e", number(new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), 64), big.NewInt(3)))), ""},
		{"no modulus", change(rsaKey, "n", nil), ""},
		{"modulus not base64", change(rsaKey, "n", "!!!"), "base64url"},
		{"point off the curve", change(ecKey, "x", "AAAA"), "not on the curve"},
		{"no point", change(ecKey, "y", nil), ""},
		{"Ed25519 too short", change(edKey, "x", "AAAA"), ""},
		{"Ed25519 empty", change(edKey, "x", nil), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			keys, skipped, err := jose.ParseSet(setOf(c.key, good))
			require.NoError(t, err)
			require.Len(t, keys, 1, "the good key beside it stays")
			require.Len(t, skipped, 1)
			assert.Contains(t, skipped[0].Reason, c.reason)
			assert.NotContains(t, skipped[0].Reason, "c2VjcmV0")

			_, _, err = jose.ParseSet(setOf(c.key))
			require.ErrorIs(t, err, jose.ErrNoKeys)
		})
	}
}

func TestParseSetRefuses(t *testing.T) {
	for name, data := range map[string]string{
		"nothing": "", "HTML": "<html>", "an array": "[]", "null": "null", "no keys": "{}", "keys null": `{"keys":null}`, "keys an object": `{"keys":{}}`,
		"two documents": `{"keys":[]}{"keys":[]}`, "too many": string(setOf(strings.Repeat(`{},`, 300) + `{}`)),
	} {
		t.Run(name, func(t *testing.T) {
			keys, _, err := jose.ParseSet([]byte(data))
			require.Error(t, err)
			assert.Nil(t, keys)
		})
	}
}

func TestPrivateKeyPrintsNothing(t *testing.T) {
	key := keyFor(t, "EdDSA")
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		assert.Equal(t, "private key "+key.ID()+" (EdDSA)", fmt.Sprintf(verb, key), verb)
	}
	data, err := json.Marshal(key)
	require.NoError(t, err)
	assert.Equal(t, "{}", string(data))
	_, err = jose.GenerateKey("HS256")
	require.Error(t, err)
	enc := keyFor(t, "RSA-OAEP")
	_, err = enc.Sign(nil, nil)
	require.Error(t, err, "an encryption key can't sign")
}

// TestThumbprint computes the kid by hand as RFC 7638 §3 says.
func TestThumbprint(t *testing.T) {
	key := keyFor(t, "RS256")
	var jwk struct{ Kty, N, E string }
	require.NoError(t, json.Unmarshal(key.PublicJWK("sig"), &jwk))
	sum := sha256.Sum256([]byte(`{"e":"` + jwk.E + `","kty":"` + jwk.Kty + `","n":"` + jwk.N + `"}`))
	assert.Equal(t, base64.RawURLEncoding.EncodeToString(sum[:]), key.ID())
}

func FuzzParseSet(f *testing.F) {
	f.Add(setOf(`{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}`, `{"kty":"RSA","n":"AQAB","e":"AQAB"}`, `{"kty":"OKP","crv":"Ed25519","x":"AA"}`))
	for _, alg := range []string{"RS256", "ES256", "EdDSA"} {
		f.Add(setOf(string(keyFor(f, alg).PublicJWK("sig"))))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		keys, _, err := jose.ParseSet(data)
		require.Equal(t, err == nil, len(keys) > 0)
		for _, key := range keys {
			for _, alg := range jose.Algorithms() {
				require.Error(t, key.Verify(alg, "a.b", []byte("signature")))
			}
		}
	})
}
