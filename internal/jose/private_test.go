package jose_test

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/svcauth/svcauth/internal/jose"
)

func pemOf(t testing.TB, kind string, der []byte, err error) string {
	t.Helper()
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func pkcs8(t testing.TB, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	return pemOf(t, "PRIVATE KEY", der, err)
}

// privateJWK is the private JWK of a key, with further members.
func privateJWK(t testing.TB, key *jose.PrivateKey, more map[string]any) string {
	t.Helper()
	var members map[string]any
	require.NoError(t, json.Unmarshal(key.PublicJWK("sig"), &members))
	text := base64.RawURLEncoding.EncodeToString
	switch k := key.Signer().(type) {
	case *rsa.PrivateKey:
		members["d"], members["p"], members["q"] = text(k.D.Bytes()), text(k.Primes[0].Bytes()), text(k.Primes[1].Bytes())
	case *ecdsa.PrivateKey:
		raw, err := k.Bytes()
		require.NoError(t, err)
		members["d"] = text(raw)
	case interface{ Seed() []byte }:
		members["d"] = text(k.Seed())
	}
	for name, value := range more {
		members[name] = value
		if value == nil {
			delete(members, name)
		}
	}
	data, err := json.Marshal(members)
	require.NoError(t, err)
	return string(data)
}

func TestParsePrivateKey(t *testing.T) {
	rsaKey, ecKey := keyFor(t, "RS256").Signer().(*rsa.PrivateKey), keyFor(t, "ES256").Signer().(*ecdsa.PrivateKey)
	sec1, err := x509.MarshalECPrivateKey(ecKey)
	sec1PEM := pemOf(t, "EC PRIVATE KEY", sec1, err)
	for _, tt := range []struct{ name, data, id, alg string }{
		{"PKCS #1", pemOf(t, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey), nil), "", "RS256"},
		{"PKCS #8, RSA", pkcs8(t, rsaKey), "", "RS256"},
		{"PKCS #8, P-256", pkcs8(t, ecKey), "", "ES256"},
		{"PKCS #8, P-384", pkcs8(t, keyFor(t, "ES384").Signer()), "", "ES384"},
		{"PKCS #8, P-521", pkcs8(t, keyFor(t, "ES512").Signer()), "", "ES512"},
		{"PKCS #8, Ed25519", pkcs8(t, keyFor(t, "EdDSA").Signer()), "", "EdDSA"},
		{"SEC 1", sec1PEM, "", "ES256"},
		{"SEC 1 after its parameters", pemOf(t, "EC PARAMETERS", []byte{6, 8}, nil) + sec1PEM, "", "ES256"},
		{"beside a certificate, and text", "key:\n" + pemOf(t, "CERTIFICATE", []byte{1}, nil) + sec1PEM + "\n\n", "", "ES256"},
		{"JWK, RSA", privateJWK(t, keyFor(t, "RS256"), nil), keyFor(t, "RS256").ID(), "RS256"},
		{"JWK, RSA for PS384", privateJWK(t, keyFor(t, "RS256"), map[string]any{"alg": "PS384"}), keyFor(t, "RS256").ID(), "PS384"},
		{"JWK, without primes", privateJWK(t, keyFor(t, "RS256"), map[string]any{"p": nil, "q": nil}), keyFor(t, "RS256").ID(), "RS256"},
		{"JWK, EC", privateJWK(t, keyFor(t, "ES384"), map[string]any{"kid": "a", "alg": nil, "use": nil}), "a", "ES384"},
		{"JWK, Ed25519", "\n " + privateJWK(t, keyFor(t, "EdDSA"), map[string]any{"kid": nil, "alg": nil, "key_ops": []string{"sign"}}) + "\n", "", "EdDSA"},
		{"JWK, Ed25519 by its newer name", privateJWK(t, keyFor(t, "EdDSA"), map[string]any{"alg": "Ed25519"}), keyFor(t, "EdDSA").ID(), "Ed25519"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			key, err := jose.ParsePrivateKey([]byte(tt.data))
			require.NoError(t, err)
			assert.Equal(t, tt.id, key.ID())
			assert.Equal(t, tt.alg, key.Algorithm())
			token, err := key.Sign(nil, []byte(`{}`))
			require.NoError(t, err)
			input, signature := split(t, token)
			keys, _, err := jose.ParseSet(setOf(string(key.PublicJWK("sig"))))
			require.NoError(t, err)
			assert.NoError(t, keys[0].Verify(tt.alg, input, signature))
			head, _, _ := strings.Cut(token, ".")
			header, err := base64.RawURLEncoding.DecodeString(head)
			require.NoError(t, err)
			assert.Equal(t, tt.id != "", strings.Contains(string(header), `"kid"`), "no kid rather than an empty one")
		})
	}
}

func TestParsePrivateKeyRefuses(t *testing.T) {
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	require.NoError(t, err)
	x25519, err := ecdh.X25519().GenerateKey(rand.Reader)
	require.NoError(t, err)
	public, err := x509.MarshalPKIXPublicKey(keyFor(t, "ES256").Signer().Public())
	publicPEM := pemOf(t, "PUBLIC KEY", public, err)
	other, err := jose.GenerateKey("ES256")
	require.NoError(t, err)
	foreign, err := other.Signer().(*ecdsa.PrivateKey).Bytes()
	require.NoError(t, err)
	text := base64.RawURLEncoding.EncodeToString
	good := pkcs8(t, keyFor(t, "ES256").Signer())
	ec := func(more map[string]any) string { return privateJWK(t, keyFor(t, "ES256"), more) }
	for _, tt := range []struct{ name, data, want string }{
		{"empty", "", "neither PEM nor a JWK"},
		{"a password", "p1anted", "neither PEM nor a JWK"},
		{"DER", string(public), "neither PEM nor a JWK"},
		{"a public key", publicPEM, "no complete private key"},
		{"cut short", good[:len(good)-40], "no complete private key"},
		{"two keys", good + good, "more than one private key"},
		{"encrypted, PKCS #8", pemOf(t, "ENCRYPTED PRIVATE KEY", []byte{1}, nil), "is encrypted"},
		{"encrypted, PKCS #1", "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n", "is encrypted"},
		{"OpenSSH", pemOf(t, "OPENSSH PRIVATE KEY", []byte{1}, nil), "convert it to PKCS #8"},
		{"damaged", pemOf(t, "PRIVATE KEY", []byte("p1anted"), nil), "holds no key that can be read"},
		{"RSA of 1024 bits", pemOf(t, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(weak), nil), "1024 bits, fewer than 2048"},
		{"P-224", pkcs8(t, p224), "kind that is not supported"},
		{"X25519", pkcs8(t, x25519), "can't sign"},
		{"not JSON", `{"kty":"EC"`, "not a JWK"},
		{"mistyped", `{"kty":"EC","d":5}`, "not a JWK"},
		{"a set", `{"keys":[` + ec(nil) + `]}`, "JWK Set: give the one key"},
		{"symmetric", `{"kty":"oct","k":"cDFhbnRlZA"}`, "symmetric"},
		{"public JWK", ec(map[string]any{"d": nil}), "can't sign"},
		{"for encryption", ec(map[string]any{"use": "enc"}), `use is "enc"`},
		{"key_ops without sign", ec(map[string]any{"key_ops": []string{"verify"}}), "lack sign"},
		{"alg of another kind", ec(map[string]any{"alg": "RS256"}), `"RS256" does not fit the key, which is for ES256`},
		{"alg of another curve", ec(map[string]any{"alg": "ES384"}), `"ES384" does not fit`},
		{"alg none", ec(map[string]any{"alg": "none"}), "is not supported"},
		{"alg HS256", ec(map[string]any{"alg": "HS256"}), "is not supported"},
		{"halves of two keys", ec(map[string]any{"d": text(foreign)}), "belongs to another public half"},
		{"d of zero", ec(map[string]any{"d": text(make([]byte, 32))}), "malformed"},
		{"d cut", ec(map[string]any{"d": text(foreign[:31])}), "malformed"},
		{"d not base64url", ec(map[string]any{"d": "+/=="}), "malformed"},
		{"Ed25519 halves of two keys", privateJWK(t, keyFor(t, "EdDSA"), map[string]any{"d": text(make([]byte, 32))}), "another public half"},
		{"Ed25519 d cut", privateJWK(t, keyFor(t, "EdDSA"), map[string]any{"d": text(make([]byte, 31))}), "malformed"},
		{"RSA with other primes", privateJWK(t, keyFor(t, "RS256"), map[string]any{"p": text(big.NewInt(7).Bytes())}), "malformed"},
		{"RSA without primes, of two keys", privateJWK(t, keyFor(t, "RS256"), map[string]any{"p": nil, "q": nil, "d": text(big.NewInt(65539).Bytes())}), "malformed"},
		{"RSA of three primes", privateJWK(t, keyFor(t, "RS256"), map[string]any{"oth": []any{}}), "more than two primes"},
		{"unknown kty", `{"kty":"AKP","d":"AAAA"}`, "not supported"},
	} {
		key, err := jose.ParsePrivateKey([]byte(tt.data))
		assert.Nil(t, key, tt.name)
		if assert.ErrorContains(t, err, tt.want, tt.name) {
			assert.NotContains(t, err.Error(), "p1anted")
		}
	}
}

func TestWithAlgorithm(t *testing.T) {
	key := keyFor(t, "RS256")
	for _, alg := range []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"} {
		other, err := key.WithAlgorithm(alg)
		require.NoError(t, err)
		token, err := other.WithID("other").Sign(nil, []byte(`{}`))
		require.NoError(t, err)
		input, signature := split(t, token)
		keys, _, err := jose.ParseSet(setOf(string(other.PublicJWK("sig"))))
		require.NoError(t, err)
		assert.NoError(t, keys[0].Verify(alg, input, signature))
	}
	assert.Equal(t, "RS256", key.Algorithm(), "the key itself stays as it is")
	for _, alg := range []string{"ES256", "EdDSA", "", "none", "HS256", "rs256"} {
		_, err := key.WithAlgorithm(alg)
		assert.Error(t, err, alg)
	}
}

func TestSignHMAC(t *testing.T) {
	for _, alg := range []string{"HS256", "HS384", "HS512"} {
		token, err := jose.SignHMAC(alg, []byte("secret"), map[string]any{"typ": "x"}, []byte(`{}`))
		require.NoError(t, err)
		head, _, _ := strings.Cut(token, ".")
		header, err := base64.RawURLEncoding.DecodeString(head)
		require.NoError(t, err)
		assert.JSONEq(t, `{"alg":"`+alg+`","typ":"x"}`, string(header))
		assert.False(t, jose.Supported(alg), "nothing verifies by it")
	}
	for _, alg := range []string{"", "none", "RS256", "hs256"} {
		_, err := jose.SignHMAC(alg, []byte("secret"), nil, nil)
		assert.Error(t, err, alg)
	}
}

// FuzzParsePrivateKey holds that whatever is taken for a key can sign, and that nothing of what is refused stands in the error.
func FuzzParsePrivateKey(f *testing.F) {
	f.Add([]byte(pkcs8(f, keyFor(f, "EdDSA").Signer())))
	f.Add([]byte(privateJWK(f, keyFor(f, "EdDSA"), nil)))
	f.Add([]byte(privateJWK(f, keyFor(f, "ES256"), nil)))
	f.Add([]byte(`{"kty":"RSA","n":"AQAB","e":"AQAB","d":"AQAB"}`))
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"))
	f.Fuzz(func(t *testing.T, data []byte) {
		key, err := jose.ParsePrivateKey(data)
		if err != nil {
			if len(err.Error()) > 400 {
				t.Fatalf("%d bytes of error", len(err.Error()))
			}
			return
		}
		token, err := key.Sign(nil, []byte(`{}`))
		if err != nil {
			t.Fatal(err)
		}
		input, signature := split(t, token)
		keys, _, err := jose.ParseSet(setOf(string(key.PublicJWK("sig"))))
		if err != nil || keys[0].Verify(key.Algorithm(), input, signature) != nil {
			t.Fatalf("a key that signs what it can't verify: %v", err)
		}
	})
}
