//go:build !race

// What is counted here is what the compiler leaves: without inlining, or where Verify has grown too large for it, a Principal costs an allocation more.

package resourceserver_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/svcauth/svcauth/keycloak"
	rs "github.com/svcauth/svcauth/resourceserver"
)

// The race detector allocates too, so exact counts hold without it only.

func TestCacheHitAllocates(t *testing.T) {
	auth, mapped := counted(t, newFakeIssuer(keyFor("EdDSA")), nil)
	most := strings.Split("ADMIN "+strings.Repeat("role ", 9), " ") // with the scopes as many as have room beside a principal
	for n := range most {
		most[n] += strings.Repeat("+", n)
	}
	for _, c := range []struct {
		name       string
		claims     claims
		verify     float64 // allocations: the principal's names if they are many, and the principal if it is kept
		middleware float64 // allocations: the request, its context with the principal, and its names if they are many
	}{
		{"short", claims{"x": strings.Repeat("x", 10)}, 0, 2},
		{"as long as one piece", claims{"x": strings.Repeat("x", 1200)}, 0, 2},
		{"long", claims{"x": strings.Repeat("x", 6000)}, 0, 2},
		{"as many names as have room", claims{"roles": most[:10]}, 0, 2},
		{"more names", claims{"roles": most}, 1, 3},
	} {
		token := sign(keyFor("EdDSA"), nil, good(c.claims))
		require.NoError(t, verifyErr(t, auth, token))
		ctx := context.Background()
		var kept *rs.Principal
		held := true
		assert.InDelta(t, c.verify, testing.AllocsPerRun(200, func() {
			p, err := auth.Verify(ctx, token)
			held = held && err == nil && p.HasRole(p.Roles[0]) && len(p.Scopes) > 0
		}), 0, c.name)
		assert.True(t, held)
		assert.InDelta(t, c.verify+1, testing.AllocsPerRun(200, func() { kept, _ = auth.Verify(ctx, token) }), 0, "%s, kept", c.name)
		assert.NotNil(t, kept)

		h := auth.Require(rs.Role("ADMIN"))(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		assert.InDelta(t, c.middleware, testing.AllocsPerRun(200, func() { h.ServeHTTP(w, r) }), 0, c.name)
		assert.Zero(t, testing.AllocsPerRun(200, func() { assert.NoError(t, rs.VerifyOnly(auth, token)) }), "%s: the verification itself", c.name)
	}
	assert.EqualValues(t, 5, mapped.Load())
}

// keycloakClaims are the claims of an access token as Keycloak makes them, 1,058 bytes; n makes each another one.
func keycloakClaims(n int) claims {
	roles := func(names ...string) map[string]any { return map[string]any{"roles": names} }
	c := good(claims{
		"jti": fmt.Sprintf("trrtcc:%08d-9c6e-4f5e-8d0b-5f2a8f0e7c11", n), "iss": issuerName, "aud": []string{audience, "account"},
		"sub": "0f1d2c3b-4a59-4877-9695-a4b3c2d1e0ff", "azp": "messages-webapp", "sid": "4c0b5b0e-7a2f-4c4e-9b69-0a1f5d3c2b1a", "acr": "1",
		"allowed-origins": []string{"http://localhost:8080"}, "roles": absent, "scope": "openid email profile", "email_verified": true,
		"realm_access": roles("offline_access", "default-roles-sivalabs", "uma_authorization", "ROLE_USER", "ROLE_ADMIN"),
		"resource_access": map[string]any{
			"messages-webapp": roles("viewer"), "messages-service": roles("reader", "writer"), "archival-service": roles("runner"),
			"account": roles("manage-account", "manage-account-links", "view-profile"),
		},
		"name": "Siva Prasad Katamreddy", "given_name": "Siva Prasad", "family_name": "Katamreddy", "email": "siva@example.com",
	})
	c["x"] = ""
	c["x"] = strings.Repeat("x", 1058-len(payload(c)))
	return c
}

func keycloakConfig(alg string) rs.Config {
	c := newFakeIssuer(keyFor(alg)).config()
	c.Roles, c.Logger = keycloak.RealmRoles, slog.New(slog.DiscardHandler)
	return c
}

// rawVerify is what the signature alone costs.
func rawVerify(t *testing.T, alg, token string) func() {
	dot := strings.LastIndexByte(token, '.')
	input := []byte(token[:dot])
	signature, err := base64.RawURLEncoding.DecodeString(token[dot+1:])
	require.NoError(t, err)
	var valid func() bool
	switch key := keyFor(alg).Signer().Public().(type) {
	case *rsa.PublicKey:
		valid = func() bool {
			digest := sha256.Sum256(input)
			return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature) == nil
		}
	case *ecdsa.PublicKey:
		valid = func() bool {
			digest := sha256.Sum256(input)
			return ecdsa.Verify(key, digest[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:]))
		}
	case ed25519.PublicKey:
		valid = func() bool { return ed25519.Verify(key, input, signature) }
	}
	require.True(t, valid())
	return func() { valid() }
}

// TestNewTokenAllocates counts what a token costs that was not seen before, and is remembered, beyond its signature.
func TestNewTokenAllocates(t *testing.T) {
	for alg, want := range map[string]float64{"RS256": 14, "ES256": 14, "EdDSA": 13} {
		auth := newAuth(t, keycloakConfig(alg))
		var tokens []string
		for n := range 102 { // AllocsPerRun makes one run more than it counts
			tokens = append(tokens, sign(keyFor(alg), nil, keycloakClaims(n)))
		}
		require.NoError(t, verifyErr(t, auth, tokens[0])) // the keys, and the header
		n, ctx := 0, context.Background()
		all := testing.AllocsPerRun(100, func() {
			n++
			_, err := auth.Verify(ctx, tokens[n])
			assert.NoError(t, err)
		})
		signature := testing.AllocsPerRun(100, rawVerify(t, alg, tokens[0]))
		assert.InDelta(t, want, all-signature, 0, "%s: %v in all, the signature %v", alg, all, signature)
		assert.LessOrEqual(t, all, 45.0, alg)
	}
}

// TestRememberedTokenTakesLittle holds what the cache keeps of a token, and that its own estimate is no less.
func TestRememberedTokenTakesLittle(t *testing.T) {
	const many = 4000
	c := keycloakConfig("EdDSA")
	c.CacheBytes = 1 << 29
	auth := newAuth(t, c)
	require.NoError(t, auth.Warm(t.Context()))
	var tokens []string
	for n := range many {
		tokens = append(tokens, sign(keyFor("EdDSA"), nil, keycloakClaims(n)))
	}
	before := heap()
	for _, token := range tokens {
		require.NoError(t, verifyErr(t, auth, token))
	}
	each := int(heap()-before) / many
	runtime.KeepAlive(tokens)
	estimate := rs.CacheBytes(auth) / many
	t.Logf("%d bytes a token, estimated as %d", each, estimate)
	assert.Less(t, each, 1700)
	assert.GreaterOrEqual(t, estimate, each)
}
