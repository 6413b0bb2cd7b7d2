package integration

import (
	"context"
	"log/slog"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/svcauth/svcauth/clientcreds"
)

// workloads is another realm of the same Keycloak, which makes assertions about workloads, as Kubernetes does. It is an identity provider of authRealm.
type workloads struct {
	issuer  string
	client  *http.Client
	logger  *slog.Logger
	trusted bool // authRealm takes its assertions
}

const (
	workloadRealm = "workloads" // and the alias of the identity provider

	archiverSubject = "6a1e8d4c-5d0e-4a53-9f11-2f3f0f9c7b01"
	strangerSubject = "6a1e8d4c-5d0e-4a53-9f11-2f3f0f9c7b02"
)

func newWorkloads(t *testing.T, k *keycloak, logger *slog.Logger) workloads {
	t.Helper()
	var clients, users []any
	for id, subject := range map[string]string{"archiver": archiverSubject, "stranger": strangerSubject} {
		clients = append(clients, object{
			"clientId": id, "secret": "secret", "serviceAccountsEnabled": true, "standardFlowEnabled": false,
			// An assertion has one audience. The default scopes would add account.
			"defaultClientScopes": []any{"basic"}, "optionalClientScopes": []any{}, "protocolMappers": []any{customAudience(k.secureURL(authRealm))},
		})
		users = append(users, object{"id": subject, "username": "service-account-" + id, "enabled": true, "serviceAccountClientId": id})
	}
	k.makeRealm(t, workloadRealm, "EdDSA", object{"attributes": object{"frontendUrl": k.secure}, "clients": clients, "users": users})
	return workloads{k.secureURL(workloadRealm), k.trusting(), logger, k.federatesClients(t)}
}

// provider is what authRealm knows of the realm. It fetches the keys itself.
func (w workloads) provider() object {
	return object{"alias": workloadRealm, "providerId": "oidc", "enabled": true, "config": object{
		"issuer": w.issuer, "validateSignature": "true", "useJwksUrl": "true", "jwksUrl": w.issuer + "/protocol/openid-connect/certs",
		"supportsClientAssertions": "true",
		// For people who sign in. Nobody does here.
		"clientId": "unused", "clientSecret": "unused", "authorizationUrl": w.issuer + "/protocol/openid-connect/auth", "tokenUrl": w.issuer + tokenPath,
	}}
}

// assertion gives a new one each time, for the identity provider takes none twice, and a Source keeps its token.
func (w workloads) assertion(workload string) clientcreds.Secret {
	return func(ctx context.Context) ([]byte, error) {
		source, err := clientcreds.New(clientcreds.Config{
			TokenURL: w.issuer + tokenPath, ClientID: workload, ClientSecret: "secret", HTTPClient: w.client, Logger: w.logger,
		})
		if err != nil {
			return nil, err
		}
		token, err := source.TokenContext(ctx)
		if err != nil {
			return nil, err
		}
		return []byte(token.AccessToken), nil
	}
}

// otherAssertions: Keycloak takes an assertion once, and from no other issuer.
func (a *authentication) otherAssertions(t *testing.T) {
	if !a.from.trusted {
		auth := clientcreds.Assertion{Token: a.from.assertion("archiver")}
		_, err := a.source(t, "", auth).TokenContext(t.Context())
		a.refused(t, auth, err, http.StatusUnauthorized, "invalid_client")
		t.Log("federated client authentication is a preview in Keycloak before 26.6, and off: no assertion is taken")
		return
	}
	text, err := a.from.assertion("archiver")(t.Context())
	require.NoError(t, err)
	once := clientcreds.Assertion{Token: given(string(text))}
	_, err = a.source(t, "", once).TokenContext(t.Context())
	require.NoError(t, err)
	_, err = a.source(t, "", once).TokenContext(t.Context())
	failed := a.refused(t, once, err, http.StatusBadRequest, "invalid_client")
	assert.Equal(t, "Token reuse detected", failed.Description)

	foreign := clientcreds.Assertion{Token: given(a.adminToken(t))}
	_, err = a.source(t, "", foreign).TokenContext(t.Context())
	a.refused(t, foreign, err, http.StatusUnauthorized, "invalid_client")
}
