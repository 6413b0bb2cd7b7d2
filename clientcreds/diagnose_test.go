package clientcreds

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// realm is an issuer whose answers a test changes one at a time.
type realm struct {
	script
	document  string
	status    int
	answer    string
	date      time.Duration // how far the issuer's clock is ahead; -1: no Date
	tokenFail error
}

func newRealm(claims string) *realm {
	i := &realm{
		status: 200, document: `{"issuer":"` + testIssuer + `","token_endpoint":"` + testTokenURL + `","token_endpoint_auth_methods_supported":["private_key_jwt","client_secret_basic","client_secret_jwt"]}`,
		answer: `{"access_token":"` + jwt(claims) + `","expires_in":300,"scope":"openid email"}`,
	}
	i.next = func(_ int, r *http.Request) (*http.Response, error) {
		if strings.Contains(r.URL.Path, ".well-known") {
			if i.document == "" {
				return reply(404, "")
			}
			return reply(200, i.document)
		}
		if i.tokenFail != nil {
			return nil, i.tokenFail
		}
		if i.date == -1 {
			return reply(i.status, i.answer)
		}
		return reply(i.status, i.answer, "Date", time.Now().Add(i.date).UTC().Format(http.TimeFormat))
	}
	return i
}

const goodClaims = `{"iss":"` + testIssuer + `","aud":["messages-service","account"],"azp":"archival-service","realm_access":{"roles":["ROLE_ADMIN_JOB"]},"resource_access":{"account":{"roles":["view-profile"]}}}`

func TestDiagnose(t *testing.T) {
	ok := map[Subject]Result{
		SubjectDiscovery: ResultOK, SubjectIssuer: ResultOK, SubjectMethod: ResultOK, SubjectSecret: ResultOK, SubjectAudience: ResultOK, SubjectClock: ResultOK, SubjectScope: ResultOK,
	}
	refused := func(status int, code, description string) func(*realm, *Config) {
		return func(i *realm, _ *Config) {
			i.status, i.answer = status, fmt.Sprintf(`{"error":%q,"error_description":%q}`, code, description)
		}
	}
	byAssertion := func(i *realm, c *Config) { c.ClientSecret, c.Auth = "", SecretJWT{Secret: static("s")} }
	for _, tt := range []struct {
		name    string
		change  func(*realm, *Config)
		subject Subject // the one that is not ok
		result  Result
		found   string
		mend    string
	}{
		{"all is well", func(*realm, *Config) {}, "", "", "", ""},

		{"no such realm", func(i *realm, _ *Config) { i.document = "" }, SubjectDiscovery, ResultWrong, "status 404", "no such realm"},
		{"no token endpoint", func(i *realm, _ *Config) { i.document = `{"issuer":"` + testIssuer + `"}` }, SubjectDiscovery, ResultWrong, "has no token_endpoint", "by this grant"},
		{"not a document", func(i *realm, _ *Config) { i.document = `<html>` }, SubjectDiscovery, ResultWrong, "not a metadata document", ""},
		{"plain endpoint", func(i *realm, _ *Config) {
			i.document = `{"issuer":"` + testIssuer + `","token_endpoint":"http://issuer.example/token"}`
		}, SubjectDiscovery, ResultWrong, "may not be used", "proxy-headers"},
		{"token endpoint out of reach", func(i *realm, _ *Config) { i.tokenFail = errDown }, SubjectDiscovery, ResultWrong, "unreachable", "KC_HOSTNAME"},
		{"token endpoint gone", func(i *realm, _ *Config) { i.status, i.answer = 404, "" }, SubjectDiscovery, ResultWrong, "answered 404", "{base}/realms/{realm}"},
		{"redirect", func(i *realm, _ *Config) { i.status, i.answer = 302, "" }, SubjectDiscovery, ResultWrong, "a redirect", "Issuer instead of TokenURL"},
		{"issuer down", func(i *realm, _ *Config) { i.status, i.answer = 503, "" }, SubjectDiscovery, ResultWrong, "answered 503", "overloaded or down"},
		{"sign-in page", func(i *realm, _ *Config) { i.answer = "<html>" }, SubjectDiscovery, ResultWrong, "not a JSON object", "no token endpoint"},

		{"another issuer", func(i *realm, _ *Config) {
			i.document = strings.Replace(i.document, testIssuer, testIssuer+"/", 1)
		}, SubjectIssuer, ResultWrong, "the document is for issuer", "Frontend URL"},
		{"tokens of another name", func(i *realm, _ *Config) {
			i.answer = `{"access_token":"` + jwt(strings.Replace(goodClaims, testIssuer, "http://keycloak:8080/realms/x", 1)) + `"}`
		}, SubjectIssuer, ResultWarning, `the token's iss is "http://keycloak:8080/realms/x"`, "KC_HOSTNAME"},

		{"method not listed", func(i *realm, c *Config) {
			c.ClientSecret, c.Auth = "", SecretPost{Secret: static("s")}
			refused(401, "unauthorized_client", "Invalid client or Invalid client credentials")(i, c)
		}, SubjectMethod, ResultWarning, "client_secret_post is not among those the issuer lists", "set Auth"},
		{"no service account", refused(401, "unauthorized_client", "Client not enabled to retrieve service account"), SubjectMethod, ResultWrong, "", "turn Service accounts roles on"},
		{"public client", refused(401, "unauthorized_client", "Public client not allowed to retrieve service account"), SubjectMethod, ResultWrong, "", "Client authentication on"},
		{"service account user", refused(401, "invalid_request", "User 'service-account-x' disabled"), SubjectMethod, ResultWrong, "", "enable the user service-account-archival-service"},
		{"bearer-only", refused(400, "invalid_client", "Bearer-only not allowed"), SubjectMethod, ResultWrong, "", "bearer-only"},
		{"client wants an assertion", refused(400, "invalid_client", "Parameter client_assertion_type is missing"), SubjectMethod, ResultWrong, "", "choose Client Id and Secret, or set Auth to PrivateKeyJWT"},
		{"algorithm", refused(400, "invalid_client", "Invalid signature algorithm"), SubjectMethod, ResultWrong, "", "Signature algorithm"},
		{"reuse", refused(400, "invalid_client", "Token reuse detected"), SubjectMethod, ResultWrong, "", "new jti"},
		{"no jti", refused(400, "invalid_client", "Token jti claim is required"), SubjectMethod, ResultWrong, "", "the claim that is named"},
		{"grant", refused(400, "unsupported_grant_type", ""), SubjectMethod, ResultWrong, "", "Service accounts roles"},

		{"wrong secret", refused(401, "unauthorized_client", "Invalid client or Invalid client credentials"), SubjectSecret, ResultWrong, "refused the client with 401", "Clients > archival-service > Credentials: compare the secret, and see that Client Authenticator is Client Id and Secret"},
		{"unknown client", refused(401, "invalid_client", "Invalid client or Invalid client credentials"), SubjectSecret, ResultWrong, "", "no enabled client archival-service in this realm"},
		{"empty refusal", func(i *realm, _ *Config) { i.status, i.answer = 403, "" }, SubjectSecret, ResultWrong, "refused the client with 403", "CLIENT_LOGIN_ERROR"},
		{"not decoded", refused(400, "unauthorized_client", "Unexpected error when authenticating client"), SubjectSecret, ResultWrong, "", "leave SkipFormEncoding off"},
		{"no public key", refused(400, "invalid_client", "Unable to load public key"), SubjectSecret, ResultWrong, "", "KeyID"},
		{"another key", refused(400, "invalid_client", "Client authentication with signed JWT failed: Signature on JWT token failed validation"), SubjectSecret, ResultWrong, "", "belongs to another private key"},
		{"another secret", refused(400, "unauthorized_client", "Client authentication with client secret signed JWT failed: Signature on JWT token by client secret  failed validation"), SubjectSecret, ResultWrong, "", "the secret there is another one"},
		{"secret not readable", func(_ *realm, c *Config) {
			c.ClientSecret, c.Auth = "", SecretBasic{Secret: FromEnv("CLIENTCREDS_TEST_UNSET")}
		}, SubjectSecret, ResultWrong, "is not set", "nothing was sent"},
		{"secret panics", func(_ *realm, c *Config) {
			c.ClientSecret, c.Auth = "", SecretBasic{Secret: func(context.Context) ([]byte, error) { panic("p1anted") }}
		}, SubjectSecret, ResultWrong, "panic of type string", "mend the code"},

		{"assertion's audience", refused(400, "invalid_client", "Invalid token audience"), SubjectAudience, ResultWrong, "", "leave the method's Audience empty"},
		{"somebody else's assertion's audience", func(i *realm, c *Config) {
			c.ClientSecret, c.Auth = "", Assertion{Token: static("ey9.foreign.assertion")}
			refused(400, "invalid_client", "Invalid token audience")(i, c)
		}, SubjectAudience, ResultWrong, "", "serviceAccountToken.audience"},
		{"somebody else's assertion again", func(i *realm, c *Config) {
			c.ClientSecret, c.Auth = "", Assertion{Token: static("ey9.foreign.assertion")}
			refused(400, "invalid_client", "Token reuse detected")(i, c)
		}, SubjectMethod, ResultWrong, "", "reuse of client assertions"},
		{"somebody else's assertion", func(i *realm, c *Config) {
			c.ClientSecret, c.Auth = "", Assertion{Token: static("ey9.foreign.assertion")}
			refused(401, "invalid_client", "Invalid client or Invalid client credentials")(i, c)
		}, SubjectSecret, ResultWrong, "", "must accept client assertions"},
		{"client wants a certificate", refused(400, "invalid_client", "Missing client_id parameter"), SubjectMethod, ResultWrong, "", "set Auth to MutualTLS"},
		{"assertion's audiences", refused(400, "invalid_client", "Multiple audiences not allowed"), SubjectAudience, ResultWrong, "", "Audience"},
		{"no audience", func(i *realm, _ *Config) {
			i.answer = `{"access_token":"` + jwt(`{"iss":"`+testIssuer+`"}`) + `"}`
		}, SubjectAudience, ResultWarning, "aud is []", "archival-service-dedicated > Add mapper > Audience"},
		{"aud account", func(i *realm, _ *Config) {
			i.answer = `{"access_token":"` + jwt(`{"iss":"`+testIssuer+`","aud":"account","azp":"archival-service"}`) + `"}`
		}, SubjectAudience, ResultWarning, `aud is [account], azp "archival-service", roles []`, "Add mapper > Audience"},
		{"not the resource", func(_ *realm, c *Config) { c.Params = url.Values{"audience": {"orders"}} }, SubjectAudience, ResultWarning, "aud is [messages-service account]", "Audience"},
		{"resource", refused(400, "invalid_target", ""), SubjectAudience, ResultWrong, "", "Resources"},

		{"clock behind", func(i *realm, _ *Config) { i.date = 40 * time.Second }, SubjectClock, ResultWarning, "this machine's clock is 40s behind the issuer's", "NTP"},
		{"clock ahead", func(i *realm, c *Config) { i.date = -40 * time.Second; byAssertion(i, c) }, SubjectClock, ResultWarning, "this machine's clock is 39s ahead of the issuer's", "15 seconds ahead or a minute behind"},
		{"clock by iat", func(i *realm, _ *Config) {
			i.date = -1
			i.answer = fmt.Sprintf(`{"access_token":"%s"}`, jwt(strings.TrimSuffix(goodClaims, "}")+fmt.Sprintf(`,"iat":%d}`, time.Now().Unix()+90)))
		}, SubjectClock, ResultWarning, "1m30s behind", "NTP"},
		{"clock unknown", func(i *realm, _ *Config) { i.date = -1 }, SubjectClock, ResultUnknown, "does not tell the issuer's time", ""},
		{"assertion too old", refused(400, "invalid_client", "Token is not active"), SubjectClock, ResultWrong, "", "NTP"},
		{"assertion too new", refused(400, "invalid_client", "Token was issued in the future"), SubjectClock, ResultWrong, "", "NTP"},
		{"assertion too long", refused(400, "invalid_client", "Token expiration is too far in the future and iat claim not present in token"), SubjectClock, ResultWrong, "", "60 seconds"},
		{"assertion without end", refused(400, "invalid_client", "Token exp claim is required"), SubjectClock, ResultWrong, "", "60 seconds"},

		{"scope refused", refused(400, "invalid_scope", "Invalid scopes: orders"), SubjectScope, ResultWrong, "invalid_scope", "Default or Optional"},
		{"scope not granted", func(_ *realm, c *Config) { c.Scopes = []string{"openid", "orders"} }, SubjectScope, ResultWarning, `not granted: ["orders"]`, "Client scopes: add them"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				i := newRealm(goodClaims)
				source := newTestSource(t, &i.script, discovering, func(c *Config) { tt.change(i, c) })
				d := source.Diagnose(t.Context())
				assert.Equal(t, "archival-service", d.ClientID)
				assert.Equal(t, testIssuer, d.From)
				assert.Equal(t, tt.result != ResultWrong && tt.name != "method not listed", d.OK())
				require.Len(t, d.Checks, 7)
				if tt.subject == "" {
					for _, c := range d.Checks {
						assert.Equal(t, ok[c.Subject], c.Result, "%s: %s", c.Subject, c.Found)
						assert.Empty(t, c.Mend)
					}
					assert.Equal(t, `the token's aud is [messages-service account], azp "archival-service", roles [ROLE_ADMIN_JOB account/view-profile]`, d.Check(SubjectAudience).Found)
				} else {
					got := d.Check(tt.subject)
					assert.Equal(t, tt.result, got.Result, "%s", d)
					assert.Contains(t, got.Found, tt.found)
					assert.Contains(t, got.Mend, tt.mend)
					for _, c := range d.Checks {
						if c.Subject != tt.subject && tt.name != "method not listed" {
							assert.NotEqual(t, ResultWrong, c.Result, "one thing is to blame: %s", d)
						}
					}
				}
				assert.NotContains(t, d.String(), "p1anted")
				assert.NotContains(t, d.String(), "{client}")
				assert.Equal(t, StateNone, source.Status().State, "the source is as it was")
				assert.Equal(t, 0, source.Status().Failures)
			})
		})
	}
}

func TestDiagnoseWithTokenURL(t *testing.T) {
	i := newRealm(goodClaims)
	d := newTestSource(t, &i.script).Diagnose(t.Context())
	assert.True(t, d.OK())
	assert.Equal(t, ResultUnknown, d.Check(SubjectIssuer).Result)
	assert.Equal(t, "client_secret_basic, which the issuer took", d.Check(SubjectMethod).Found)
	assert.Equal(t, 1, i.count())
	opaque := newRealm("")
	opaque.answer = `{"access_token":"opaque"}`
	d = newTestSource(t, &opaque.script).Diagnose(t.Context())
	assert.Equal(t, "the token is opaque", d.Check(SubjectAudience).Found)
	assert.Equal(t, "the issuer says nothing, which means as asked for", d.Check(SubjectScope).Found)
	assert.Equal(t, Check{}, d.Check("other"))
}

func TestDiagnoseEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := newTestSource(t, &script{next: hang})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		d := source.Diagnose(ctx)
		assert.Equal(t, time.Second, time.Since(began))
		assert.Equal(t, ResultWrong, d.Check(SubjectDiscovery).Result)
	})
}

func TestDiagnoseSourcesThatAreNone(t *testing.T) {
	assert.False(t, new(Source).Diagnose(t.Context()).OK())
	bad := newTestSource(t, &script{}).For(Target{Scopes: []string{"a b"}})
	assert.ErrorContains(t, fmt.Errorf("%s", bad.Diagnose(t.Context())), "has a space in it")
}

func TestDiagnoseFindsAnExpiredCertificate(t *testing.T) {
	issuer := newMTLSIssuer(t)
	issuer.aside = issuer.URL + "/mtls/token"
	source, files := newMTLSSource(t, issuer, func(c *Config) { c.Issuer, c.TokenURL = issuer.URL, "" })
	assert.Equal(t, ResultOK, source.Diagnose(t.Context()).Check(SubjectSecret).Result)
	certificate(t, files, "nobody", time.Now().Add(-time.Hour))
	got := source.Diagnose(t.Context()).Check(SubjectSecret)
	assert.Equal(t, ResultWrong, got.Result)
	assert.Contains(t, got.Found, "the client's certificate ended on 2")
	require.NoError(t, os.Remove(files.CertFile))
	assert.Contains(t, source.Diagnose(t.Context()).Check(SubjectSecret).Found, "no such file")
}

// TestDiagnosisHoldsNoSecret plants secrets in everything that an issuer may echo and a configuration may hold.
func TestDiagnosisHoldsNoSecret(t *testing.T) {
	for _, status := range []int{200, 401} {
		i := newRealm(`{"iss":"x","aud":["` + strings.Repeat("a\\u0000\\n", 500) + `"],"azp":"z"}`)
		i.status = status
		if status != 200 {
			i.answer = `{"error":"invalid_client","error_description":"you sent ` + testSecret + `"}`
		}
		source := newTestSource(t, &i.script, func(c *Config) {
			c.TokenURL = "https://issuer.example/token?key=p1anted"
			c.Params = url.Values{"password": {"p1anted"}}
		})
		d := source.Diagnose(t.Context())
		b, err := json.Marshal(d)
		require.NoError(t, err)
		var log bytes.Buffer
		newLogger(&log).Info("diagnosis", "d", d)
		token := jwt(`{"iss":"x"`)[:20]
		for _, printed := range []string{d.String(), fmt.Sprintf("%v %+v %#v %q", d, d, d, d), string(b), log.String()} {
			assert.NotContains(t, printed, "p1anted")
			assert.NotContains(t, printed, token)
			assert.NotContains(t, printed, "\x00")
			assert.Less(t, len(printed), 9000)
		}
		assert.Contains(t, log.String(), "d.secret.result=")
		assert.Contains(t, string(b), fmt.Sprintf(`"ok":%v`, status == 200))
		assert.Contains(t, string(b), `{"subject":"secret","result":"`)
	}
}
