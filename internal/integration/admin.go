package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

const adminPassword = "admin"

// The admin REST API of Keycloak, as far as the tests need it.

func (k *keycloak) adminToken(t *testing.T) string {
	t.Helper()
	return requestTokens(t, k, "master", url.Values{
		"grant_type": {"password"}, "client_id": {"admin-cli"}, "username": {"admin"}, "password": {adminPassword},
	}).Access
}

// admin calls the API of the realms and decodes its answer into out, if that is not nil.
func (k *keycloak) admin(t *testing.T, method, path string, in, out any) {
	t.Helper()
	k.adminAPI(t, method, "/realms/"+path, in, out)
}

func (k *keycloak) adminAPI(t *testing.T, method, path string, in, out any) {
	t.Helper()
	body, err := json.Marshal(in)
	require.NoError(t, err)
	request, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), method, k.base+"/admin"+path, bytes.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+k.adminToken(t))
	request.Header.Set("Content-Type", "application/json")
	got := do(t, request)
	require.Equal(t, 2, got.status/100, "%s %s: %s\nKeycloak's output ends:\n%s", method, path, got, k.shortLog())
	if out != nil {
		require.NoError(t, json.Unmarshal(got.body, out))
	}
}

// keyProviders make the key of a realm, by the algorithm that it signs with. Keycloak takes seconds for an RSA key.
var keyProviders = map[string]string{"RS256": "rsa-generated", "ES256": "ecdsa-generated", "EdDSA": "eddsa-generated"}

// makeRealm makes a realm that signs with one algorithm, and unmakes it at the end of the test.
func (k *keycloak) makeRealm(t *testing.T, name, algorithm string, members object) {
	t.Helper()
	realm := object{
		"realm": name, "enabled": true, "defaultSignatureAlgorithm": algorithm,
		"components": object{"org.keycloak.keys.KeyProvider": []any{
			object{"name": "first", "providerId": keyProviders[algorithm], "config": object{"priority": []string{"100"}}},
		}},
	}
	for name, value := range members {
		realm[name] = value
	}
	k.admin(t, http.MethodPost, "", realm, nil)
	t.Cleanup(func() { k.admin(t, http.MethodDelete, name, nil, nil) })
}

// editClient changes members of a client.
func (k *keycloak) editClient(t *testing.T, realm, clientID string, edit object) {
	t.Helper()
	var found []object
	k.admin(t, http.MethodGet, realm+"/clients?clientId="+url.QueryEscape(clientID), nil, &found)
	require.Len(t, found, 1, "clients %q of realm %s", clientID, realm)
	for name, value := range edit {
		found[0][name] = value
	}
	k.admin(t, http.MethodPut, realm+"/clients/"+found[0]["id"].(string), found[0], nil)
}

func (k *keycloak) SetSecret(t *testing.T, realm, clientID, secret string) {
	t.Helper()
	k.editClient(t, realm, clientID, object{"secret": secret})
}

func (k *keycloak) RotateKeys(t *testing.T, realm string) {
	t.Helper()
	k.addKey(t, realm, "RS256")
}

// keyPriority is that of the last key that was added: of two with the same Keycloak may choose the older.
var keyPriority atomic.Int64

// addKey makes a key that signs from now on.
func (k *keycloak) addKey(t *testing.T, realm, algorithm string) {
	t.Helper()
	config := object{"priority": []string{strconv.FormatInt(200+keyPriority.Add(1), 10)}, "enabled": []string{"true"}, "active": []string{"true"}}
	if algorithm == "RS256" {
		config["algorithm"] = []string{algorithm} // RSA keys fit several, the others one
	}
	k.admin(t, http.MethodPost, realm+"/components", object{
		"name": "rotated", "providerId": keyProviders[algorithm], "providerType": "org.keycloak.keys.KeyProvider", "config": config,
	}, nil)
}
