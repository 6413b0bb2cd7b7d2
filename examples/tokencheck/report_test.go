package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/svcauth/svcauth/keycloak/keycloaktest"
)

// TestIssuerThatGivesOnlyOne holds that a token that the diagnosis saw and that then does not come is not taken for a verdict.
func TestIssuerThatGivesOnlyOne(t *testing.T) {
	realm := startRealm(t)
	token, asked := realm.Token(keycloaktest.Token{}), 0
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked++; asked%2 == 0 {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"error":"unauthorized_client"}`)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"access_token":%q,"token_type":"Bearer","expires_in":300}`, token)
	}))
	defer endpoint.Close()
	setEnv(t, env{"OAUTH_SERVER": realm.Issuer(), secretVariable: "job-secret"})
	args := []string{"-client-id", "job", "-audience", "service", "-token-url", endpoint.URL}
	status, text, _ := call(t, "", args...)
	assert.Equal(t, 1, status)
	assert.Contains(t, text, "A second one did not come: clientcreds:")
	assert.Contains(t, text, "\nhint: ")
	assert.NotContains(t, text, "next attempt")
	status, text, _ = call(t, "", append(args, "-json")...)
	assert.Equal(t, 1, status)
	var r report
	require.NoError(t, json.Unmarshal([]byte(text), &r))
	assert.Equal(t, unavailable, r.Result)
	assert.True(t, r.Diagnosis.OK())
	assert.Contains(t, r.Error, "unauthorized_client")
	assert.NotEmpty(t, r.Hint)
	assert.Nil(t, r.Explanation)
}

// TestText holds what people see of a token, whole.
func TestText(t *testing.T) {
	realm := startRealm(t)
	setEnv(t, env{"TOKEN": realm.Token(keycloaktest.Token{Claims: map[string]any{"aud": "other", "name": "Jörg \u202eevil\x1b[31m", "exp": 4102444800.5, "jti": nil}})})
	status, text, _ := call(t, "", "-issuer", realm.Issuer(), "-audience", "service", "-role", "JOB")
	assert.Equal(t, 1, status)
	for pattern, name := range map[string]string{regexp.QuoteMeta(realm.Issuer()): "ISSUER", `[A-Za-z0-9_-]{43}`: "KID", `[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`: "UUID", `\b\d{10}\b  [^,]+Z`: "TIME", `in \d+d\d*h?\n`: "in DAYS\n", `got "\d+"`: "got N", `, (now|1s ago)`: ", NOW"} {
		text = regexp.MustCompile(pattern).ReplaceAllString(text, name)
	}
	assert.Equal(t, `The token says, which nobody has verified yet:

  header
    alg                "RS256"
    kid                "KID"
    typ                "JWT"
  claims
    acr                "1"
    aud                "other"
    azp                "job"
    clientAddress      "127.0.0.1"
    clientHost         "127.0.0.1"
    client_id          "job"
    email_verified     false
    exp                4102444800.5  2100-01-01T00:00:00Z, in DAYS
    iat                TIME, NOW
    iss                "ISSUER"
    name               "Jörg \u202eevil\u001b[31m"
    preferred_username "service-account-job"
    realm_access       {"roles":["ROLE_JOB"]}
    scope              "profile email"
    sub                "UUID"
    typ                "Bearer"

The resource server:

refused with 401: audience_mismatch
  passed      size: want at most 16384 bytes, got N
  passed      header: want a signed JWT with an allowed algorithm, got "alg RS256, typ jwt, kid KID"
  passed      claims: want a JSON object with exp, and registered claims of their types, got "16 claims"
  passed      issuer: want ISSUER, got "ISSUER"
  passed      algorithm: want ES256 ES384 ES512 Ed25519 EdDSA PS256 PS384 PS512 RS256 RS384 RS512, got "RS256"
  refused     audience: want service, got "[other]"
  not reached expiry
  not reached kind
  not reached signature
  not reached start
  not reached rule: want role JOB
hint: aud is [other]: in Keycloak add an Audience mapper for service to the calling client or to a client scope of it; or mend Audiences, if this service is called otherwise
`, text)
}

// TestJSONNames holds the names of the document, which programs rely on.
func TestJSONNames(t *testing.T) {
	realm := startRealm(t)
	names := map[string]bool{}
	var walk func(string, any)
	walk = func(path string, value any) {
		switch value := value.(type) {
		case map[string]any:
			for name, inner := range value {
				if path+name != "token.claims.realm_access" {
					walk(path+name+".", inner)
				}
			}
		case []any:
			for _, inner := range value {
				walk(path, inner)
			}
		default:
			if !strings.HasPrefix(path, "token.claims.") && !strings.HasPrefix(path, "token.header.") {
				names[strings.TrimSuffix(path, ".")] = true
			}
		}
	}
	for _, args := range []string{"-client-id job -audience service -role ADMIN", "-client-id job -audience other", "-client-id webapp -audience service"} {
		setEnv(t, env{"OAUTH_SERVER": realm.Issuer(), secretVariable: "job-secret"})
		_, text, _ := call(t, "", append(strings.Fields(args), "-json")...)
		var document any
		require.NoError(t, json.Unmarshal([]byte(text), &document))
		walk("", document)
	}
	for _, name := range strings.Fields(`result
		diagnosis.client_id diagnosis.from diagnosis.ok diagnosis.checks.subject diagnosis.checks.result diagnosis.checks.found diagnosis.checks.mend
		token.times.claim token.times.time token.times.relative
		explanation.accepted explanation.reason explanation.status explanation.hint explanation.steps.check explanation.steps.outcome explanation.steps.expected explanation.steps.got
		key_fetches.issuer key_fetches.usable key_fetches.skipped`) {
		assert.True(t, names[name], name)
		delete(names, name)
	}
	assert.Empty(t, names)
}
