package keycloaktest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// edgeRealm has a client for each way to be refused.
const edgeRealm = `{"realm": "edge", "enabled": true, "accessTokenLifespan": 60,
  "clients": [
    {"clientId": "svc", "secret": "svc-secret", "serviceAccountsEnabled": true},
    {"clientId": "odd id", "secret": "s3cr3t%+ /:ü", "serviceAccountsEnabled": true},
    {"clientId": "noaccount", "secret": "x"},
    {"clientId": "off", "secret": "x", "enabled": false, "serviceAccountsEnabled": true},
    {"clientId": "public", "publicClient": true, "serviceAccountsEnabled": true},
    {"clientId": "bearer", "secret": "x", "bearerOnly": true, "serviceAccountsEnabled": true},
    {"clientId": "nosecret", "serviceAccountsEnabled": true},
    {"clientId": "useroff", "secret": "x", "serviceAccountsEnabled": true},
    {"clientId": "scoped", "secret": "x", "serviceAccountsEnabled": true, "defaultClientScopes": ["basic", "roles"], "optionalClientScopes": ["address", "made-up"]}
  ],
  "users": [{"username": "service-account-useroff", "enabled": false, "serviceAccountClientId": "useroff"}]}`

// Each refusal is what Keycloak 26.7.4 answered to the same request.
const (
	unknownClient = `{"error":"invalid_client","error_description":"Invalid client or Invalid client credentials"}`
	wrongSecret   = `{"error":"unauthorized_client","error_description":"Invalid client or Invalid client credentials"}`
	undecodable   = `{"error":"unauthorized_client","error_description":"Unexpected error when authenticating client"}`
	noGrant       = `{"error":"invalid_request","error_description":"Missing form parameter: grant_type"}`
	otherGrant    = `{"error":"unsupported_grant_type","error_description":"Unsupported grant_type"}`
	duplicated    = `{"error":"invalid_request","error_description":"duplicated parameter"}`
	noAccount     = `{"error":"unauthorized_client","error_description":"Client not enabled to retrieve service account"}`
	publicClient  = `{"error":"unauthorized_client","error_description":"Public client not allowed to retrieve service account"}`
	bearerOnly    = `{"error":"invalid_client","error_description":"Bearer-only not allowed"}`
	userDisabled  = `{"error":"invalid_request","error_description":"User 'service-account-useroff' disabled"}`
	serverError   = `{"error":"unknown_error","error_description":"For more on this error consult the server log."}`
)

func badScope(scope string) string {
	return `{"error":"invalid_scope","error_description":"Invalid scopes: ` + scope + `"}`
}

func TestTokenEndpointAnswers(t *testing.T) {
	const cc = "grant_type=client_credentials"
	s := startJSON(t, edgeRealm)
	good := basic("svc", "svc-secret")
	for _, c := range []struct {
		name, authorization, form string
		status                    int
		body                      string // of a refusal
	}{
		{"basic", good, cc, 200, ""},
		{"basic, scheme in lower case", strings.Replace(good, "Basic", "basic", 1), cc, 200, ""},
		{"basic, two spaces", strings.Replace(good, " ", "  ", 1), cc, 200, ""},
		{"basic, form-encoded", basic("odd id", "s3cr3t%+ /:ü"), cc, 200, ""},
		{"basic, space as %20", strings.Replace(basic("odd id", "s3cr3t%+ /:ü"), "odd+id", "odd%20id", 1), cc, 200, ""},
		{"post", "", cc + "&client_id=svc&client_secret=svc-secret", 200, ""},
		{"basic, same client in the form", good, cc + "&client_id=svc", 200, ""},
		{"form overrides a wrong header", basic("svc", "wrong"), cc + "&client_id=svc&client_secret=svc-secret", 200, ""},
		{"form beside another scheme", "Bearer abc", cc + "&client_id=svc&client_secret=svc-secret", 200, ""},
		{"parameters it doesn't know", good, cc + "&audience=nope&resource=https://a.example", 200, ""},

		{"wrong secret, basic", basic("svc", "wrong"), cc, 401, wrongSecret},
		{"wrong secret, post", "", cc + "&client_id=svc&client_secret=wrong", 401, wrongSecret},
		{"empty secret", basic("svc", ""), cc, 401, wrongSecret},
		{"no secret", "", cc + "&client_id=svc", 401, wrongSecret},
		{"client without secret, empty secret", basic("nosecret", ""), cc, 401, wrongSecret},
		{"right header, wrong form", good, cc + "&client_secret=wrong", 401, wrongSecret},
		{"right header, other client in the form", good, cc + "&client_id=noaccount", 401, wrongSecret},
		{"unknown client, basic", basic("nope", "x"), cc, 401, unknownClient},
		{"unknown client, post", "", cc + "&client_id=nope&client_secret=x", 401, unknownClient},
		{"no client", "", cc, 401, unknownClient},
		{"secret only", "", cc + "&client_secret=svc-secret", 401, unknownClient},
		{"disabled client", basic("off", "x"), cc, 401, unknownClient},
		{"basic, not base64", "Basic !!!", cc, 401, unknownClient},
		{"basic, no colon", "Basic c3Zj", cc, 401, unknownClient},
		{"basic, nothing", "Basic", cc, 401, unknownClient},
		{"bearer", "Bearer abc", cc, 401, unknownClient},
		{"basic, not form-encoded", "Basic b2RkIGlkOnMzY3IzdCUrIC86w7w=", cc, 400, undecodable},

		{"no grant", good, "scope=openid", 400, noGrant},
		{"no grant, no client", "", "", 400, noGrant},
		{"empty grant", good, "grant_type=", 400, otherGrant},
		{"unknown grant", good, "grant_type=magic", 400, otherGrant},
		{"unknown grant, wrong secret", basic("svc", "wrong"), "grant_type=magic", 400, otherGrant},
		{"grant in capitals", good, "grant_type=Client_Credentials", 400, otherGrant},

		{"repeated grant", good, cc + "&" + cc, 400, duplicated},
		{"repeated scope", good, cc + "&scope=openid&scope=profile", 400, duplicated},
		{"repeated client_secret", "", cc + "&client_id=svc&client_secret=svc-secret&client_secret=svc-secret", 400, duplicated},
		{"repeated unknown parameter", good, cc + "&a=1&a=2", 400, duplicated},
		{"repeated grant, wrong secret", basic("svc", "wrong"), cc + "&" + cc, 401, wrongSecret},

		{"service accounts off", basic("noaccount", "x"), cc, 401, noAccount},
		{"service accounts off, wrong secret", basic("noaccount", "y"), cc, 401, wrongSecret},
		{"public client", "", cc + "&client_id=public", 401, publicClient},
		{"public client, some secret", basic("public", "x"), cc, 401, publicClient},
		{"bearer-only", basic("bearer", "x"), cc, 400, bearerOnly},
		{"bearer-only, wrong secret", basic("bearer", "y"), cc, 401, wrongSecret},
		{"service account disabled", basic("useroff", "x"), cc, 401, userDisabled},

		{"scope openid", good, cc + "&scope=openid", 200, ""},
		{"scopes of the client", good, cc + "&scope=openid+profile+address", 200, ""},
		{"scope, twice the same", good, cc + "&scope=openid+openid", 200, ""},
		{"scope, blank", good, cc + "&scope=++", 200, ""},
		{"scope, blank at the end", good, cc + "&scope=openid+", 200, ""},
		{"scope, empty", good, cc + "&scope=", 400, badScope("")},
		{"scope, unknown", good, cc + "&scope=orders", 400, badScope("orders")},
		{"scope, one of three unknown", good, cc + "&scope=openid+orders+email", 400, badScope("openid orders email")},
		{"scope, in capitals", good, cc + "&scope=Profile", 400, badScope("Profile")},
		{"scope, blank in front", good, cc + "&scope=+openid", 400, badScope(" openid")},
		{"scope, two blanks", good, cc + "&scope=openid++profile", 400, badScope("openid  profile")},
		{"scope, tab", good, cc + "&scope=a%09b", 400, badScope("ab")},
		{"scope, markup", good, cc + "&scope=%22%3Cx%3E%22", 400, badScope(`\"<x>\"`)},
		{"scope, optional of another client", basic("scoped", "x"), cc + "&scope=email", 400, badScope("email")},
		{"scope, optional", basic("scoped", "x"), cc + "&scope=address", 200, ""},
		{"scope, optional but not in the realm", basic("scoped", "x"), cc + "&scope=made-up", 400, badScope("made-up")},

		{"form that can't be decoded", good, cc + "&x=%zz", 500, serverError},
		{"form too large", good, cc + "&x=" + strings.Repeat("a", 200_000), 413, `{"error":"HTTP 413 Request Entity Too Large"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			header := http.Header{"Content-Type": {formType}}
			if c.authorization != "" {
				header.Set("Authorization", c.authorization)
			}
			res, body := send(t, http.MethodPost, s.tokenURL(), c.form, header)
			require.Equal(t, c.status, res.StatusCode, body)
			assert.Equal(t, "application/json", res.Header.Get("Content-Type"))
			assert.Empty(t, res.Header.Get("WWW-Authenticate"))
			if c.status < 413 {
				assert.Equal(t, "no-store", res.Header.Get("Cache-Control"))
				assert.Equal(t, "no-cache", res.Header.Get("Pragma"))
			}
			if c.status == http.StatusOK {
				assert.Contains(t, body, `"access_token":"ey`)
				return
			}
			assert.Equal(t, c.body, body)
			assert.NotContains(t, body, "svc-secret")
		})
	}
}

func TestTokenEndpointMethodAndContentType(t *testing.T) {
	s := startJSON(t, edgeRealm)
	auth := basic("svc", "svc-secret")
	for _, c := range []struct {
		name, method, query, contentType string
		status                           int
		body                             string
	}{
		{"with a charset", "POST", "", formType + "; charset=UTF-8", 200, ""},
		{"scope in the query is not read", "POST", "?scope=orders", formType, 200, ""},
		{"JSON", "POST", "", "application/json", 400, noGrant},
		{"no content type", "POST", "", "", 400, noGrant},
		{"multipart", "POST", "", "multipart/form-data; boundary=x", 500, serverError},
		{"GET", "GET", "?grant_type=client_credentials", "", 405, `{"error":"HTTP 405 Method Not Allowed"}`},
		{"PUT", "PUT", "", formType, 405, `{"error":"HTTP 405 Method Not Allowed"}`},
		{"OPTIONS", "OPTIONS", "", "", 200, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			res, body := send(t, c.method, s.tokenURL()+c.query, "grant_type=client_credentials", http.Header{
				"Authorization": {auth}, "Content-Type": {c.contentType},
			})
			assert.Equal(t, c.status, res.StatusCode, body)
			assert.Empty(t, res.Header.Get("Allow"))
			if c.body != "" {
				assert.Equal(t, c.body, body)
			}
		})
	}
}

func TestDisabledRealmGivesNoToken(t *testing.T) {
	for name, realm := range map[string]string{"false": `{"realm": "r", "enabled": false}`, "absent": `{"realm": "r"}`} {
		t.Run(name, func(t *testing.T) {
			s := startJSON(t, realm)
			res, body := send(t, http.MethodPost, s.tokenURL(), "grant_type=magic", http.Header{"Content-Type": {formType}})
			assert.Equal(t, 403, res.StatusCode)
			assert.Equal(t, `{"error":"access_denied","error_description":"Realm not enabled"}`, body)
			for _, path := range []string{s.Issuer() + "/.well-known/openid-configuration", s.certsURL()} {
				res, _ := get(t, path)
				assert.Equal(t, 200, res.StatusCode, path)
			}
		})
	}
}
