package integration

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A running service takes tokens of a key that it has never seen, at once, and those of the old key while that is published.
func TestKeyRotation(t *testing.T) {
	onEachIssuer(t, func(t *testing.T, one issuer) {
		m := messages(t, one.URL(wide), "")
		a := archival(t, one.URL(wide), m.url)
		before := service(t, one, wide, "as-job", "secret")
		require.Equal(t, http.StatusOK, archive(t, m, before).status)

		one.RotateKeys(t, wide)
		after := service(t, one, wide, "as-job", "secret")
		require.NotEqual(t, keyID(t, before), keyID(t, after))
		for range 3 {
			got := archive(t, m, after)
			assert.Equal(t, http.StatusOK, got.status, "new key: %s", got)
			got = archive(t, m, before)
			assert.Equal(t, http.StatusOK, got.status, "old key: %s", got)
		}
		a.logs(t, a.log.count(got200), got200)
		assert.Zero(t, a.log.count(callFailed))
		assert.Zero(t, a.log.count("Archive messages response code: 401"))
	})
}

func keyID(t *testing.T, token string) string {
	t.Helper()
	var header struct {
		KeyID string `json:"kid"`
	}
	encoded, _, _ := strings.Cut(token, ".")
	decoded, err := base64.RawURLEncoding.DecodeString(encoded)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(decoded, &header))
	require.NotEmpty(t, header.KeyID)
	return header.KeyID
}

// The secret changes at the issuer and in the file, and nobody restarts anything. Tokens live for ten seconds here, and a client does not use one longer: the
// answers after that time are to a token that the new secret brought.
func TestSecretRotation(t *testing.T) {
	const clientID, changed = "ten seconds", "another secret"
	onEachIssuer(t, func(t *testing.T, one issuer) {
		t.Cleanup(func() { one.SetSecret(t, wide, clientID, "secret") })
		path := secretFile(t, "secret")
		m := messages(t, one.URL(wide), "")
		a := serve(t, "archival-service", "", nil,
			"-issuer", one.URL(wide), "-messages-url", m.url, "-interval", "500ms", "-client-id", clientID, "-client-secret-file", path)
		a.logs(t, 0, got200)

		one.SetSecret(t, wide, clientID, changed)
		replaceFile(t, path, changed)
		over := time.Now().Add(11 * time.Second)
		refused := send(t, http.MethodPost, one.URL(wide)+tokenPath, "", url.Values{
			"grant_type": {"client_credentials"}, "client_id": {clientID}, "client_secret": {"secret"},
		})
		require.Equal(t, http.StatusUnauthorized, refused.status, "%s", refused)

		require.Eventually(t, func() bool { return time.Now().After(over) }, 15*time.Second, 100*time.Millisecond)
		a.logs(t, a.log.count(got200), got200)
		assert.Zero(t, a.log.count(callFailed))
		assert.Zero(t, a.log.count("Archive messages response code: 4"))
		assert.NotContains(t, a.log.String(), changed)
	})
}
