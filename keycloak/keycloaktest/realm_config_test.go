package keycloaktest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRealmFromGo(t *testing.T) {
	s := start(t, Config{
		Name: "shop",
		Clients: []Client{
			{ID: "orders"},
			{ID: "billing", Secret: "billing-secret", Roles: []string{"ROLE_BILLING"}, Audience: []string{"orders", "https://ledger.example"}},
			{ID: "plain", Secret: "plain-secret"},
			{ID: "shop-front", RedirectURIs: []string{"http://127.0.0.1/*"}, Audience: []string{"orders"}},
		},
		Users: []User{
			{Name: "Carol", Password: "carol-password", Email: "carol@example.com", Roles: []string{"ROLE_CLERK"}},
			{Name: "dan"},
		},
	})
	assert.Equal(t, s.URL+"/realms/shop", s.Issuer())
	for _, c := range []struct {
		name  string
		token Token
		want  map[string]any // nil: absent
	}{
		{"a service", Token{}, map[string]any{
			"azp": "billing", "aud": []any{"orders", "https://ledger.example"}, "realm_access": map[string]any{"roles": []any{"ROLE_BILLING"}},
			"preferred_username": "service-account-billing", "resource_access": nil}},
		{"a service with Keycloak's default role", Token{Client: "plain"}, map[string]any{
			"aud": "account", "realm_access": map[string]any{"roles": []any{"default-roles-shop", "offline_access", "uma_authorization"}}}},
		{"a person", Token{User: "carol"}, map[string]any{
			"azp": "shop-front", "aud": "orders", "realm_access": map[string]any{"roles": []any{"ROLE_CLERK"}}, "preferred_username": "carol",
			"email": "carol@example.com", "email_verified": true}},
		{"a person with Keycloak's default role", Token{User: "dan"}, map[string]any{
			"aud": []any{"orders", "account"}, "email": nil, "email_verified": false}},
	} {
		t.Run(c.name, func(t *testing.T) {
			claims := claimsOf(t, s.Token(c.token))
			for name, want := range c.want {
				assert.Equal(t, want, claims[name], name)
			}
		})
	}
	status, answer := issue(t, s, "billing", "billing-secret", "")
	assert.Equal(t, 200, status)
	assert.True(t, verified(t, s, answer.AccessToken))
	assert.True(t, s.realm.clients["orders"].bearerOnly)
	assert.True(t, s.realm.clients["shop-front"].public)
	assert.Nil(t, s.realm.users["alice"], "Users stands for those of the zero Config")
	assert.True(t, s.realm.users["carol"].hasPassword("carol-password"))
	assert.False(t, s.realm.users["dan"].hasPassword(""))
}

func TestHalfARealmFromGo(t *testing.T) {
	people := start(t, Config{Users: []User{{Name: "carol", Roles: []string{"ROLE_CLERK"}}}})
	claims := claimsOf(t, people.Token(Token{User: "carol"}))
	assert.Equal(t, "webapp", claims["azp"], "the clients of the zero Config")
	assert.Equal(t, "service", claims["aud"])
	assert.Equal(t, map[string]any{"roles": []any{"ROLE_JOB"}}, claimsOf(t, people.Token(Token{}))["realm_access"])

	clients := start(t, Config{Clients: []Client{{ID: "tool", Secret: "s", Audience: []string{"api"}}}})
	claims = claimsOf(t, clients.Token(Token{User: "alice", Roles: []string{"a"}}))
	assert.Equal(t, []any{"tool", "api", "alice"}, []any{claims["azp"], claims["aud"], claims["preferred_username"]}, "the people of the zero Config, at any client")
	assert.Nil(t, clients.realm.clients["job"])
	assert.Nil(t, clients.realm.users["service-account-job"])

	named := start(t, Config{Name: "other"})
	whole, other := start(t, Config{}), claimsOf(t, named.Token(Token{User: "alice"}))["realm_access"]
	assert.Contains(t, other.(map[string]any)["roles"], "default-roles-other")
	assert.Len(t, claimsOf(t, whole.Token(Token{User: "alice"}))["realm_access"].(map[string]any)["roles"], len(other.(map[string]any)["roles"].([]any)))

	none := start(t, Config{Clients: []Client{}, Users: []User{}})
	assert.Empty(t, none.realm.clients)
	assert.Empty(t, none.realm.users)
}

func TestConfigMistakes(t *testing.T) {
	client := func(c Client) Config { return Config{Clients: []Client{{ID: "first"}, c}} }
	user := func(u User) Config { return Config{Users: []User{{Name: "first"}, u}} }
	for _, c := range []struct {
		want   string
		config Config
	}{
		{`RealmFile and RealmJSON are both set: choose one`, Config{RealmFile: "a", RealmJSON: []byte("{}")}},
		{`RealmJSON and Clients are both set: choose one`, Config{RealmJSON: []byte("{}"), Clients: []Client{}}},
		{`RealmFile and Users are both set: choose one`, Config{RealmFile: "a", Users: []User{{Name: "a"}}}},
		{`RealmJSON and Name are both set: choose one`, Config{RealmJSON: []byte("{}"), Name: "a"}},
		{`InMemory and Addr "127.0.0.1:0" are both set: choose one, a server in memory has no address`, Config{InMemory: true, Addr: "127.0.0.1:0"}},
		{`Algorithm "HS256" is not supported: want one of ES256, ES384, ES512, Ed25519, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512`, Config{Algorithm: "HS256"}},
		{`Name "a/b": want a name without slashes`, Config{Name: "a/b"}},

		{`Clients[1].ID: want a client ID, got none`, client(Client{Secret: "4711"})},
		{`Clients[1].ID: "first" is there twice: give each client an ID of its own`, client(Client{ID: "first"})},
		{`Clients[1].Roles: client "a" has no Secret, so no service account that could hold roles: set Secret, or leave Roles out`,
			client(Client{ID: "a", Roles: []string{"r"}})},
		{`Clients[1].Audience: client "a" gets no tokens: set Secret or RedirectURIs, or leave Audience out`, client(Client{ID: "a", Audience: []string{"b"}})},
		{`Clients[1].Roles: want role names, got an empty one`, client(Client{ID: "a", Secret: "4711", Roles: []string{"r", ""}})},
		{`Clients[1].Audience: want names of services, got an empty one`, client(Client{ID: "a", Secret: "4711", Audience: []string{""}})},
		{`Clients[1].RedirectURIs: want absolute URIs such as http://127.0.0.1/*, got "/callback"`, client(Client{ID: "a", RedirectURIs: []string{"/callback"}})},

		{`Users[1].Name: want a user name, got none`, user(User{Password: "4711"})},
		{`Users[1].Name: "First" is there twice, for user names have no case: give each person a name of their own`, user(User{Name: "First"})},
		{`Users[1].Name: "service-account-job" is the service account of a client: give it its roles by Client.Roles`, user(User{Name: "service-account-job"})},
		{`Users[1].Roles: want role names, got an empty one`, user(User{Name: "a", Roles: []string{""}})},
	} {
		t.Run(c.want, func(t *testing.T) {
			_, err := Start(c.config)
			require.EqualError(t, err, "keycloaktest: "+c.want)
			assert.NotContains(t, err.Error(), "4711")
		})
	}
}

func TestConfigIsNotTouched(t *testing.T) {
	config := Config{Clients: []Client{{ID: "a", Secret: "s", Roles: []string{"r"}}}, Users: []User{{Name: "Carol"}}}
	start(t, config)
	assert.Equal(t, Config{Clients: []Client{{ID: "a", Secret: "s", Roles: []string{"r"}}}, Users: []User{{Name: "Carol"}}}, config)
}
