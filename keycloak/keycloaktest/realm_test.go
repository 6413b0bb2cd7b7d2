package keycloaktest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRealmMistakes(t *testing.T) {
	for _, c := range []struct{ name, json, want string }{
		{"empty", ``, `line 1: not JSON: unexpected end of JSON input`},
		{"cut off", "{\n\"realm\": \"r\",", `line 2: not JSON: unexpected end of JSON input`},
		{"not JSON", "{\n\n  realm: r}", `line 3: not JSON: invalid character 'r' looking for beginning of object key string`},
		{"two values", `{"realm": "r"} {}`, `line 1: not JSON: invalid character '{' after top-level value`},
		{"a list of realms", `[{"realm": "r"}]`, `the realm: want an object, got array`},

		{"no name", `{}`, `realm: want a name without slashes, got ""`},
		{"name with a slash", `{"realm": "a/b"}`, `realm: want a name without slashes, got "a/b"`},
		{"realm", `{"realm": 1}`, `realm: want a string, got number`},
		{"enabled", `{"realm": "r", "enabled": "yes"}`, `enabled: want true or false, got string`},
		{"lifespan, text", `{"realm": "r", "accessTokenLifespan": "5m"}`, `accessTokenLifespan: want a whole number, got string`},
		{"lifespan, fraction", `{"realm": "r", "accessTokenLifespan": 1.5}`, `accessTokenLifespan: want a whole number, got number`},
		{"lifespan, zero", `{"realm": "r", "accessTokenLifespan": 0}`, `accessTokenLifespan: want seconds from 1 to 3153600000, got 0`},
		{"session, zero", `{"realm": "r", "ssoSessionIdleTimeout": 0}`, `ssoSessionIdleTimeout: want seconds from 1 to 3153600000, got 0`},
		{"lifespan, beyond time", `{"realm": "r", "accessTokenLifespan": 9223372036854775807}`,
			`accessTokenLifespan: want seconds from 1 to 3153600000, got 9223372036854775807`},
		{"algorithm", `{"realm": "r", "defaultSignatureAlgorithm": "HS256"}`,
			`defaultSignatureAlgorithm: want one of ES256, ES384, ES512, Ed25519, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512, got "HS256"`},
		{"client's algorithm", `{"realm": "r", "clients": [{"clientId": "a", "attributes": {"id.token.signed.response.alg": "none"}}]}`,
			`clients[0].attributes.id.token.signed.response.alg: want one of ES256, ES384, ES512, Ed25519, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512, got "none"`},
		{"roles", `{"realm": "r", "roles": []}`, `roles: want an object, got array`},
		{"role", `{"realm": "r", "roles": {"realm": ["ROLE_ADMIN"]}}`, `roles.realm: want an object, got string`},

		{"clients", `{"realm": "r", "clients": {}}`, `clients: want a list, got object`},
		{"client", `{"realm": "r", "clients": [1]}`, `clients[0]: want an object, got number`},
		{"client without ID", `{"realm": "r", "clients": [{}]}`, `clients[0].clientId: want a client ID, got none`},
		{"client twice", `{"realm": "r", "clients": [{"clientId": "a"}, {"clientId": "a"}]}`, `clients[1].clientId: "a" is there twice`},
		{"secret", `{"realm": "r", "clients": [{"clientId": "a", "secret": 4711}]}`, `clients[0].secret: want a string, got number`},
		{"flag", `{"realm": "r", "clients": [{"clientId": "a"}, {"clientId": "b", "bearerOnly": "hush"}]}`, `clients[1].bearerOnly: want true or false, got string`},
		{"redirect URIs", `{"realm": "r", "clients": [{"redirectUris": "http://a"}]}`, `clients[0].redirectUris: want a list, got string`},
		{"attribute", `{"realm": "r", "clients": [{"attributes": {"a": 1}}]}`, `clients[0].attributes: want a string, got number`},
		{"client's lifespan", `{"realm": "r", "clients": [{"clientId": "a", "attributes": {"access.token.lifespan": "x"}}]}`,
			`clients[0].attributes.access.token.lifespan: want seconds, got "x"`},
		{"client's lifespan, negative", `{"realm": "r", "clients": [{"clientId": "a", "attributes": {"access.token.lifespan": "-1"}}]}`,
			`clients[0].attributes.access.token.lifespan: want seconds from 1 to 3153600000, got -1`},
		{"mapper", `{"realm": "r", "clients": [{"protocolMappers": [{"config": {"access.token.claim": true}}]}]}`,
			`clients[0].protocolMappers.config: want a string, got bool`},
		{"client scope", `{"realm": "r", "clientScopes": [{}]}`, `clientScopes[0].name: want a name, got none`},

		{"user without name", `{"realm": "r", "users": [{}]}`, `users[0].username: want a user name, got none`},
		{"user twice", `{"realm": "r", "users": [{"username": "a"}, {"username": "A"}]}`, `users[1].username: "a" is there twice`},
		{"password", `{"realm": "r", "users": [{"credentials": [{"value": 4711}]}]}`, `users[0].credentials.value: want a string, got number`},
		{"roles of a user", `{"realm": "r", "users": [{"realmRoles": "ROLE_ADMIN"}]}`, `users[0].realmRoles: want a list, got string`},
		{"service account of no client", `{"realm": "r", "users": [{"username": "a", "serviceAccountClientId": "b"}]}`,
			`users[0].serviceAccountClientId: the realm has no client "b"`},
		{"roles of no client", `{"realm": "r", "users": [{"username": "a", "clientRoles": {"b": ["c"]}}]}`, `users[0].clientRoles: the realm has no client "b"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Start(Config{RealmJSON: []byte(c.json)})
			require.Error(t, err)
			assert.Equal(t, "keycloaktest: RealmJSON: "+c.want, err.Error())
			assert.NotContains(t, err.Error(), "4711")
			assert.NotContains(t, err.Error(), "hush")
		})
	}
}

func TestUnknownMembersAreIgnored(t *testing.T) {
	s := startJSON(t, `{"realm": "r", "enabled": true, "id": 7, "smtpServer": {"password": "x"}, "authenticationFlows": [{}], "components": {"a": [1]},
	  "clients": [{"clientId": "a", "secret": "x", "serviceAccountsEnabled": true, "nodeReRegistrationTimeout": -1,
	    "protocolMappers": [{"protocolMapper": "oidc-hardcoded-claim-mapper", "config": {"claim.name": "a"}}, {"protocolMapper": "oidc-audience-mapper"}]}],
	  "users": [{"username": "u", "clientRoles": {"realm-management": ["view-users"]}, "totp": false}]}`)
	assert.NotEmpty(t, s.Token(Token{}))
}

func TestRealmFile(t *testing.T) {
	s := start(t, Config{RealmFile: examplesRealm})
	assert.True(t, strings.HasSuffix(s.Issuer(), "/realms/sivalabs"))

	missing := filepath.Join(t.TempDir(), "none.json")
	_, err := Start(Config{RealmFile: missing})
	require.ErrorIs(t, err, os.ErrNotExist)
	assert.ErrorContains(t, err, "keycloaktest: RealmFile: ")

	broken := filepath.Join(t.TempDir(), "broken.json")
	require.NoError(t, os.WriteFile(broken, []byte(`{"realm": "r", "clients": [{"secret": 4711}]}`), 0o600))
	_, err = Start(Config{RealmFile: broken})
	assert.ErrorContains(t, err, `broken.json": clients[0].secret: want a string, got number`)

	_, err = Start(Config{RealmFile: examplesRealm, RealmJSON: []byte(`{}`)})
	assert.EqualError(t, err, "keycloaktest: RealmFile and RealmJSON are both set: choose one")
}

// Whatever the JSON, parsing it gives a realm whose tokens can be made, or an error.
func FuzzParseRealm(f *testing.F) {
	example, err := os.ReadFile(examplesRealm)
	require.NoError(f, err)
	f.Add(example)
	f.Add(testRealm)
	f.Add([]byte(edgeRealm))
	f.Add([]byte(`{"realm": "r", "clients": [{"clientId": "a", "secret": ["example-secret"]}]}`))
	f.Add([]byte(`{"realm": "r", "roles": {"realm": [{"name": "a", "composites": {"realm": ["a"]}}]}, "defaultRole": {"name": "a"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := parseRealm(data)
		if err != nil {
			assert.NotEmpty(t, err.Error())
			return
		}
		for _, c := range r.clients {
			granted, ok := r.grantScopes(c, nil)
			assert.True(t, ok)
			if c.account != nil {
				groupRoles(r.tokenRoles(c, c.account.roles))
				session{client: c, user: c.account, granted: granted}.audience(func(mapper) bool { return true })
			}
		}
	})
}
