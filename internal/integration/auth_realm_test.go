package integration

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/svcauth/svcauth/clientcreds"
	"github.com/svcauth/svcauth/resourceserver"
)

// authentication is the realm of the tests of client authentication, with a client for each method.
type authentication struct {
	*keycloak
	certificates string // a folder
	from         workloads
	methods      []method
	service      string // URL of a resource server, which answers with the client that asks
	log          *output
}

const ordersAudience = "orders-service"

// boundClient is a client like that of MutualTLS, but its tokens name the certificate (RFC 8705 §3), and a resource server that knows bearer tokens only refuses them.
const boundClient = "certificate-bound"

func newAuthRealm(t *testing.T) *authentication {
	a := &authentication{keycloak: theKeycloak, certificates: t.TempDir(), log: &output{}}
	for _, name := range []string{"archiver", "stranger"} {
		_, err := a.authority.issue(pair(a.certificates, name), name)
		require.NoError(t, err)
	}
	a.from = newWorkloads(t, a.keycloak, a.logger())
	clients := []any{authClient(boundClient, withBoundTokens(withSubjectDN("CN=archiver")))}
	var providers []any
	if a.from.trusted {
		providers = append(providers, a.from.provider())
	}
	for _, m := range methods(a.certificates, a.from) {
		if _, ok := m.right.(clientcreds.Assertion); ok && !a.from.trusted {
			continue // otherAssertions says what is answered instead
		}
		a.methods = append(a.methods, m)
		clients = append(clients, authClient(m.name, m.known))
	}
	a.makeRealm(t, authRealm, "ES256", object{"attributes": object{"frontendUrl": a.secure}, "clients": clients, "identityProviders": providers})
	a.service = a.orders(t)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log of the clients:\n%s", a.log)
		}
	})
	return a
}

func authClient(id string, known object) object {
	client := object{
		"clientId": id, "serviceAccountsEnabled": true, "standardFlowEnabled": false, "protocolMappers": []any{customAudience(ordersAudience)},
	}
	for name, value := range known {
		client[name] = value
	}
	return client
}

// orders is a resource server of the realm.
func (a *authentication) orders(t *testing.T) string {
	t.Helper()
	auth, err := resourceserver.New(resourceserver.Config{
		Issuer: a.secureURL(authRealm), Audiences: []string{ordersAudience}, HTTPClient: a.trusting(), Logger: a.logger(),
	})
	require.NoError(t, err)
	mux := auth.NewMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		principal, _ := resourceserver.PrincipalFrom(r.Context())
		io.WriteString(w, principal.ClientID)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

// source is a client of the realm. One that shows an assertion tells no id: the realm knows it by the assertion's subject.
func (a *authentication) source(t *testing.T, clientID string, auth clientcreds.ClientAuth) *clientcreds.Source {
	t.Helper()
	if _, ok := auth.(clientcreds.Assertion); ok {
		clientID = ""
	}
	source, err := clientcreds.New(clientcreds.Config{
		Issuer: a.secureURL(authRealm), ClientID: clientID, Auth: auth, HTTPClient: a.trusting(), Logger: a.logger(),
	})
	require.NoError(t, err)
	return source
}

func (a *authentication) logger() *slog.Logger { return slog.New(slog.NewTextHandler(a.log, nil)) }

// federatesClients reports whether clients may show assertions of other issuers: from Keycloak 26.6 on. In 26.4 and 26.5 that is a preview, and off.
func (k *keycloak) federatesClients(t *testing.T) bool {
	t.Helper()
	var info struct {
		SystemInfo struct{ Version string }
		Features   []struct {
			Name    string
			Enabled bool
		}
	}
	k.adminAPI(t, http.MethodGet, "/serverinfo", nil, &info)
	var major, minor int
	_, err := fmt.Sscanf(info.SystemInfo.Version, "%d.%d", &major, &minor)
	require.NoError(t, err, "Keycloak's version %q", info.SystemInfo.Version)
	since := major > 26 || major == 26 && minor >= 6
	for _, feature := range info.Features {
		if feature.Name == "CLIENT_AUTH_FEDERATED" {
			require.Equal(t, since, feature.Enabled, "federated client authentication in Keycloak %s", info.SystemInfo.Version)
			return since
		}
	}
	require.Fail(t, "Keycloak has no feature CLIENT_AUTH_FEDERATED")
	return false
}
