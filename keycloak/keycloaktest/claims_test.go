package keycloaktest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// shape makes claims comparable: what is new in every token becomes its type, lists without an order are sorted.
func shape(claims map[string]any) map[string]any {
	out := maps.Clone(claims)
	for _, name := range []string{"exp", "iat", "auth_time", "jti", "sub", "sid", "at_hash", "iss"} {
		if value, ok := out[name]; ok {
			_, isNumber := value.(float64)
			out[name] = map[bool]string{true: "number", false: "string"}[isNumber]
		}
	}
	var sorted func(value any)
	sorted = func(value any) {
		switch v := value.(type) {
		case map[string]any:
			for _, inner := range v {
				sorted(inner)
			}
		case []any:
			slices.SortFunc(v, func(a, b any) int { return slices.Compare([]byte(a.(string)), []byte(b.(string))) })
		}
	}
	sorted(out)
	return out
}

func wantClaims(t *testing.T, want string, claims map[string]any) {
	t.Helper()
	var members map[string]any
	require.NoError(t, json.Unmarshal([]byte(want), &members))
	assert.Equal(t, shape(members), shape(claims))
}

// The wanted claims are those of Keycloak 26.7.4 for the same realm.
const (
	examplesRealm = "../../examples/realm/sivalabs-realm.json"
	exampleSecret = "archival-service-demo-secret"

	serviceClaims = `{"exp": 1, "iat": 1, "jti": "", "iss": "", "aud": "messages-service", "sub": "", "typ": "Bearer", "azp": "archival-service", "acr": "1",
		"realm_access": {"roles": ["ROLE_ADMIN_JOB"]}, "scope": "profile email", "clientHost": "127.0.0.1", "email_verified": false,
		"preferred_username": "service-account-archival-service", "clientAddress": "127.0.0.1", "client_id": "archival-service"}`
	serviceIDClaims = `{"exp": 1, "iat": 1, "jti": "", "iss": "", "aud": "archival-service", "sub": "", "typ": "ID", "azp": "archival-service", "at_hash": "",
		"acr": "1", "clientHost": "127.0.0.1", "email_verified": false, "preferred_username": "service-account-archival-service",
		"clientAddress": "127.0.0.1", "client_id": "archival-service"}`
	personClaims = `{"exp": 1, "iat": 1, "auth_time": 1, "jti": "", "iss": "", "aud": ["messages-service", "archival-service", "account"], "sub": "",
		"typ": "Bearer", "azp": "messages-webapp", "sid": "", "acr": "1",
		"realm_access": {"roles": ["default-roles-sivalabs", "ROLE_USER", "offline_access", "ROLE_ADMIN", "uma_authorization"]},
		"resource_access": {"account": {"roles": ["manage-account", "manage-account-links", "view-profile"]}}, "scope": "openid profile email",
		"email_verified": true, "name": "Ada Admin", "preferred_username": "admin", "given_name": "Ada", "family_name": "Admin", "email": "admin@example.com"}`
	personIDClaims = `{"exp": 1, "iat": 1, "auth_time": 1, "jti": "", "iss": "", "aud": "messages-webapp", "sub": "", "typ": "ID", "azp": "messages-webapp",
		"sid": "", "at_hash": "", "acr": "1", "email_verified": true,
		"realm_access": {"roles": ["default-roles-sivalabs", "ROLE_USER", "offline_access", "ROLE_ADMIN", "uma_authorization"]}, "name": "Ada Admin",
		"preferred_username": "admin", "given_name": "Ada", "family_name": "Admin", "email": "admin@example.com"}`
	defaultAccountClaims = `{"exp": 1, "iat": 1, "jti": "", "iss": "", "aud": ["orders", "account"], "sub": "", "typ": "Bearer", "azp": "svc", "acr": "1",
		"allowed-origins": ["http://localhost:7777", "http://localhost:5555", "http://localhost:1"],
		"realm_access": {"roles": ["app", "offline_access", "uma_authorization", "default-roles-rich", "lead"]},
		"resource_access": {"orders": {"roles": ["read", "write"]}, "account": {"roles": ["manage-account", "manage-account-links", "view-profile"]}},
		"scope": "profile email", "email_verified": false, "preferred_username": "service-account-svc", "email": "svc@example.com"}`
)

func TestServiceAccountTokens(t *testing.T) {
	s := start(t, Config{RealmFile: examplesRealm})
	status, answer := issue(t, s, "archival-service", exampleSecret, "")
	require.Equal(t, 200, status)
	assert.Equal(t, tokenResponse{AccessToken: answer.AccessToken, ExpiresIn: 300, TokenType: "Bearer", Scope: "profile email"}, answer)
	header, claims := parts(t, answer.AccessToken)
	assert.Equal(t, map[string]any{"alg": "RS256", "typ": "JWT", "kid": s.keys.signer("RS256").ID()}, header)
	wantClaims(t, serviceClaims, claims)
	assert.Regexp(t, `^trrtcc:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`, claims["jti"])
	assert.Equal(t, s.Issuer(), claims["iss"])
	assert.InDelta(t, time.Now().Unix(), claims["iat"], 60)
	assert.Equal(t, claims["iat"].(float64)+300, claims["exp"])
	assert.True(t, verified(t, s, answer.AccessToken))
	wantClaims(t, serviceClaims, claimsOf(t, s.Token(Token{})))
}

func TestOpenIDGivesAnIDToken(t *testing.T) {
	s := start(t, Config{RealmFile: examplesRealm})
	status, answer := issue(t, s, "archival-service", exampleSecret, "&scope=openid+profile")
	require.Equal(t, 200, status)
	assert.Equal(t, "openid profile email", answer.Scope)
	claims := claimsOf(t, answer.IDToken)
	wantClaims(t, serviceIDClaims, claims)
	hash := sha256.Sum256([]byte(answer.AccessToken))
	assert.Equal(t, base64.RawURLEncoding.EncodeToString(hash[:16]), claims["at_hash"])
	assert.True(t, verified(t, s, answer.IDToken))
}

func TestPersonTokens(t *testing.T) {
	s := start(t, Config{RealmFile: examplesRealm})
	access := claimsOf(t, s.Token(Token{User: "admin", Scope: "openid profile"}))
	wantClaims(t, personClaims, access)
	assert.Regexp(t, "^onrtac:", access["jti"])
	wantClaims(t, personIDClaims, claimsOf(t, s.Token(Token{User: "Admin", Scope: "openid profile", Type: "ID"})))
}

func TestCompositeRolesOriginsAndAudiences(t *testing.T) {
	s := startJSON(t, `{"realm": "rich", "enabled": true,
	  "roles": {
	    "realm": [{"name": "app"}, {"name": "lead", "composites": {"realm": ["app", "lead"], "client": {"orders": ["read"]}}}],
	    "client": {"orders": [{"name": "read"}, {"name": "write"}]}},
	  "clients": [
	    {"clientId": "orders", "bearerOnly": true},
	    {"clientId": "svc", "secret": "x", "serviceAccountsEnabled": true, "rootUrl": "http://localhost:7777",
	     "webOrigins": ["http://localhost:1", "+"], "redirectUris": ["/cb", "http://localhost:5555/*"]}],
	  "users": [{"username": "service-account-svc", "enabled": true, "serviceAccountClientId": "svc", "email": "svc@example.com",
	    "realmRoles": ["lead", "default-roles-rich"], "clientRoles": {"orders": ["write"]}}]}`)
	wantClaims(t, defaultAccountClaims, claimsOf(t, s.Token(Token{})))
}

// Each claim is what Keycloak 26.7.4 gave for the same member.
func TestRealmMembersInTheToken(t *testing.T) {
	account := func(more string) string {
		return `"users": [{"username": "service-account-svc", "enabled": true, "serviceAccountClientId": "svc"` + more + `}]`
	}
	client := func(more string) string {
		return `"clients": [{"clientId": "svc", "secret": "x", "serviceAccountsEnabled": true` + more + `}]`
	}
	mapper := func(config string) string {
		return `, "protocolMappers": [{"protocolMapper": "oidc-audience-mapper", "config": {` + config + `}}]`
	}
	for _, c := range []struct {
		name, realm, scope string
		claim              string
		want               string // JSON; empty: the claim is absent
	}{
		{"no account in the JSON: default role", client(""), "", "realm_access", `{"roles": ["default-roles-r", "offline_access", "uma_authorization"]}`},
		{"no account in the JSON: aud of the default role", client(""), "", "aud", `"account"`},
		{"no account in the JSON: scope service_account", client(""), "", "client_id", `"svc"`},
		{"the same with scopes of its own", client(`, "defaultClientScopes": ["profile"]`), "", "client_id", `"svc"`},
		{"account in the JSON: no scope service_account", client("") + "," + account(""), "", "client_id", ``},
		{"account without roles", client("") + "," + account(""), "", "realm_access", ``},
		{"account without roles: no aud", client("") + "," + account(""), "", "aud", ``},
		{"role that only the account names", client("") + "," + account(`, "realmRoles": ["made-up"]`), "", "realm_access", `{"roles": ["made-up"]}`},
		{"default role of the JSON", client("") + `, "defaultRole": {"name": "d"}, "roles": {"realm": [{"name": "d", "composites": {"realm": ["x"]}}]}`, "",
			"realm_access", `{"roles": ["d", "x", "offline_access", "uma_authorization"]}`},
		{"uma_authorization of the JSON", client("") + `, "roles": {"realm": [{"name": "offline_access"}, {"name": "uma_authorization"}]}`, "",
			"realm_access", `{"roles": ["default-roles-r", "offline_access"]}`},
		{"client account of the JSON", `"clients": [{"clientId": "svc", "secret": "x", "serviceAccountsEnabled": true}, {"clientId": "account"}]`, "",
			"resource_access", ``},
		{"role called like the default role", client("") + `, "roles": {"realm": [{"name": "default-roles-r"}]}`, "",
			"realm_access", `{"roles": ["default-roles-r-1", "offline_access", "uma_authorization"]}`},

		{"aud never names the client itself", client("") + "," + account(`, "clientRoles": {"svc": ["r"]}`), "", "aud", ``},
		{"though its roles are there", client("") + "," + account(`, "clientRoles": {"svc": ["r"]}`), "", "resource_access", `{"svc": {"roles": ["r"]}}`},
		{"no scope roles", client(`, "defaultClientScopes": ["profile"]`), "", "realm_access", ``},
		{"no scope roles: no aud either", client(`, "defaultClientScopes": ["profile"]`), "", "aud", ``},
		{"no scope profile", client(`, "defaultClientScopes": ["roles"]`), "", "preferred_username", ``},
		{"no scope acr", client(`, "defaultClientScopes": ["roles"]`), "", "acr", ``},
		{"no scopes at all", client(`, "defaultClientScopes": []`), "", "scope", `""`},
		{"scope that the realm doesn't have", client(`, "defaultClientScopes": ["profile", "made-up"]`), "", "scope", `"profile"`},
		{"optional scope", client(""), "address", "scope", `"profile email address"`},
		{"scope microprofile-jwt", client("") + "," + account(`, "realmRoles": ["a"]`), "microprofile-jwt", "groups", `["a"]`},

		{"audience: client", client(mapper(`"included.client.audience": "api", "access.token.claim": "true"`)) + "," + account(""), "", "aud", `"api"`},
		{"audience: custom", client(mapper(`"included.custom.audience": "https://api", "access.token.claim": "true"`)) + "," + account(""), "", "aud", `"https://api"`},
		{"audience: both", client(mapper(`"included.client.audience": "api", "included.custom.audience": "x", "access.token.claim": "true"`)) + "," + account(""), "",
			"aud", `"api"`},
		{"audience: beside the default role's", client(mapper(`"included.custom.audience": "api", "access.token.claim": "true"`)), "", "aud", `["api", "account"]`},
		{"audience: not for access tokens", client(mapper(`"included.custom.audience": "api", "access.token.claim": "false"`)) + "," + account(""), "", "aud", ``},
		{"audience: no word on access tokens", client(mapper(`"included.custom.audience": "api"`)) + "," + account(""), "", "aud", ``},

		{"client scopes of the JSON", `"clientScopes": [{"name": "a"}, {"name": "b", "attributes": {"include.in.token.scope": "false"}}, {"name": "c"}],
			"defaultDefaultClientScopes": ["a", "b"], "defaultOptionalClientScopes": ["c"], ` + client(""), "c", "scope", `"a c"`},
		{"audience of a client scope", `"clientScopes": [{"name": "a"` + mapper(`"included.custom.audience": "api", "access.token.claim": "true"`) + `}],
			"defaultOptionalClientScopes": ["a"], ` + client("") + "," + account(""), "a", "aud", `"api"`},

		{"narrow client", client(`, "fullScopeAllowed": false`) + "," + account(`, "realmRoles": ["a"]`), "", "realm_access", ``},
		{"narrow client, role mapped", client(`, "fullScopeAllowed": false`) + "," + account(`, "realmRoles": ["a", "c"]`) +
			`, "roles": {"realm": [{"name": "a", "composites": {"realm": ["b"]}}]}, "scopeMappings": [{"client": "svc", "roles": ["b"]}]`, "",
			"realm_access", `{"roles": ["b"]}`},

		{"origins of redirect URIs", client(`, "rootUrl": "http://localhost:7777", "redirectUris": ["/cb", "https://a.example/x/*"]`), "",
			"allowed-origins", `["https://a.example"]`},
		{"no origins", client(`, "redirectUris": ["https://a.example/x/*"], "webOrigins": []`), "", "allowed-origins", ``},
		{"all origins", client(`, "redirectUris": ["https://a.example/x/*"], "webOrigins": ["+", "*"]`), "", "allowed-origins", `["https://a.example", "*"]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := startJSON(t, `{"realm": "r", "enabled": true, `+c.realm+`}`)
			claims := claimsOf(t, s.Token(Token{Scope: c.scope}))
			if c.want == "" {
				assert.NotContains(t, claims, c.claim)
				return
			}
			got, err := json.Marshal(claims[c.claim])
			require.NoError(t, err)
			assert.JSONEq(t, c.want, string(got))
		})
	}
}

func TestLifespans(t *testing.T) {
	s := startJSON(t, `{"realm": "r", "enabled": true, "accessTokenLifespan": 60, "clients": [
	  {"clientId": "a", "secret": "x", "serviceAccountsEnabled": true},
	  {"clientId": "b", "secret": "x", "serviceAccountsEnabled": true, "attributes": {"access.token.lifespan": "120"}}]}`)
	for id, want := range map[string]int{"a": 60, "b": 120} {
		_, answer := issue(t, s, id, "x", "")
		assert.Equal(t, want, answer.ExpiresIn)
		claims := claimsOf(t, answer.AccessToken)
		assert.EqualValues(t, want, claims["exp"].(float64)-claims["iat"].(float64))
	}
}
