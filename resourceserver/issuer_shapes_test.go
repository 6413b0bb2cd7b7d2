package resourceserver_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	rs "github.com/svcauth/svcauth/resourceserver"
)

// issuerShape is how one issuer's access tokens, metadata and keys look.
type issuerShape struct {
	config   rs.Config
	metadata string         // where its document stands; empty: there is none to be had, and config says where the keys are
	keys     string         // where its keys stand
	jwk      map[string]any // what its keys have otherwise; nil removes a member
	header   map[string]any // likewise of a token's header
	claims   claims         // beside iss, exp and iat

	client, username string
	roles, scopes    []string
}

// issuerShapes are the names and places that issuers in use choose. The keys are of one kind here, whatever each signs with: TestVerifyAccepts has every
// algorithm.
var issuerShapes = map[string]issuerShape{
	"Microsoft Entra ID v2, an app": {
		config:   rs.Config{Issuer: "https://login.microsoftonline.com/7d8e/v2.0", Audiences: []string{"a2b1"}, Roles: rs.RolesFromClaim("roles")},
		metadata: "https://login.microsoftonline.com/7d8e/v2.0/.well-known/openid-configuration", keys: "https://login.microsoftonline.com/7d8e/discovery/v2.0/keys",
		jwk:    map[string]any{"alg": nil, "x5t": "kid", "x5c": []string{"MIIC"}, "issuer": "https://login.microsoftonline.com/7d8e/v2.0"},
		header: map[string]any{"x5t": "kid"},
		claims: claims{"aud": "a2b1", "azp": "c0de", "azpacr": "1", "oid": "0bec", "sub": "0bec", "roles": []string{"Jobs.Run"}, "tid": "7d8e", "ver": "2.0", "idtyp": "app", "nbf": 1},
		client: "c0de", username: "0bec", roles: []string{"Jobs.Run"},
	},
	"Microsoft Entra ID v1, a person": {
		config:   rs.Config{Issuer: "https://sts.windows.net/7d8e/", Audiences: []string{"api://messages"}},
		metadata: "https://sts.windows.net/7d8e/.well-known/openid-configuration", keys: "https://login.microsoftonline.com/common/discovery/keys",
		jwk:    map[string]any{"alg": nil, "x5c": []string{"MIIC"}, "issuer": "https://login.microsoftonline.com/{tenantid}/v2.0"},
		claims: claims{"aud": "api://messages", "appid": "c0de", "appidacr": "1", "scp": "read write", "sub": "s", "upn": "siva@example.com", "ver": "1.0"},
		client: "c0de", username: "s", scopes: []string{"read", "write"},
	},
	"Okta": {
		config:   rs.Config{Issuer: "https://x.okta.com/oauth2/default", Audiences: []string{"api://default"}, Roles: rs.RolesFromClaim("groups")},
		metadata: "https://x.okta.com/oauth2/default/.well-known/openid-configuration", keys: "https://x.okta.com/oauth2/default/v1/keys",
		header: map[string]any{"typ": nil},
		claims: claims{"ver": 1, "jti": "AT.x", "aud": "api://default", "cid": "0oa1", "uid": "00u1", "scp": []string{"openid", "read"}, "auth_time": 1, "sub": "siva@example.com", "groups": []string{"Everyone"}},
		client: "0oa1", username: "siva@example.com", scopes: []string{"openid", "read"}, roles: []string{"Everyone"},
	},
	"Auth0": {
		config:   rs.Config{Issuer: "https://x.eu.auth0.com/", Audiences: []string{"https://api.example"}, Roles: rs.RolesFromClaim("permissions")},
		metadata: "https://x.eu.auth0.com/.well-known/openid-configuration", keys: "https://x.eu.auth0.com/.well-known/jwks.json",
		claims: claims{"sub": "c0de@clients", "aud": []string{"https://api.example", "https://x.eu.auth0.com/userinfo"}, "scope": "read", "gty": "client-credentials", "azp": "c0de", "permissions": []string{"read"}},
		client: "c0de", username: "c0de@clients", scopes: []string{"read"}, roles: []string{"read"},
	},
	"AWS Cognito, which writes no aud": {
		config:   rs.Config{Issuer: "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_x", SkipAudienceCheck: true, Roles: rs.RolesFromClaim("cognito:groups")},
		metadata: "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_x/.well-known/openid-configuration", keys: "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_x/.well-known/jwks.json",
		header: map[string]any{"typ": nil},
		claims: claims{"sub": "c0de", "token_use": "access", "scope": "messages/read", "auth_time": 1, "version": 2, "client_id": "c0de", "cognito:groups": []string{"admin"}},
		client: "c0de", username: "c0de", scopes: []string{"messages/read"}, roles: []string{"admin"},
	},
	"Google's service accounts": {
		config:   rs.Config{Issuer: "https://accounts.google.com", Audiences: []string{"https://api.example"}},
		metadata: "https://accounts.google.com/.well-known/openid-configuration", keys: "https://www.googleapis.com/oauth2/v3/certs",
		claims: claims{"aud": "https://api.example", "azp": "1122", "email": "job@x.iam.gserviceaccount.com", "email_verified": true, "sub": "1122"},
		client: "1122", username: "1122",
	},
	"Google's name without a scheme": {
		config: rs.Config{Issuer: "accounts.google.com", Audiences: []string{"c0de"}, JWKSURL: "https://www.googleapis.com/oauth2/v3/certs"},
		keys:   "https://www.googleapis.com/oauth2/v3/certs",
		claims: claims{"aud": "c0de", "azp": "c0de", "sub": "1122"}, client: "c0de", username: "1122",
	},
	"a token that a Google service account signs itself": {
		config: rs.Config{Issuer: "job@x.iam.gserviceaccount.com", Audiences: []string{"https://api.example"}, JWKSURL: "https://www.googleapis.com/service_accounts/v1/jwk/job%40x.iam.gserviceaccount.com"},
		keys:   "https://www.googleapis.com/service_accounts/v1/jwk/job%40x.iam.gserviceaccount.com",
		claims: claims{"aud": "https://api.example", "sub": "job@x.iam.gserviceaccount.com"}, username: "job@x.iam.gserviceaccount.com",
	},
	"Ory Hydra": {
		config:   rs.Config{Issuer: "https://hydra.example/", Audiences: []string{"messages"}},
		metadata: "https://hydra.example/.well-known/openid-configuration", keys: "https://hydra.example/.well-known/jwks.json",
		claims: claims{"aud": []string{"messages"}, "client_id": "job", "ext": claims{}, "jti": "j", "nbf": 1, "scp": []string{"read"}, "sub": "job"},
		client: "job", username: "job", scopes: []string{"read"},
	},
	"Spring Authorization Server, which names no client": {
		config:   rs.Config{Issuer: "http://localhost:9000", Audiences: []string{"job"}},
		metadata: "http://localhost:9000/.well-known/openid-configuration", keys: "http://localhost:9000/oauth2/jwks",
		jwk: map[string]any{"alg": nil, "use": nil}, header: map[string]any{"typ": nil},
		claims: claims{"sub": "job", "aud": "job", "nbf": 1, "scope": []string{"read", "write"}, "jti": "j"}, username: "job", scopes: []string{"read", "write"},
	},
	"Duende IdentityServer": {
		config:   rs.Config{Issuer: "https://ids.example", Audiences: []string{"urn:messages"}, Roles: rs.RolesFromClaim("role")},
		metadata: "https://ids.example/.well-known/openid-configuration", keys: "https://ids.example/.well-known/openid-configuration/jwks",
		header: map[string]any{"typ": "at+jwt"},
		claims: claims{"nbf": 1, "aud": []string{"urn:messages"}, "scope": []string{"read"}, "client_id": "job", "jti": "j", "role": "Admin"}, client: "job", scopes: []string{"read"}, roles: []string{"Admin"},
	},
	"Zitadel, with roles as an object": {
		config:   rs.Config{Issuer: "https://x.zitadel.cloud", Audiences: []string{"2871"}, Roles: rs.RolesFromNames("urn:zitadel:iam:org:project:2871:roles")},
		metadata: "https://x.zitadel.cloud/.well-known/openid-configuration", keys: "https://x.zitadel.cloud/oauth/v2/keys",
		claims: claims{"aud": []string{"2870", "2871"}, "client_id": "job", "jti": "j", "nbf": 1, "sub": "2869", "urn:zitadel:iam:org:project:2871:roles": claims{"admin": claims{"1": "x.example"}, "user": claims{"1": "x.example"}},
			"urn:zitadel:iam:org:project:roles": claims{"owner": claims{"1": "x.example"}}},
		client: "job", username: "2869", roles: []string{"admin", "user"},
	},
	"authentik": {
		config:   rs.Config{Issuer: "https://id.example/application/o/messages/", Audiences: []string{"c0de"}, Roles: rs.RolesFromClaim("groups")},
		metadata: "https://id.example/application/o/messages/.well-known/openid-configuration", keys: "https://id.example/application/o/messages/jwks/",
		jwk:    map[string]any{"x5c": []string{"MIIC"}, "x5t": "x"},
		claims: claims{"aud": "c0de", "auth_time": 1, "acr": "goauthentik.io/providers/oauth2/default", "azp": "c0de", "uid": "u", "sub": "s", "preferred_username": "siva", "groups": []string{"admins"}},
		client: "c0de", username: "siva", roles: []string{"admins"},
	},
	"PingFederate, whose keys are not those of its metadata": {
		config: rs.Config{Issuer: "https://ping.example", Audiences: []string{"messages"}, JWKSURL: "https://ping.example/ext/jwks"}, keys: "https://ping.example/ext/jwks",
		header: map[string]any{"typ": nil, "pi.atm": "x"},
		claims: claims{"scope": []string{"read"}, "client_id": "job", "aud": "messages", "jti": "j"}, client: "job", scopes: []string{"read"},
	},
	"PingOne": {
		config:   rs.Config{Issuer: "https://auth.pingone.eu/e/as", Audiences: []string{"messages"}},
		metadata: "https://auth.pingone.eu/e/as/.well-known/openid-configuration", keys: "https://auth.pingone.eu/e/as/jwks",
		header: map[string]any{"typ": nil, "x5t": "x"},
		claims: claims{"client_id": "job", "aud": []string{"messages"}, "scope": "read", "jti": "j", "env": "e", "org": "o"}, client: "job", scopes: []string{"read"},
	},
	"Curity": {
		config:   rs.Config{Issuer: "https://curity.example:8443/oauth/v2/oauth-anonymous", Audiences: []string{"messages"}},
		metadata: "https://curity.example:8443/oauth/v2/oauth-anonymous/.well-known/openid-configuration", keys: "https://curity.example:8443/oauth/v2/oauth-anonymous/jwks",
		header: map[string]any{"typ": "at+jwt"},
		claims: claims{"jti": "j", "delegationId": "d", "nbf": 1, "scope": "read", "sub": "s", "aud": "messages", "client_id": "job", "purpose": "access_token"}, client: "job", username: "s", scopes: []string{"read"},
	},
	"FusionAuth, under its default name": {
		config: rs.Config{Issuer: "acme.com", Audiences: []string{"85a0"}, JWKSURL: "http://localhost:9011/.well-known/jwks.json", Roles: rs.RolesFromClaim("roles")},
		keys:   "http://localhost:9011/.well-known/jwks.json", header: map[string]any{"gty": []string{"password"}},
		claims:   claims{"aud": "85a0", "sub": "s", "jti": "j", "authenticationType": "PASSWORD", "applicationId": "85a0", "preferred_username": "siva", "roles": []string{"admin"}, "sid": "x", "auth_time": 1, "tid": "t"},
		username: "siva", roles: []string{"admin"},
	},
	"WSO2": {
		config:   rs.Config{Issuer: "https://localhost:9443/oauth2/token", Audiences: []string{"messages"}},
		metadata: "https://localhost:9443/oauth2/token/.well-known/openid-configuration", keys: "https://localhost:9443/oauth2/jwks",
		jwk: map[string]any{"kid": strings.Repeat("k", 120) + "_EdDSA"}, header: map[string]any{"typ": "at+jwt", "kid": strings.Repeat("k", 120) + "_EdDSA", "x5t": "x"},
		claims: claims{"sub": "s", "aut": "APPLICATION", "aud": []string{"job", "messages"}, "nbf": 1, "azp": "job", "client_id": "job", "scope": "default", "jti": "j"}, client: "job", username: "s", scopes: []string{"default"},
	},
	"GitHub Actions, which has no token endpoint": {
		config:   rs.Config{Issuer: "https://token.actions.githubusercontent.com", Audiences: []string{"https://api.example"}},
		metadata: "https://token.actions.githubusercontent.com/.well-known/openid-configuration", keys: "https://token.actions.githubusercontent.com/.well-known/jwks",
		claims: claims{"jti": "j", "sub": "repo:x/y:ref:refs/heads/main", "aud": "https://api.example", "ref": "refs/heads/main", "repository": "x/y", "actor": "siva", "nbf": 1}, username: "repo:x/y:ref:refs/heads/main",
	},
	"GitLab CI": {
		config:   rs.Config{Issuer: "https://gitlab.com", Audiences: []string{"https://api.example"}, Roles: rs.RolesFromClaim("user_access_level")},
		metadata: "https://gitlab.com/.well-known/openid-configuration", keys: "https://gitlab.com/oauth/discovery/keys",
		claims:   claims{"namespace_id": "1", "project_path": "x/y", "user_login": "siva", "user_access_level": "owner", "aud": "https://api.example", "sub": "project_path:x/y", "nbf": 1, "user_identities": []claims{{"provider": "github"}}},
		username: "project_path:x/y", roles: []string{"owner"},
	},
	"Kubernetes": {
		config:   rs.Config{Issuer: "https://kubernetes.default.svc", Audiences: []string{"messages"}},
		metadata: "https://kubernetes.default.svc/.well-known/openid-configuration", keys: "https://10.0.0.1:6443/openid/v1/jwks", header: map[string]any{"typ": nil},
		claims: claims{"aud": []string{"messages"}, "jti": "j", "nbf": 1, "sub": "system:serviceaccount:default:job", "kubernetes.io": claims{"namespace": "default", "serviceaccount": claims{"name": "job", "uid": "u"}}}, username: "system:serviceaccount:default:job",
	},
	"SPIFFE, by a trust bundle": {
		config: rs.Config{Issuer: "spiffe://example.org", Audiences: []string{"messages"}, JWKSURL: "https://spire.example/bundle"}, keys: "https://spire.example/bundle",
		jwk:    map[string]any{"alg": nil, "use": "jwt-svid"},
		claims: claims{"aud": []string{"messages"}, "sub": "spiffe://example.org/job"}, username: "spiffe://example.org/job",
	},
	"an authorization server without OpenID Connect": {
		config:   rs.Config{Issuer: "https://as.example/tenant/", Audiences: []string{"messages"}},
		metadata: "https://as.example/.well-known/oauth-authorization-server/tenant", keys: "https://as.example/keys", jwk: map[string]any{"kid": nil}, header: map[string]any{"typ": "application/at+jwt", "kid": nil},
		claims: claims{"aud": "messages", "sub": "s", "client_id": "job", "jti": "j", "scope": "read"}, client: "job", username: "s", scopes: []string{"read"},
	},
}

// RoundTrip answers as the issuer does, in memory.
func (s *issuerShape) RoundTrip(r *http.Request) (*http.Response, error) {
	switch r.URL.String() {
	case s.metadata:
		return reply(200, fmt.Sprintf(`{"issuer":%q,"jwks_uri":%q,"response_types_supported":["code"]}`, s.config.Issuer, s.keys), nil), nil
	case s.keys:
		return reply(200, `{"keys":[`+changed(keyFor("EdDSA").PublicJWK("sig"), s.jwk)+`]}`, http.Header{"Content-Type": {"application/jwk-set+json"}}), nil
	}
	return reply(404, "", nil), nil
}

// changed is a JSON object with other members.
func changed(object []byte, change map[string]any) string {
	var members map[string]any
	if err := json.Unmarshal(object, &members); err != nil {
		panic(err)
	}
	maps.Copy(members, change)
	maps.DeleteFunc(members, func(_ string, value any) bool { return value == nil })
	data, _ := json.Marshal(members)
	return string(data)
}

func (s *issuerShape) auth(t *testing.T) *rs.Authenticator {
	config := s.config
	config.HTTPClient, config.Logger = &http.Client{Transport: s}, discard
	return newAuth(t, config)
}

// token is what the issuer gives; change stands beside or instead of its claims.
func (s *issuerShape) token(change claims) string {
	c := claims{"iss": s.config.Issuer, "iat": time.Now().Unix(), "exp": time.Now().Unix() + 300}
	maps.Copy(c, s.claims)
	maps.Copy(c, change)
	return sign(keyFor("EdDSA"), s.header, c)
}
