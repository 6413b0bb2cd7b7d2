package integration

import (
	"io"
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/svcauth/svcauth/clientcreds"
)

// method is one way for a client to authenticate: what the realm knows of the client, what the client shows, and what is answered to something wrong.
type method struct {
	name         string // the client's id
	known        object // members of the client
	right, wrong clientcreds.ClientAuth
	status       int
	code         string
}

// methods need the folder that certificates are in, and the issuer of assertions.
func methods(certificates string, from workloads) []method {
	odd, wrong := given(oddSecret), given(wrongSecret)
	hmac := func(algorithm string) (right, wrong clientcreds.ClientAuth) {
		return clientcreds.SecretJWT{Secret: given(longSecret), Algorithm: algorithm}, clientcreds.SecretJWT{Secret: given(wrongSecret), Algorithm: algorithm}
	}
	jwk := func(key keyPair, algorithm string) (right, wrong clientcreds.ClientAuth) {
		return clientcreds.PrivateKeyJWT{Key: privateJWK(key.known, algorithm)}, clientcreds.PrivateKeyJWT{Key: privateJWK(key.unknown, algorithm)}
	}
	pem := func(key keyPair, id string) (right, wrong clientcreds.ClientAuth) {
		return clientcreds.PrivateKeyJWT{Key: privatePEM(key.known), KeyID: id}, clientcreds.PrivateKeyJWT{Key: privatePEM(key.unknown), KeyID: id}
	}
	plain, anotherPlain := clientcreds.SecretBasic{Secret: given(longSecret), SkipFormEncoding: true}, clientcreds.SecretBasic{Secret: wrong, SkipFormEncoding: true}
	hs256, anotherHS256 := hmac("") // the default
	hs512, anotherHS512 := hmac("HS512")
	rs256, anotherRS256 := jwk(rsaKeys(), "RS256")
	ps256, anotherPS256 := jwk(rsaKeys(), "PS256")
	es256, anotherES256 := jwk(ecKeys(), "ES256")
	eddsa, anotherEdDSA := jwk(edKeys(), "EdDSA")
	named, anotherNamed := pem(edKeys(), signingKeyID)
	nameless, anotherNameless := pem(rsaKeys(), "")
	archiver, stranger := clientcreds.Assertion{Token: from.assertion("archiver")}, clientcreds.Assertion{Token: from.assertion("stranger")}

	return []method{
		{"SecretBasic", withSecret(oddSecret), clientcreds.SecretBasic{Secret: odd}, clientcreds.SecretBasic{Secret: wrong}, 401, "unauthorized_client"},
		{"SecretBasic, SkipFormEncoding", withSecret(longSecret), plain, anotherPlain, 401, "unauthorized_client"},
		{"SecretPost", withSecret(oddSecret), clientcreds.SecretPost{Secret: odd}, clientcreds.SecretPost{Secret: wrong}, 401, "unauthorized_client"},

		{"SecretJWT HS256", withSecretJWT(longSecret, "HS256"), hs256, anotherHS256, 400, "unauthorized_client"},
		{"SecretJWT HS512", withSecretJWT(longSecret, "HS512"), hs512, anotherHS512, 400, "unauthorized_client"},

		{"PrivateKeyJWT RS256", withPublicKey(rsaKeys().known, "RS256"), rs256, anotherRS256, 400, "invalid_client"},
		{"PrivateKeyJWT PS256", withPublicKey(rsaKeys().known, "PS256"), ps256, anotherPS256, 400, "invalid_client"},
		{"PrivateKeyJWT ES256", withPublicKey(ecKeys().known, "ES256"), es256, anotherES256, 400, "invalid_client"},
		{"PrivateKeyJWT EdDSA", withPublicKey(edKeys().known, "EdDSA"), eddsa, anotherEdDSA, 400, "invalid_client"},
		{"PrivateKeyJWT, PEM", withPublicKey(edKeys().known, "EdDSA"), named, anotherNamed, 400, "invalid_client"},
		{"PrivateKeyJWT, PEM and certificate", withCertificate(rsaKeys().known), nameless, anotherNameless, 400, "invalid_client"},

		{"MutualTLS", withSubjectDN("CN=archiver"), pair(certificates, "archiver"), pair(certificates, "stranger"), 401, "invalid_client"},
		{"Assertion", withFederatedSubject(workloadRealm, archiverSubject), archiver, stranger, 401, "invalid_client"},
	}
}

// TestClientAuthentication: each method brings a token that a resource server takes, and something wrong in it is refused with the error that is documented.
func TestClientAuthentication(t *testing.T) {
	realm := newAuthRealm(t)
	for _, m := range realm.methods {
		t.Run(m.name, func(t *testing.T) {
			source := realm.source(t, m.name, m.right)
			response, err := source.Client(&http.Client{Timeout: client.Timeout}).Get(realm.service)
			require.NoError(t, err)
			body, err := io.ReadAll(response.Body)
			response.Body.Close()
			require.NoError(t, err)
			assert.Equal(t, http.StatusOK, response.StatusCode, "%s", body)
			assert.Equal(t, m.name, string(body), "the client that the resource server sees")
			diagnosis := source.Diagnose(t.Context())
			assert.True(t, diagnosis.OK(), "%s", diagnosis)

			source = realm.source(t, m.name, m.wrong)
			_, err = source.TokenContext(t.Context())
			realm.refused(t, m.wrong, err, m.status, m.code)
			diagnosis = source.Diagnose(t.Context())
			assert.False(t, diagnosis.OK(), "%s", diagnosis)
			_, err = source.Client(nil).Get(realm.service)
			realm.refused(t, m.wrong, err, m.status, m.code) // remembered
		})
	}
	t.Run("refused", realm.refusals)
	t.Run("certificates", realm.otherCertificates)
	t.Run("assertions", realm.otherAssertions)

	assert.Greater(t, realm.log.count("token obtained"), len(realm.methods))
	for _, secret := range []string{oddSecret, longSecret, wrongSecret, "PRIVATE KEY"} {
		assert.NotContains(t, realm.log.String(), secret)
	}
	assert.NotRegexp(t, jwtBegins, realm.log.String())
}

// jwtBegins matches the base64url of a JSON object that begins with a member.
var jwtBegins = regexp.MustCompile(`\beyJ`)

// refusals is what else Keycloak refuses.
func (a *authentication) refusals(t *testing.T) {
	secret := clientcreds.SecretBasic{Secret: given(oddSecret)}
	jwt := clientcreds.PrivateKeyJWT{Key: privateJWK(ecKeys().known, "ES256")}
	elsewhere, anotherKeyID, rs256, plain := jwt, jwt, jwt, secret
	elsewhere.Audience = "https://elsewhere.example"
	anotherKeyID.KeyID = "another"
	rs256.Key, rs256.KeyID = privatePEM(rsaKeys().known), signingKeyID
	plain.SkipFormEncoding = true

	for _, c := range []struct {
		name, client string
		auth         clientcreds.ClientAuth
		status       int
		code         string
		description  string
	}{
		{"unknown client", "nobody", secret, 401, "invalid_client", "Invalid client or Invalid client credentials"},
		{"special characters that are not form-encoded", "SecretBasic", plain, 400, "unauthorized_client", "Unexpected error when authenticating client"},
		{"a secret where a JWT is wanted", "PrivateKeyJWT ES256", secret, 400, "invalid_client", "Parameter client_assertion_type is missing"},
		{"a JWT where a secret is wanted", "SecretBasic", jwt, 401, "unauthorized_client", "Invalid client or Invalid client credentials"},
		{"a secret where a certificate is wanted", "MutualTLS", secret, 400, "invalid_client", "Missing client_id parameter"},
		{"a JWT for another audience", "PrivateKeyJWT ES256", elsewhere, 400, "invalid_client", "Invalid token audience"},
		{"a JWT with another algorithm", "PrivateKeyJWT PS256", rs256, 400, "invalid_client", "Invalid signature algorithm"},
		{"a JWT with another kid", "PrivateKeyJWT ES256", anotherKeyID, 400, "invalid_client", "Unable to load public key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := a.source(t, c.client, c.auth).TokenContext(t.Context())
			failed := a.refused(t, c.auth, err, c.status, c.code)
			assert.Equal(t, c.description, failed.Description)
		})
	}
}

// refused checks what is documented of the error of a permanent failure.
func (a *authentication) refused(t *testing.T, auth clientcreds.ClientAuth, err error, status int, code string) *clientcreds.Error {
	t.Helper()
	var failed *clientcreds.Error
	require.ErrorAs(t, err, &failed)
	assert.ErrorIs(t, err, clientcreds.ErrRefused)
	assert.NotErrorIs(t, err, clientcreds.ErrUnavailable)
	assert.Equal(t, clientcreds.ClassRefused, failed.Class)
	assert.Equal(t, status, failed.Status, "%v", err)
	assert.Equal(t, code, failed.Code, "%v", err)
	assert.NotEmpty(t, failed.Description)
	endpoint := a.secureURL(authRealm) + tokenPath
	if _, ok := auth.(clientcreds.MutualTLS); ok {
		endpoint = a.mtlsTokenURL
	}
	assert.Equal(t, endpoint, failed.Endpoint)
	assert.Positive(t, failed.RetryIn)
	assert.LessOrEqual(t, failed.RetryIn, 5*time.Second)
	return failed
}
