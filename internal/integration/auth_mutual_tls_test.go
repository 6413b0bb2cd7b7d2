package integration

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/svcauth/svcauth/clientcreds"
)

// otherCertificates: a Source shows the certificate that is in its files now, and Keycloak wants one of the authority that it knows.
func (a *authentication) otherCertificates(t *testing.T) {
	t.Run("another one in the files", func(t *testing.T) {
		files := pair(t.TempDir(), "archiver")
		first, err := a.authority.issue(files, "archiver")
		require.NoError(t, err)
		source := a.source(t, boundClient, files)
		token, err := source.TokenContext(t.Context())
		require.NoError(t, err)
		assert.Equal(t, object{"x5t#S256": first}, claims(t, token.AccessToken, 1)["cnf"])

		second, err := a.authority.issue(files, "archiver")
		require.NoError(t, err)
		source.Invalidate(token)
		token, err = source.TokenContext(t.Context())
		require.NoError(t, err)
		assert.Equal(t, object{"x5t#S256": second}, claims(t, token.AccessToken, 1)["cnf"])
	})
	t.Run("of another authority", func(t *testing.T) {
		dir := t.TempDir()
		another, err := newAuthority(dir, "another authority")
		require.NoError(t, err)
		_, err = another.issue(pair(dir, "archiver"), "archiver")
		require.NoError(t, err)
		_, err = a.source(t, "MutualTLS", pair(dir, "archiver")).TokenContext(t.Context())
		var failed *clientcreds.Error
		require.ErrorAs(t, err, &failed)
		assert.ErrorIs(t, err, clientcreds.ErrUnavailable, "the handshake failed, so nothing was answered")
		assert.Equal(t, clientcreds.ClassDiscovery, failed.Class)
		assert.Zero(t, failed.Status)
	})
}
