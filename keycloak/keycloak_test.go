package keycloak_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/svcauth/svcauth/clientcreds"
	"github.com/svcauth/svcauth/keycloak"
	"github.com/svcauth/svcauth/resourceserver"
)

func TestRealm(t *testing.T) {
	for _, c := range []struct {
		name                 string
		realm                keycloak.Realm
		issuer, token, certs string
	}{
		{"usual", keycloak.Realm{BaseURL: "http://localhost:9191", Name: "sivalabs"}, "http://localhost:9191/realms/sivalabs",
			"http://localhost:9191/realms/sivalabs/protocol/openid-connect/token", "http://localhost:9191/realms/sivalabs/protocol/openid-connect/certs"},
		{"slash at the end", keycloak.Realm{BaseURL: "http://localhost:9191/", Name: "sivalabs"}, "http://localhost:9191/realms/sivalabs",
			"http://localhost:9191/realms/sivalabs/protocol/openid-connect/token", "http://localhost:9191/realms/sivalabs/protocol/openid-connect/certs"},
		{"relative path", keycloak.Realm{BaseURL: "https://sso.example.com/auth", Name: "x"}, "https://sso.example.com/auth/realms/x",
			"https://sso.example.com/auth/realms/x/protocol/openid-connect/token", "https://sso.example.com/auth/realms/x/protocol/openid-connect/certs"},
		{"name with a space", keycloak.Realm{BaseURL: "https://sso.example.com", Name: "my realm"}, "https://sso.example.com/realms/my%20realm",
			"https://sso.example.com/realms/my%20realm/protocol/openid-connect/token", "https://sso.example.com/realms/my%20realm/protocol/openid-connect/certs"},
		{"internal address", keycloak.Realm{BaseURL: "https://sso.example.com", Name: "x", InternalURL: "http://keycloak:8080"}, "https://sso.example.com/realms/x",
			"http://keycloak:8080/realms/x/protocol/openid-connect/token", "http://keycloak:8080/realms/x/protocol/openid-connect/certs"},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, c.issuer, c.realm.Issuer())
			assert.Equal(t, c.token, c.realm.TokenURL())
			assert.Equal(t, c.certs, c.realm.JWKSURL())
		})
	}
}

func TestPresets(t *testing.T) {
	realm := keycloak.Realm{BaseURL: "http://localhost:9191", Name: "sivalabs"}
	client, server := realm.ClientConfig("archival-service", "secret"), realm.ServerConfig("messages-service")
	assert.Equal(t, realm.Issuer(), client.Issuer)
	assert.Empty(t, client.TokenURL)
	_, err := clientcreds.New(client)
	require.NoError(t, err)
	assert.Equal(t, realm.Issuer(), server.Issuer)
	assert.Empty(t, server.JWKSURL)
	auth, err := resourceserver.New(server)
	require.NoError(t, err)
	assert.NotPanics(t, func() { auth.RequireRole("ADMIN") }, "realm roles are mapped")

	realm.InternalURL = "http://127.0.0.1:8080"
	client, server = realm.ClientConfig("archival-service", "secret"), realm.ServerConfig("messages-service")
	assert.Empty(t, client.Issuer)
	assert.Equal(t, realm.TokenURL(), client.TokenURL)
	_, err = clientcreds.New(client)
	require.NoError(t, err)
	assert.Equal(t, "http://localhost:9191/realms/sivalabs", server.Issuer, "who is trusted does not change")
	assert.Equal(t, realm.JWKSURL(), server.JWKSURL)
	_, err = resourceserver.New(server)
	require.NoError(t, err)

	_, err = resourceserver.New(realm.ServerConfig())
	require.ErrorContains(t, err, "Audiences")
	for _, half := range []keycloak.Realm{{}, {Name: "x"}, {BaseURL: "https://sso.example.com"}} {
		_, err = resourceserver.New(half.ServerConfig("a"))
		require.ErrorContains(t, err, "Issuer is empty")
		_, err = clientcreds.New(half.ClientConfig("a", "b"))
		require.Error(t, err)
	}
}

func TestRealmRoles(t *testing.T) {
	access := func(roles any) map[string]any {
		return map[string]any{"realm_access": map[string]any{"roles": roles}}
	}
	for _, c := range []struct {
		name   string
		claims map[string]any
		want   []string
	}{
		{"prefixed", access([]string{"ROLE_ADMIN"}), []string{"ROLE_ADMIN", "ADMIN"}},
		{"bare", access([]string{"ADMIN"}), []string{"ADMIN"}},
		{"both kinds", access([]string{"ROLE_USER", "offline_access"}), []string{"ROLE_USER", "offline_access", "USER"}},
		{"prefix alone", access([]string{"ROLE_"}), []string{"ROLE_"}},
		{"prefix twice", access([]string{"ROLE_ROLE_ADMIN"}), []string{"ROLE_ROLE_ADMIN"}},
		{"prefix in lower case", access([]string{"role_ADMIN"}), []string{"role_ADMIN"}},
		{"prefix after a space", access([]string{" ROLE_ADMIN"}), []string{" ROLE_ADMIN"}},
		{"longer name", access([]string{"ROLE_ADMINISTRATOR"}), []string{"ROLE_ADMINISTRATOR", "ADMINISTRATOR"}},
		{"odd elements", access([]any{1, nil, "ROLE_USER", "", []string{"ROLE_ADMIN"}, map[string]any{"a": 1}}), []string{"ROLE_USER", "USER"}},

		{"no claims", nil, nil},
		{"no realm_access", map[string]any{"roles": []string{"ADMIN"}}, nil},
		{"realm_access null", map[string]any{"realm_access": nil}, nil},
		{"realm_access a text", map[string]any{"realm_access": "ROLE_ADMIN"}, nil},
		{"realm_access an array", map[string]any{"realm_access": []string{"ROLE_ADMIN"}}, nil},
		{"realm_access empty", map[string]any{"realm_access": map[string]any{}}, nil},
		{"roles null", access(nil), nil},
		{"roles a text", access("ROLE_ADMIN"), nil},
		{"roles a number", access(1), nil},
		{"roles an object", access(map[string]any{"ROLE_ADMIN": true}), nil},
		{"roles empty", access([]string{}), nil},
		{"Roles in upper case", map[string]any{"realm_access": map[string]any{"Roles": []string{"ROLE_ADMIN"}}}, nil},
		{"client roles", map[string]any{"resource_access": map[string]any{"messages-service": map[string]any{"roles": []string{"ROLE_ADMIN"}}}}, nil},
		{"scope", map[string]any{"scope": "ROLE_ADMIN ADMIN"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, c.want, keycloak.RealmRoles(resourceserver.NewClaims(c.claims)))
		})
	}
}

func TestClientRoles(t *testing.T) {
	claims := resourceserver.NewClaims(map[string]any{
		"realm_access":    map[string]any{"roles": []string{"ROLE_ADMIN"}},
		"resource_access": map[string]any{"my.service/a": map[string]any{"roles": []string{"ROLE_EDITOR", "viewer"}}, "odd": "x"},
	})
	assert.Equal(t, []string{"ROLE_EDITOR", "viewer", "EDITOR"}, keycloak.ClientRoles("my.service/a")(claims))
	assert.Nil(t, keycloak.ClientRoles("my")(claims))
	assert.Nil(t, keycloak.ClientRoles("odd")(claims))
	assert.Panics(t, func() { keycloak.ClientRoles("") })
	both := resourceserver.MergeRoles(keycloak.RealmRoles, keycloak.ClientRoles("my.service/a"))(claims)
	assert.Equal(t, []string{"ROLE_ADMIN", "ADMIN", "ROLE_EDITOR", "viewer", "EDITOR"}, both)
}
