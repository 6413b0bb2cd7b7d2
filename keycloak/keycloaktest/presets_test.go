package keycloaktest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/svcauth/svcauth/clientcreds"
	"github.com/svcauth/svcauth/resourceserver"
)

func TestPresets(t *testing.T) {
	s := start(t, Config{})
	assert.Equal(t, s.Issuer(), s.Realm().Issuer())
	assert.Equal(t, s.tokenURL(), s.Realm().TokenURL())
	assert.Equal(t, s.certsURL(), s.Realm().JWKSURL())

	source, err := clientcreds.New(s.ClientConfig("job"))
	require.NoError(t, err)
	token, err := source.TokenContext(t.Context())
	require.NoError(t, err)

	auth, err := resourceserver.New(s.Realm().ServerConfig("service"))
	require.NoError(t, err)
	principal, err := auth.Verify(t.Context(), token.AccessToken)
	require.NoError(t, err)
	assert.Equal(t, "job", principal.ClientID)
	assert.True(t, principal.HasRole("JOB"))

	principal, err = auth.Verify(t.Context(), s.Token(Token{User: "alice"}))
	require.NoError(t, err)
	assert.Equal(t, "alice", principal.Username)
	assert.True(t, principal.HasRole("ADMIN"))

	_, err = auth.Verify(t.Context(), s.Token(Token{Type: "ID", Audience: []string{"service"}}))
	assert.Error(t, err)
}

func TestClientConfigHasTheSecretOfNow(t *testing.T) {
	s := start(t, Config{})
	s.SetSecret("job", "new-secret")
	source, err := clientcreds.New(s.ClientConfig("job"))
	require.NoError(t, err)
	_, err = source.TokenContext(t.Context())
	require.NoError(t, err)
	for _, id := range []string{"nope", "service"} {
		assert.PanicsWithValue(t, `keycloaktest: realm "test" has no client "`+id+`" with a secret (it has job, webapp)`, func() { s.ClientConfig(id) })
	}
}
