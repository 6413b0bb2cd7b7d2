package clientcreds

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCredentialsThatCannotBeUsed(t *testing.T) {
	ec := static(pkcs8(testKeys.ec()))
	for _, tt := range []struct {
		name string
		auth ClientAuth
		want string
	}{
		{"no key", PrivateKeyJWT{Key: static("")}, "the secret is empty"},
		{"a password", PrivateKeyJWT{Key: static("p1anted")}, "private key: it is neither PEM nor a JWK"},
		{"another kind", PrivateKeyJWT{Key: ec, Algorithm: "RS256"}, `private key: algorithm "RS256" does not fit the key, which is for ES256`},
		{"key out of reach", PrivateKeyJWT{Key: func(context.Context) ([]byte, error) { return nil, errors.New("vault is sealed") }}, "vault is sealed"},
		{"secret out of reach", SecretJWT{Secret: FromEnv("CLIENTCREDS_TEST_UNSET")}, "is not set"},
		{"two lines", Assertion{Token: static("a.b.c\na.b.c")}, "the assertion has characters that no assertion may have"},
		{"nil assertion", Assertion{}, "the secret is nil"},
		{"no certificate", MutualTLS{CertFile: "/nonexistent/tls.crt", KeyFile: "k"}, `certificate file "/nonexistent/tls.crt": no such file or directory`},
	} {
		issuer := &script{next: tokens(time.Minute)}
		source := newTestSource(t, issuer)
		source.client.auth, source.client.issuer = tt.auth, testIssuer // as New would, but for its checks
		_, err := source.Token()
		assert.ErrorIs(t, err, ErrUnavailable, tt.name)
		var failed *Error
		require.ErrorAs(t, err, &failed)
		assert.Equal(t, ClassCredential, failed.Class, tt.name)
		assert.ErrorContains(t, err, tt.want, tt.name)
		assert.NotContains(t, err.Error(), "p1anted")
		assert.Equal(t, 0, issuer.count(), "nothing is sent")
	}
	form := url.Values{"client_id": {"c"}}
	assert.ErrorContains(t, SecretJWT{Secret: static("s")}.AuthenticateClient(t.Context(), "", nil, form), "set Audience", "a literal that New did not see")
	assert.ErrorContains(t, SecretJWT{Secret: static("s")}.AuthenticateClient(t.Context(), "i", nil, url.Values{}), "has no id")
}

func TestAssertion(t *testing.T) {
	reads := 0
	renewed := func(context.Context) ([]byte, error) { reads++; return fmt.Appendf(nil, "a.b.%d", reads), nil }
	issuer := &script{next: tokens(time.Minute)}
	source := newTestSource(t, issuer, func(c *Config) { c.ClientID, c.ClientSecret, c.Auth = "", "", Assertion{Token: renewed} })
	token(t, source)
	token(t, source.For(Target{Scopes: []string{"a"}}))
	assert.Equal(t, url.Values{"grant_type": {"client_credentials"}, "client_assertion_type": {AssertionTypeJWTBearer}, "client_assertion": {"a.b.1"}}, issuer.call(0).form)
	assert.Equal(t, "a.b.2", issuer.call(1).form.Get("client_assertion"), "read again for each request")
	form, _ := authenticated(t, Assertion{Token: static("a.b.c"), Type: AssertionTypeJWTSPIFFE}, "", "c")
	assert.Equal(t, "urn:ietf:params:oauth:client-assertion-type:jwt-spiffe", form.Get("client_assertion_type"))
	assert.Equal(t, "c", form.Get("client_id"), "one that is configured is sent")
}

// TestRefusedAssertionIsSentAgainOnlyIfItsKeyWasRotated: an assertion is another each time, which must not pass for a rotated credential.
func TestRefusedAssertionIsSentAgainOnlyIfItsKeyWasRotated(t *testing.T) {
	for _, rotate := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			reads := 0
			secret := func(context.Context) ([]byte, error) {
				if reads++; rotate {
					return fmt.Appendf(nil, "secret-%d", reads), nil
				}
				return []byte("secret"), nil
			}
			var seen []any
			issuer := &script{next: func(_ int, r *http.Request) (*http.Response, error) { return reply(400, `{"error":"invalid_client"}`) }}
			source := newTestSource(t, issuer, func(c *Config) {
				c.TokenURL, c.Issuer, c.ClientSecret, c.Auth = testTokenURL, "", "", SecretJWT{Secret: secret, Audience: testIssuer}
			})
			_, err := source.Token()
			assert.ErrorIs(t, err, ErrRefused)
			want := 1
			if rotate {
				want = 2
			}
			require.Equal(t, want, issuer.count())
			for i := range want {
				seen = append(seen, decode(t, issuer.call(i).form.Get("client_assertion")).claims["jti"])
			}
			if rotate {
				assert.NotEqual(t, seen[0], seen[1])
			}
		})
	}
}

// TestDescriptionsOfAssertionFaultsAreShown: the assertion's type is not a secret, and shares words with what issuers say of it.
func TestDescriptionsOfAssertionFaultsAreShown(t *testing.T) {
	for _, auth := range []ClientAuth{SecretJWT{Secret: static("s3cr3t-s3cr3t"), Audience: "a"}, Assertion{Token: static("aaaaaaaa.bbbbbbbb.cccccccc")}} {
		for said, want := range map[string]string{
			"Parameter client_assertion_type is missing": "Parameter client_assertion_type is missing",
			"client-assertion-type:jwt-bearer is odd":    "client-assertion-type:jwt-bearer is odd",
			"bad: aaaaaaaa.bbbbbbbb":                     "(withheld: it repeats a part of the credential)",
		} {
			if _, minted := auth.(SecretJWT); minted && strings.HasPrefix(said, "bad") {
				continue
			}
			issuer := &script{next: func(int, *http.Request) (*http.Response, error) {
				return reply(400, fmt.Sprintf(`{"error":"invalid_client","error_description":%q}`, said))
			}}
			_, err := newTestSource(t, issuer, func(c *Config) { c.ClientSecret, c.Auth = "", auth }).Token()
			var failed *Error
			require.ErrorAs(t, err, &failed)
			assert.Equal(t, want, failed.Description)
		}
	}
	var echoed string
	issuer := &script{}
	issuer.next = func(n int, _ *http.Request) (*http.Response, error) {
		echoed = issuer.call(n - 1).form.Get("client_assertion")
		return reply(400, fmt.Sprintf(`{"error":"invalid_client","error_description":"got %s"}`, echoed[:150]))
	}
	_, err := newTestSource(t, issuer, func(c *Config) { c.ClientSecret, c.Auth = "", SecretJWT{Secret: static("s"), Audience: "a"} }).Token()
	assert.NotContains(t, err.Error(), echoed[:20], "the assertion itself is one")
	assert.ErrorContains(t, err, "withheld")
}

func TestSkipFormEncoding(t *testing.T) {
	_, header := authenticated(t, SecretBasic{Secret: static("s3cr3t%+ /:ü"), SkipFormEncoding: true}, "", "c d")
	assert.Equal(t, "Basic "+base64.StdEncoding.EncodeToString([]byte("c d:s3cr3t%+ /:ü")), header.Get("Authorization"))
}

// TestSecretsOfTheMethodsAreNotPrinted is the methods' part of TestNothingPrintsASecret.
func TestSecretsOfTheMethodsAreNotPrinted(t *testing.T) {
	secret := static("p1anted")
	for _, auth := range []ClientAuth{
		SecretBasic{Secret: secret}, SecretPost{Secret: secret}, SecretJWT{Secret: secret, Audience: "https://me:p1anted@issuer.example/?k=p1anted"},
		PrivateKeyJWT{Key: secret, KeyID: "k", Algorithm: "ES256"}, Assertion{Token: secret}, MutualTLS{CertFile: "/tls.crt", KeyFile: "/tls.key"},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			printed := fmt.Sprintf(verb, auth) + fmt.Sprintf(verb, Config{Auth: auth}) + fmt.Sprintf(verb, struct{ A ClientAuth }{auth})
			assert.NotContains(t, printed, "p1anted")
			assert.NotContains(t, printed, hexOf("p1anted"))
			assert.NotContains(t, printed, fmt.Sprintf("%v", secret), "no address of a function either")
		}
		b, err := json.Marshal(auth)
		require.NoError(t, err)
		assert.NotContains(t, string(b), "p1anted")
		assert.Contains(t, string(b), `"method":"`+methodOf(auth)+`"`)
		var log bytes.Buffer
		newLogger(&log).Info("x", "auth", auth)
		assert.NotContains(t, log.String(), "p1anted")
		assert.Contains(t, log.String(), methodOf(auth))
	}
}
