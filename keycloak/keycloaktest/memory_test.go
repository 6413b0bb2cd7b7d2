package keycloaktest_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/svcauth/svcauth/clientcreds"
	"github.com/svcauth/svcauth/keycloak/keycloaktest"
	"github.com/svcauth/svcauth/resourceserver"
)

// halves are the two halves of the library at one realm in memory.
func halves(t *testing.T, realm *keycloaktest.Server) (*clientcreds.Source, *resourceserver.Authenticator) {
	t.Helper()
	source, err := clientcreds.New(realm.ClientConfig("job"))
	require.NoError(t, err)
	auth, err := resourceserver.New(realm.ServerConfig("service"))
	require.NoError(t, err)
	return source, auth
}

// TestADayInMemory makes the server in the bubble, and lives through a day with a rotation of keys and an outage in it.
func TestADayInMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		realm := keycloaktest.New(t, keycloaktest.Config{InMemory: true, Algorithm: "EdDSA"})
		source, auth := halves(t, realm)
		for hour := range 24 {
			switch hour {
			case 5:
				realm.RotateKeys(true)
			case 10:
				realm.SetTrouble(keycloaktest.AllEndpoints, keycloaktest.Slow(time.Second))
			case 15:
				realm.SetTrouble(keycloaktest.AllEndpoints)
			}
			token, err := source.TokenContext(t.Context())
			require.NoError(t, err, "hour %d", hour)
			principal, err := auth.Verify(t.Context(), token.AccessToken)
			require.NoError(t, err, "hour %d", hour)
			require.Equal(t, "job", principal.ClientID)
			time.Sleep(time.Hour)
			synctest.Wait()
		}
		assert.Equal(t, 24, realm.Grants("job"))
		assert.Zero(t, realm.Refusals("job"))
	})
}

func TestMemoryHasNoNetwork(t *testing.T) {
	a, b := keycloaktest.New(t, keycloaktest.Config{InMemory: true}), keycloaktest.New(t, keycloaktest.Config{InMemory: true})
	assert.NotEqual(t, a.Issuer(), b.Issuer())
	assert.Regexp(t, `^https://keycloak\d+\.test$`, a.URL)
	_, auth := halves(t, a)
	_, err := auth.Verify(t.Context(), b.Token(keycloaktest.Token{}))
	assert.Error(t, err, "a token of another server")
	_, err = (&http.Client{Transport: a.Transport()}).Get(b.URL)
	assert.ErrorContains(t, err, "this transport only reaches")

	a.Close()
	a.Close()
	_, err = (&http.Client{Transport: a.Transport()}).Get(a.Issuer() + keycloaktest.JWKSEndpoint)
	assert.ErrorContains(t, err, "the server is down", "a closed one answers no more")

	listening := keycloaktest.New(t, keycloaktest.Config{})
	assert.Nil(t, listening.ClientConfig("job").HTTPClient)
	assert.Nil(t, listening.ServerConfig("service").HTTPClient)
}

func TestBadTokensAreRefused(t *testing.T) {
	for _, algorithm := range []string{"RS256", "ES256", "EdDSA", "PS512"} {
		t.Run(algorithm, func(t *testing.T) {
			realm := keycloaktest.New(t, keycloaktest.Config{InMemory: true, Algorithm: algorithm})
			_, auth := halves(t, realm)
			for _, good := range []keycloaktest.Token{{User: "alice"}, {}, {User: "bob", Claims: map[string]any{"tenant": "t"}, Header: map[string]any{"x": "y"}}} {
				_, err := auth.Verify(t.Context(), realm.Token(good))
				require.NoError(t, err)
				names := map[string]bool{}
				for name, token := range realm.BadTokens(good) {
					assert.False(t, names[name], name)
					names[name] = true
					_, err := auth.Verify(t.Context(), token)
					var refusal *resourceserver.Error
					if assert.ErrorAs(t, err, &refusal, name) {
						assert.Equal(t, 401, refusal.Status, name)
					}
				}
				assert.Len(t, names, map[bool]int{true: 27, false: 26}[good.User != ""])
				assert.LessOrEqual(t, len(good.Claims)+len(good.Header), 2, "the caller's maps stay as they are")
			}
			for range realm.BadTokens(keycloaktest.Token{}) {
				break // the rest is never made
			}
		})
	}
}

// TestBadTokensAreBadForTheirReason holds that each token is refused for what its name says.
func TestBadTokensAreBadForTheirReason(t *testing.T) {
	realm := keycloaktest.New(t, keycloaktest.Config{InMemory: true})
	_, auth := halves(t, realm)
	want := map[string]resourceserver.Reason{
		"expired an hour ago":        resourceserver.ReasonExpired,
		"without an expiry":          resourceserver.ReasonMalformedClaims,
		"expiry is text":             resourceserver.ReasonMalformedClaims,
		"not valid for another hour": resourceserver.ReasonNotYetValid,

		"issuer is another realm":                 resourceserver.ReasonIssuer,
		"issuer with a slash at the end":          resourceserver.ReasonIssuer,
		"without an issuer":                       resourceserver.ReasonIssuer,
		"audience is another service":             resourceserver.ReasonAudience,
		"audience is only Keycloak's own account": resourceserver.ReasonAudience,
		"audience is missing":                     resourceserver.ReasonAudience,

		"ID token":                  resourceserver.ReasonTokenKind,
		"refresh token":             resourceserver.ReasonAlgorithm,
		"marked as a refresh token": resourceserver.ReasonTokenKind,
		"marked as a logout token":  resourceserver.ReasonTokenKind,

		"forged, with the realm's key ID":               resourceserver.ReasonSignature,
		"forged, with an unknown key ID":                resourceserver.ReasonUnknownKey,
		"forged, without a key ID":                      resourceserver.ReasonUnknownKey,
		"unsigned":                                      resourceserver.ReasonMalformedToken,
		"signed, but says none":                         resourceserver.ReasonAlgorithm,
		"signed with the public key as a shared secret": resourceserver.ReasonAlgorithm,
		"signed, but says another algorithm":            resourceserver.ReasonAlgorithm,
		"critical header that nobody knows":             resourceserver.ReasonHeader,

		"changed after it was signed":    resourceserver.ReasonSignature,
		"signature removed":              resourceserver.ReasonMalformedToken,
		"signature cut off with its dot": resourceserver.ReasonMalformedToken,
		"signature cut short":            resourceserver.ReasonSignature,
		"not a JWT":                      resourceserver.ReasonMalformedToken,
	}
	got := map[string]resourceserver.Reason{}
	for name, token := range realm.BadTokens(keycloaktest.Token{User: "alice"}) {
		_, err := auth.Verify(context.Background(), token)
		var refusal *resourceserver.Error
		require.ErrorAs(t, err, &refusal)
		got[name] = refusal.Reason
	}
	assert.Equal(t, want, got)
}
