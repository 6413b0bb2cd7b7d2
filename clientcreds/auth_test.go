package clientcreds

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/svcauth/svcauth/internal/jose"
)

// testKeys makes each key of the package's tests once.
var testKeys = struct{ ec, ed, rsa func() crypto.Signer }{
	ec:  sync.OnceValue(func() crypto.Signer { k, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader); return k }),
	ed:  sync.OnceValue(func() crypto.Signer { _, k, _ := ed25519.GenerateKey(rand.Reader); return k }),
	rsa: sync.OnceValue(func() crypto.Signer { k, _ := rsa.GenerateKey(rand.Reader, 2048); return k }),
}

func pkcs8(key crypto.Signer) string {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// authenticated is the form that a method makes of a client's.
func authenticated(t testing.TB, auth ClientAuth, issuer, id string) (url.Values, http.Header) {
	t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}}
	if id != "" {
		form.Set("client_id", id)
	}
	req := &http.Request{Header: http.Header{}, URL: &url.URL{Scheme: "https", Host: "issuer.example", Path: "/token"}}
	require.NoError(t, auth.AuthenticateClient(t.Context(), issuer, req, form))
	return form, req.Header
}

// decoded is a JWT taken apart.
type decoded struct {
	header, claims   map[string]any
	input, signature []byte
}

func decode(t testing.TB, token string) decoded {
	t.Helper()
	parts := strings.Split(token, ".")
	require.Len(t, parts, 3)
	var d decoded
	for i, into := range []any{&d.header, &d.claims} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, into))
	}
	d.input = []byte(parts[0] + "." + parts[1])
	var err error
	d.signature, err = base64.RawURLEncoding.DecodeString(parts[2])
	require.NoError(t, err)
	return d
}

// TestAssertionShape holds RFC 7523 §3 and RFC 10070 to the letter, for both methods that mint.
func TestAssertionShape(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		for _, auth := range []ClientAuth{SecretJWT{Secret: static("s")}, PrivateKeyJWT{Key: static(pkcs8(testKeys.ed()))}} {
			form, header := authenticated(t, auth, testIssuer, "archival-service")
			assert.Empty(t, header, "nothing but the form")
			assert.Equal(t, []string{"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, form["client_assertion_type"])
			assert.Equal(t, []string{"archival-service"}, form["client_id"])
			assert.Equal(t, []string{"client_credentials"}, form["grant_type"])
			require.Len(t, form["client_assertion"], 1)
			got := decode(t, form.Get("client_assertion"))
			assert.Equal(t, "client-authentication+jwt", got.header["typ"])
			assert.NotContains(t, got.header, "kid")
			jti, _ := got.claims["jti"].(string)
			assert.GreaterOrEqual(t, len(jti), 22, "128 bits that nobody can guess")
			delete(got.claims, "jti")
			assert.Equal(t, map[string]any{
				"iss": "archival-service", "sub": "archival-service", "aud": testIssuer, // a string, not a list of one
				"iat": float64(now.Unix()), "exp": float64(now.Unix() + 60),
			}, got.claims)

			again, _ := authenticated(t, auth, testIssuer, "archival-service")
			assert.NotEqual(t, jti, decode(t, again.Get("client_assertion")).claims["jti"], "none is used twice")
		}
		for _, auth := range []ClientAuth{
			SecretJWT{Secret: static("s"), Audience: testTokenURL, Type: "JWT"}, PrivateKeyJWT{Key: static(pkcs8(testKeys.ed())), Audience: testTokenURL, Type: "JWT"},
		} {
			form, _ := authenticated(t, auth, testIssuer, "c")
			got := decode(t, form.Get("client_assertion"))
			assert.Equal(t, "JWT", got.header["typ"])
			assert.Equal(t, testTokenURL, got.claims["aud"])
		}
	})
}

func TestSecretJWTSignature(t *testing.T) {
	form, _ := authenticated(t, SecretJWT{Secret: static("s3cr3t")}, testIssuer, "c")
	got := decode(t, form.Get("client_assertion"))
	assert.Equal(t, "HS256", got.header["alg"])
	h := hmac.New(sha256.New, []byte("s3cr3t"))
	h.Write(got.input)
	assert.Equal(t, h.Sum(nil), got.signature)
	for _, alg := range []string{"HS384", "HS512"} {
		form, _ := authenticated(t, SecretJWT{Secret: static("s"), Algorithm: alg}, testIssuer, "c")
		assert.Equal(t, alg, decode(t, form.Get("client_assertion")).header["alg"])
	}
}

func TestPrivateKeyJWTSignature(t *testing.T) {
	ec, ed, rs := pkcs8(testKeys.ec()), pkcs8(testKeys.ed()), pkcs8(testKeys.rsa())
	seed := base64.RawURLEncoding.EncodeToString(testKeys.ed().(ed25519.PrivateKey).Seed())
	x := base64.RawURLEncoding.EncodeToString(testKeys.ed().(ed25519.PrivateKey).Public().(ed25519.PublicKey))
	jwk := `{"kty":"OKP","crv":"Ed25519","kid":"own","d":"` + seed + `","x":"` + x + `"}`
	for _, tt := range []struct {
		name string
		auth PrivateKeyJWT
		alg  string
		kid  any
	}{
		{"RSA", PrivateKeyJWT{Key: static(rs)}, "RS256", nil},
		{"PS512", PrivateKeyJWT{Key: static(rs), Algorithm: "PS512", KeyID: "k"}, "PS512", "k"},
		{"EC", PrivateKeyJWT{Key: static(ec), KeyID: "k"}, "ES256", "k"},
		{"Ed25519", PrivateKeyJWT{Key: static(ed)}, "EdDSA", nil},
		{"JWK brings its kid", PrivateKeyJWT{Key: static(jwk)}, "EdDSA", "own"},
		{"KeyID wins", PrivateKeyJWT{Key: static(jwk), KeyID: "k"}, "EdDSA", "k"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			form, _ := authenticated(t, tt.auth, testIssuer, "c")
			got := decode(t, form.Get("client_assertion"))
			assert.Equal(t, tt.alg, got.header["alg"])
			assert.Equal(t, tt.kid, got.header["kid"])
			text, _ := tt.auth.Key.read(t.Context())
			key, err := jose.ParsePrivateKey([]byte(text))
			require.NoError(t, err)
			key, err = key.WithAlgorithm(tt.alg)
			require.NoError(t, err)
			keys, _, err := jose.ParseSet([]byte(`{"keys":[` + string(key.PublicJWK("sig")) + `]}`))
			require.NoError(t, err)
			assert.NoError(t, keys[0].Verify(tt.alg, string(got.input), got.signature))
		})
	}
}
