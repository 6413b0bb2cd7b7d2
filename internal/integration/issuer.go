package integration

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// issuer is one of the two that every test runs against. It has the realms of realms.go.
type issuer interface {
	Name() string
	URL(realm string) string // the realm's issuer
	// Foreign gives an access token of an admin of another realm.
	Foreign(t *testing.T) string
	// Lightweight gives an access token of the client lightweight: one with no name and no roles, but with the audiences.
	Lightweight(t *testing.T, realm string) string
	// Expired gives an access token of the client brief, which has all the roles, that ended at least two seconds ago.
	Expired(t *testing.T, realm string) string
	// RotateKeys makes a new key, which signs from now on. The old one stays published.
	RotateKeys(t *testing.T, realm string)
	SetSecret(t *testing.T, realm, client, secret string)
	// Stop ends all answers: Keycloak leaves nothing on its port, the embedded realms close each connection. Start returns when all realms answer again, with the
	// keys that they had.
	Stop(t *testing.T)
	Start(t *testing.T)
}

type tokens struct {
	Access  string `json:"access_token"`
	ID      string `json:"id_token"`
	Refresh string `json:"refresh_token"`
}

// onEachIssuer runs a test on both at the same time: most of it is waiting.
func onEachIssuer(t *testing.T, test func(*testing.T, issuer)) {
	for _, one := range []issuer{theEmbedded, theKeycloak} {
		t.Run(one.Name(), func(t *testing.T) {
			t.Parallel()
			test(t, one)
		})
	}
}

const tokenPath = "/protocol/openid-connect/token" // under the issuer

var client = &http.Client{
	Timeout:       20 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// requestTokens asks the realm's token endpoint.
func requestTokens(t *testing.T, one issuer, realm string, form url.Values) tokens {
	t.Helper()
	got := send(t, http.MethodPost, one.URL(realm)+tokenPath, "", form)
	require.Equal(t, http.StatusOK, got.status, "%s", got)
	return tokensOf(t, got)
}

func tokensOf(t *testing.T, got answer) tokens {
	t.Helper()
	var out tokens
	require.NoError(t, json.Unmarshal(got.body, &out))
	require.NotEmpty(t, out.Access)
	return out
}

// service gives an access token of a client's own account.
func service(t *testing.T, one issuer, realm, clientID, secret string) string {
	t.Helper()
	return requestTokens(t, one, realm, url.Values{
		"grant_type": {"client_credentials"}, "client_id": {clientID}, "client_secret": {secret},
	}).Access
}
