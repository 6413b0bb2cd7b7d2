package benchmarks

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// testIssuer has one set of keys for all tests.
var testIssuer *Issuer

func TestMain(m *testing.M) {
	var err error
	if testIssuer, err = NewIssuer(Algorithms...); err != nil {
		panic(err)
	}
	code := m.Run()
	testIssuer.Close()
	os.Exit(code)
}

func mint(t *testing.T, algorithm string, change func(*Claims)) string {
	t.Helper()
	claims := newClaims(testIssuer.Realm(realm), 1)
	change(&claims)
	token, err := testIssuer.Mint(algorithm, claims)
	require.NoError(t, err)
	return token
}

// withAlgorithm is a good token that names another algorithm, with what sign makes of it.
func withAlgorithm(t *testing.T, algorithm, named string, sign func(input string) []byte) string {
	t.Helper()
	header, rest, _ := strings.Cut(mint(t, algorithm, func(*Claims) {}), ".")
	text, err := base64.RawURLEncoding.DecodeString(header)
	require.NoError(t, err)
	payload, _, _ := strings.Cut(rest, ".")
	input := base64url([]byte(strings.Replace(string(text), `"`+algorithm+`"`, `"`+named+`"`, 1))) + "." + payload
	return input + "." + base64url(sign(input))
}

// macByPublicKey signs as an attacker may who hopes that the public key is taken for a shared secret.
func macByPublicKey(t *testing.T, algorithm string) func(input string) []byte {
	t.Helper()
	key, err := testIssuer.key(algorithm)
	require.NoError(t, err)
	der, err := x509.MarshalPKIXPublicKey(key.private.Public())
	require.NoError(t, err)
	return func(input string) []byte {
		mac := hmac.New(sha256.New, der)
		mac.Write([]byte(input))
		return mac.Sum(nil)
	}
}

// TestPeersDecideAlike holds that all peers do the same work: what they are compared by is worth nothing if one of them leaves out a check.
func TestPeersDecideAlike(t *testing.T) {
	for _, algorithm := range Algorithms {
		good := mint(t, algorithm, func(*Claims) {})
		nobody := mint(t, algorithm, func(c *Claims) { c.RealmAccess = access{} })
		end := strings.LastIndexByte(good, '.')
		refused := map[string]string{
			"a signature over other claims": mint(t, algorithm, func(c *Claims) { c.Subject = "x" })[:end] + good[end:],
			"another issuer":                mint(t, algorithm, func(c *Claims) { c.Issuer = testIssuer.Realm("other") }),
			"another audience":              mint(t, algorithm, func(c *Claims) { c.Audience = []string{"reports-service"} }),
			"an hour past its end":          mint(t, algorithm, func(c *Claims) { c.Expiry = time.Now().Add(-time.Hour).Unix() }),
			"no signature":                  good[:end+1],
			"alg none":                      withAlgorithm(t, algorithm, "none", func(string) []byte { return nil }),
			"a MAC by the public key":       withAlgorithm(t, algorithm, "HS256", macByPublicKey(t, algorithm)),
		}
		for _, peer := range Peers {
			t.Run(algorithm+" "+peer.Name, func(t *testing.T) {
				verifier, err := peer.New(t.Context(), Want{testIssuer.Realm(realm), audience, algorithm})
				require.NoError(t, err)
				assert.Equal(t, peer.Name, verifier.Name)
				for token, want := range map[string]bool{good: true, nobody: false} {
					admin, err := verifier.Verify(t.Context(), token)
					require.NoError(t, err)
					assert.Equal(t, want, admin)
				}
				for what, token := range refused {
					_, err := verifier.Verify(t.Context(), token)
					assert.Error(t, err, what)
				}
			})
		}
	}
}

func TestMiddlewareOfPeers(t *testing.T) {
	good := mint(t, ES256, func(*Claims) {})
	stale := mint(t, ES256, func(c *Claims) { c.Expiry = time.Now().Add(-time.Hour).Unix() })
	for _, peer := range Peers {
		verifier, err := peer.New(t.Context(), Want{testIssuer.Realm(realm), audience, ES256})
		require.NoError(t, err)
		handler := verifier.Middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
		for authorization, want := range map[string]int{"Bearer " + good: http.StatusNoContent, "Bearer " + stale: http.StatusUnauthorized} {
			request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
			request.Header.Set("Authorization", authorization)
			answer := httptest.NewRecorder()
			handler.ServeHTTP(answer, request)
			assert.Equal(t, want, answer.Code, peer.Name)
		}
	}
}

// TestRaw holds that the floor is a signature check.
func TestRaw(t *testing.T) {
	for _, algorithm := range Algorithms {
		raw, err := newRaw(testIssuer, algorithm)
		require.NoError(t, err)
		parts, err := takeApart([]string{mint(t, algorithm, func(*Claims) {}), mint(t, algorithm, func(c *Claims) { c.Subject = "x" })})
		require.NoError(t, err)
		require.NoError(t, raw(parts[0]), algorithm)
		assert.Error(t, raw(signed{parts[0].input, parts[1].signature}), algorithm)
	}
}
