package clientcreds

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestTokenAnswersOfOtherIssuers holds that what issuers in use answer is a token of the lifetime and the scopes they mean.
func TestTokenAnswersOfOtherIssuers(t *testing.T) {
	const hour = time.Hour
	for name, tt := range map[string]struct {
		status   int
		body     string
		header   string // Content-Type
		lifetime time.Duration
		scopes   []string
	}{
		"Entra ID":                  {200, `{"token_type":"Bearer","expires_in":3599,"ext_expires_in":3599,"access_token":"t"}`, "application/json; charset=utf-8", 3599 * time.Second, nil},
		"Entra ID v1":               {200, `{"token_type":"Bearer","expires_in":"3600","ext_expires_in":"3600","expires_on":"1","not_before":"1","resource":"api://x","access_token":"t"}`, "", hour, nil},
		"Okta":                      {200, `{"token_type":"Bearer","expires_in":3600,"access_token":"t","scope":"read write"}`, "", hour, []string{"read", "write"}},
		"Auth0":                     {200, `{"access_token":"t","scope":"read","expires_in":86400,"token_type":"Bearer"}`, "", 24 * hour, []string{"read"}},
		"Cognito":                   {200, `{"access_token":"t","expires_in":3600,"token_type":"Bearer"}`, "application/json;charset=UTF-8", hour, nil},
		"Hydra":                     {200, `{"access_token":"t","expires_in":3599,"scope":"","token_type":"bearer"}`, "", 3599 * time.Second, []string{}},
		"Spring":                    {200, `{"access_token":"t","token_type":"Bearer","expires_in":299}`, "application/json;charset=UTF-8", 299 * time.Second, nil},
		"Zitadel":                   {200, `{"access_token":"t","token_type":"Bearer","expires_in":43199,"id_token":"i"}`, "", 43199 * time.Second, nil},
		"Apigee":                    {200, `{"token_type":"BearerToken","issued_at":"1456444574593","client_id":"c","access_token":"t","scope":"","expires_in":"3599","status":"approved"}`, "", 3599 * time.Second, []string{}},
		"Shopify, without a type":   {200, `{"access_token":"t","scope":"read_orders","expires_in":86399}`, "", 86399 * time.Second, []string{"read_orders"}},
		"201":                       {201, `{"access_token":"t","token_type":"BEARER","expires_in":3600}`, "", hour, nil},
		"scope as an array":         {200, `{"access_token":"t","token_type":"Bearer","scope":["read"],"expires_in":3600}`, "", hour, []string{"read"}},
		"no lifetime":               {200, `{"access_token":"t","token_type":"Bearer"}`, "", defaultLifetime, nil},
		"a lifetime of 0":           {200, `{"access_token":"t","token_type":"Bearer","expires_in":0}`, "", defaultLifetime, nil},
		"a charset twice":           {200, `{"access_token":"t","expires_in":3600}`, "application/json; charset=utf-8; charset=utf-8", hour, nil},
		"a charset without a value": {200, `{"access_token":"t","expires_in":3600}`, "application/json; charset", hour, nil},
		"a kind of JSON":            {200, `{"access_token":"t","expires_in":3600}`, "application/vnd.oauth+json", hour, nil},
	} {
		t.Run(name, func(t *testing.T) {
			header := []string{}
			if tt.header != "" {
				header = []string{"Content-Type", tt.header}
			}
			synctest.Test(t, func(t *testing.T) {
				source := newTestSource(t, &script{next: func(int, *http.Request) (*http.Response, error) { return reply(tt.status, tt.body, header...) }})
				token, err := source.Token()
				require.NoError(t, err)
				assert.Equal(t, "t", token.AccessToken)
				assert.Equal(t, "Bearer", token.TokenType)
				assert.Equal(t, tt.lifetime, time.Until(token.Expiry))
				assert.Equal(t, tt.scopes, source.Status().GrantedScopes)
			})
		})
	}
}

// TestRefusalsOfOtherIssuers holds that what issuers in use say is told, and the hint is in their terms.
func TestRefusalsOfOtherIssuers(t *testing.T) {
	entra := func(code, number, text string) string {
		return `{"error":"` + code + `","error_description":"AADSTS` + number + `: ` + text + ` Trace ID: 1 Correlation ID: 2 Timestamp: 3","error_codes":[` + number + `],"trace_id":"1"}`
	}
	for name, tt := range map[string]struct {
		status    int
		body      string
		permanent bool
		code      string
		says      string // in Description
		hint      string
	}{
		"Entra ID, a wrong secret":     {401, entra("invalid_client", "7000215", "Invalid client secret provided."), true, "invalid_client", "AADSTS7000215", "not its Secret ID"},
		"Entra ID, an old secret":      {401, entra("invalid_client", "7000222", "The provided client secret keys for app 'x' are expired."), true, "invalid_client", "expired", "the secret has expired"},
		"Entra ID, no such app":        {400, entra("unauthorized_client", "700016", "Application with identifier 'x' was not found in the directory 'y'."), true, "unauthorized_client", "not found", "no application archival-service in this tenant"},
		"Entra ID, a scope of another": {400, entra("invalid_scope", "1002012", "The provided value for scope read is not valid."), true, "invalid_scope", "scope read", "/.default"},
		"Entra ID, no scope":           {400, entra("invalid_request", "900144", "The request body must contain the following parameter: 'scope'."), true, "invalid_request", "'scope'", "set Scopes"},
		"Entra ID, an API not there":   {400, entra("invalid_resource", "500011", "The resource principal named api://x was not found in the tenant."), true, "invalid_resource", "api://x", "Application ID URI"},
		"Entra ID, whatever else":      {400, entra("invalid_request", "1", "?"), true, "invalid_request", "AADSTS1", "AADSTS number"},
		"Auth0, no audience":           {403, `{"error":"access_denied","error_description":"No audience parameter was provided, and no default audience has been configured"}`, true, "access_denied", "No audience", "set Params, audience"},
		"Auth0, not authorized":        {403, `{"error":"access_denied","error_description":"Client is not authorized to access \"https://api.example\". You need to create a \"client-grant\" associated to this API."}`, true, "access_denied", "https://api.example", "Machine to Machine"},
		"Auth0, no such API":           {403, `{"error":"access_denied","error_description":"Service not found: https://api.example"}`, true, "access_denied", "https://api.example", "no API of that identifier"},
		"Auth0, a wrong secret":        {401, `{"error":"access_denied","error_description":"Unauthorized"}`, true, "access_denied", "Unauthorized", "compare the secret"},
		"Auth0, not this grant":        {403, `{"error":"unauthorized_client","error_description":"Grant type 'client_credentials' not allowed for the client."}`, true, "unauthorized_client", "Grant type", "Grant Types"},
		"Okta, no such client":         {401, `{"errorCode":"invalid_client","errorSummary":"Invalid value for 'client_id' parameter.","errorLink":"invalid_client","errorId":"x","errorCauses":[]}`, true, "invalid_client", "Invalid value for 'client_id'", "look at ClientID"},
		"Okta, by a number of its own": {429, `{"errorCode":"E0000047","errorSummary":"API call exceeded rate limit due to too many requests."}`, false, "", "rate limit", "overloaded"},
		"Okta, no scope":               {400, `{"error":"invalid_scope","error_description":"The authorization server resource does not have any configured default scopes, 'scope' must be provided."}`, true, "invalid_scope", "default scopes", "set Scopes"},
		"Okta, an unknown scope":       {400, `{"error":"invalid_scope","error_description":"One or more scopes are not configured for the authorization server resource."}`, true, "invalid_scope", "not configured", "Okta: Security > API"},
		"Cognito, without a word more": {400, `{"error":"invalid_client"}`, true, "invalid_client", "", "other issuers say invalid_client for both"},
		"a description that echoes":    {401, `{"errorCode":"invalid_client","errorSummary":"bad secret p1anted-secret%+ /:ü"}`, true, "invalid_client", "withheld", "look at ClientID"},
	} {
		t.Run(name, func(t *testing.T) {
			issuer := &script{next: func(int, *http.Request) (*http.Response, error) { return reply(tt.status, tt.body) }}
			_, err := newTestSource(t, issuer, func(c *Config) { c.Params = url.Values{"audience": {"https://api.example"}} }).Token()
			assert.Equal(t, tt.permanent, errors.Is(err, ErrRefused))
			var failed *Error
			require.ErrorAs(t, err, &failed)
			assert.Equal(t, tt.code, failed.Code)
			assert.Contains(t, failed.Description, tt.says)
			assert.Contains(t, failed.Hint, tt.hint)
			assert.NotContains(t, failed.Error(), "p1anted")
		})
	}
}

// TestDiagnosesOfOtherIssuers holds that what Diagnose says of the way to a token, and of the token, is not in Keycloak's terms where there is no Keycloak.
func TestDiagnosesOfOtherIssuers(t *testing.T) {
	const entra = "https://login.microsoftonline.com/7d8e/v2.0"
	tenants := `{"issuer":"https://login.microsoftonline.com/{tenantid}/v2.0","token_endpoint":"https://login.microsoftonline.com/common/oauth2/v2.0/token"}`
	for name, tt := range map[string]struct {
		issuer   string
		document string
		claims   string // of the token
		subject  Subject
		result   Result
		found    string
		mend     string
	}{
		"Entra ID, whoever's tenant":     {"https://login.microsoftonline.com/common/v2.0", tenants, "", SubjectIssuer, ResultWrong, "set Issuer to that of one tenant", ""},
		"Entra ID, a token of version 1": {entra, "", `{"iss":"https://sts.windows.net/7d8e/","aud":"api://x"}`, SubjectIssuer, ResultWarning, "sts.windows.net", "requestedAccessTokenVersion"},
		"GitHub, without a token":        {"https://token.actions.githubusercontent.com", `{"issuer":"https://token.actions.githubusercontent.com"}`, "", SubjectDiscovery, ResultWrong, "has no token_endpoint", "gives no tokens by this grant"},
		"Cognito, without an audience":   {"https://cognito.example/pool", "", `{"iss":"https://cognito.example/pool"}`, SubjectAudience, ResultWarning, "aud is []", "Cognito writes no aud"},
		"Auth0":                          {"https://x.auth0.com/", "", `{"iss":"https://x.auth0.com/","aud":"https://api.example"}`, SubjectAudience, ResultOK, "[https://api.example]", ""},
		"a scope not granted":            {"https://x.okta.com/oauth2/default", "", `{"iss":"https://x.okta.com/oauth2/default","aud":"a"}`, SubjectScope, ResultWarning, "write", "let the issuer give them"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &script{next: func(_ int, r *http.Request) (*http.Response, error) {
				switch {
				case r.Method == http.MethodPost:
					return reply(200, `{"access_token":"e30.`+base64.RawURLEncoding.EncodeToString([]byte(tt.claims))+`.e30","scope":"read","expires_in":3600}`)
				case tt.document != "":
					return reply(200, tt.document)
				}
				return reply(200, `{"issuer":"`+tt.issuer+`","token_endpoint":"`+tt.issuer+`/token"}`)
			}}
			source := newTestSource(t, s, func(c *Config) { c.TokenURL, c.Issuer, c.Scopes = "", tt.issuer, []string{"write"} })
			check := source.Diagnose(t.Context()).Check(tt.subject)
			assert.Equal(t, tt.result, check.Result, check)
			assert.Contains(t, check.Found, tt.found)
			assert.Contains(t, check.Mend, tt.mend)
		})
	}
}
