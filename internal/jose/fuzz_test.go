package jose

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"testing"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// FuzzVerifyDifferential holds Key.Verify against the JOSE dependency's own reading of the whole token: what this package accepts, it accepts too, and sees the
// same payload. The other way round there are differences on purpose, such as the length of a salt.
func FuzzVerifyDifferential(f *testing.F) {
	algs := []string{"EdDSA", "ES256", "ES384", "RS256", "PS256"}
	made := make([]*PrivateKey, len(algs))
	published := make([]*Key, len(algs))
	for n, alg := range algs {
		key, err := GenerateKey(alg)
		require.NoError(f, err)
		keys, _, err := ParseSet([]byte(`{"keys":[` + string(key.PublicJWK("sig")) + `]}`))
		require.NoError(f, err)
		made[n], published[n] = key, keys[0]
		f.Add(n, []byte(`{"sub":"x"}`), uint16(0), byte(0), n)
		f.Add(n, []byte(`{"sub":"x"}`), uint16(3), byte(1), n)
		f.Add(n, []byte("not JSON \xff"), uint16(0), byte(0), (n+1)%len(algs))
	}
	f.Fuzz(func(t *testing.T, signer int, payload []byte, at uint16, change byte, verifier int) {
		if signer < 0 || signer >= len(algs) || verifier < 0 || verifier >= len(algs) || len(payload) == 0 {
			return
		}
		alg, key := algs[verifier], published[verifier]
		token, err := made[signer].Sign(map[string]any{"alg": alg}, payload)
		require.NoError(t, err)
		dot := bytes.LastIndexByte([]byte(token), '.')
		signature, err := base64.RawURLEncoding.DecodeString(token[dot+1:])
		require.NoError(t, err)
		signature[int(at)%len(signature)] ^= change
		changed := token[:dot+1] + base64.RawURLEncoding.EncodeToString(signature)

		ours := key.Verify(alg, token[:dot], signature)
		theirs, err := jws.Verify([]byte(changed), jws.WithKey(jwa.SignatureAlgorithm(alg), key.public))
		if ours == nil {
			require.NoError(t, err)
			assert.Equal(t, payload, theirs)
		}
		if signer == verifier && change == 0 {
			require.NoError(t, ours)
		} else {
			require.ErrorIs(t, ours, ErrSignature)
		}
	})
}

// FuzzSetAccounting holds that every key of a set is used or listed as skipped, and that what is used passes the checks and fits some algorithm. (A reason may
// quote alg, use, kty and crv, cut short.)
func FuzzSetAccounting(f *testing.F) {
	for _, alg := range []string{"ES256", "EdDSA"} {
		key, err := GenerateKey(alg)
		require.NoError(f, err)
		public := string(key.PublicJWK("sig"))
		f.Add([]byte(`{"keys":[` + public + `]}`))
		f.Add([]byte(`{"keys":[` + public + `,{"kty":"oct","k":"c2VjcmV0LXNlY3JldC1zZWNyZXQ"},5,null,` + public + `],"x":{}}`))
		f.Add([]byte(`{"KEYS":[` + public + `]}`))
	}
	f.Add([]byte(`{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB","d":"c2VjcmV0LXNlY3JldC1zZWNyZXQ"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		keys, skipped, err := ParseSet(data)
		if err != nil {
			require.Empty(t, keys)
			return
		}
		var set struct {
			Keys []struct{ D, K any }
		}
		if json.Unmarshal(data, &set) == nil {
			require.Len(t, set.Keys, len(keys)+len(skipped))
		}
		for _, key := range keys {
			require.NoError(t, check(key.public))
			fits := 0
			for _, alg := range Algorithms() {
				if key.Fits(alg) {
					fits++
				}
			}
			require.Positive(t, fits, "a key that fits nothing is of no use")
			require.False(t, key.Fits("none") || key.Fits("HS256") || key.Fits(""))
		}
		for _, s := range skipped {
			require.NotEmpty(t, s.Reason)
			require.LessOrEqual(t, len(s.Reason), 400)
		}
	})
}
