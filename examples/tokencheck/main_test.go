package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/svcauth/svcauth/clientcreds"
	"github.com/svcauth/svcauth/keycloak/keycloaktest"
)

type env = map[string]string

// setEnv sets exactly these variables of the program; the others count as not set.
func setEnv(t *testing.T, env env) {
	t.Helper()
	for _, variable := range variables {
		t.Setenv(variable, env[variable])
	}
	for _, variable := range []string{"TOKEN", secretVariable, "NO_COLOR"} {
		t.Setenv(variable, env[variable])
	}
}

// stdinOf is a stdin, no terminal, with this text.
func stdinOf(t *testing.T, text string) *os.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "stdin")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	file, err := os.Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { file.Close() })
	return file
}

func startRealm(t *testing.T) *keycloaktest.Server {
	t.Helper()
	realm := keycloaktest.NewServer(keycloaktest.Config{})
	t.Cleanup(realm.Close)
	return realm
}

// call runs the program. Whatever it prints, no secret and no part of a token may be in it.
func call(t *testing.T, stdin string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	status = run(t.Context(), args, stdinOf(t, stdin), &out, &err)
	printed := out.String() + err.String()
	assert.NotContains(t, printed, "eyJ", "how each part of a JWT begins but the signature")
	assert.NotRegexp(t, `[A-Za-z0-9_-]{65}`, printed, "as long as no name here, and as every signature")
	parts := strings.FieldsFunc(strings.TrimPrefix(stdin, "Bearer "), func(r rune) bool { return r == '.' || r == '\n' })
	for _, secret := range append(parts, "job-secret", "webapp-secret", "hunter2") {
		assert.NotContains(t, printed, secret)
	}
	assert.NotContains(t, printed, "\x1b", "no colours: it is no terminal")
	return status, out.String(), err.String()
}

// keyID is the kid of a token.
func keyID(t *testing.T, token string) string {
	t.Helper()
	var header struct{ Kid string }
	text, err := base64.RawURLEncoding.DecodeString(token[:strings.IndexByte(token, '.')])
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &header))
	return header.Kid
}

func TestTokensThatAreThere(t *testing.T) {
	realm, foreign := startRealm(t), startRealm(t)
	foreign.RotateKeys(false) // a key that no realm of this program has
	type token = keycloaktest.Token
	of := func(claims map[string]any) string { return realm.Token(token{Claims: claims}) }
	forged := func(header map[string]any) string {
		return foreign.Token(token{Claims: map[string]any{"iss": realm.Issuer()}, Header: header})
	}
	const flags = "-audience service -role JOB"
	for _, c := range []struct {
		name, token, args string
		status            int
		result, reason    string
		says              string // stands in the text
	}{
		{"good", realm.Token(token{}), flags, 0, accepted, "", "\naccepted\n"},
		{"either role", realm.Token(token{}), "-audience service -role ADMIN,JOB", 0, accepted, "", "rule: want any role of ADMIN, JOB"},
		{"one of the audiences", realm.Token(token{}), "-audience other -audience service", 0, accepted, "", "audience: want other service"},
		{"any audience", of(map[string]any{"aud": "x"}), "-skip-audience-check", 0, accepted, "", "SkipAudienceCheck is set"},
		{"role of a client", of(map[string]any{"resource_access": map[string]any{"service": map[string]any{"roles": []string{"boss"}}}}), "-audience service -client-roles service -role boss", 0, accepted, "", "rule: want role boss"},
		{"role of a claim", of(map[string]any{"https://x.test/roles": []string{"boss"}}), "-audience service -roles-claim https://x.test/roles -role boss", 0, accepted, "", "rule: want role boss"},
		{"a person's", realm.Token(token{User: "alice"}), "-audience service -role ADMIN -role USER -scope email", 0, accepted, "", `name               "Alice Archer"`},

		{"wrong audience", of(map[string]any{"aud": "other"}), flags, 1, refused, "audience_mismatch", "add an Audience mapper for service"},
		{"no audience", realm.Token(token{Audience: []string{}}), flags, 1, refused, "audience_mismatch", `refused     audience: want service, got "[]"`},
		{"missing role", realm.Token(token{}), "-audience service -role ADMIN", 1, refused, "missing_role", `refused     rule: want role ADMIN, got "[ROLE_JOB JOB]"`},
		{"one of two roles", realm.Token(token{}), "-audience service -role JOB -role ADMIN", 1, refused, "missing_role", "passed      rule: want role JOB\n  refused     rule: want role ADMIN"},
		{"missing scope", realm.Token(token{}), "-audience service -scope messages:write", 1, refused, "missing_scope", "refused     rule: want scope messages:write"},
		{"expired", realm.Token(token{Lifetime: -10 * time.Minute}), flags, 1, refused, "expired", ", 10m"},
		{"expired, no leeway", realm.Token(token{Lifetime: -10 * time.Second}), flags + " -leeway 0", 1, refused, "expired", "s ago\n"},
		{"expired, leeway", realm.Token(token{Lifetime: -10 * time.Second}), flags, 0, accepted, "", "give or take 1m0s"},
		{"not yet valid", of(map[string]any{"nbf": time.Now().Unix() + 200}), flags, 1, refused, "not_yet_valid", ", in 3m1"},
		{"wrong issuer", foreign.Token(token{}), flags, 1, refused, "issuer_mismatch", "refused     issuer: want " + realm.Issuer() + `, got "` + foreign.Issuer()},
		{"foreign key", forged(nil), flags, 1, refused, "unknown_key", "refused     signature"},
		{"foreign key under our name", forged(map[string]any{"kid": keyID(t, realm.Token(token{}))}), flags, 1, refused, "invalid_signature", "key fetch: 1 usable"},
		{"algorithm", realm.Token(token{}), flags + " -algorithm ES256", 1, refused, "algorithm_not_allowed", `refused     header: want ES256, got "RS256"`},
		{"an ID token", realm.Token(token{User: "alice", Type: "ID", Claims: map[string]any{"aud": "service"}}), flags, 1, refused, "not_an_access_token", "ID token"},
		{"alg none", realm.Token(token{Header: map[string]any{"alg": "none"}}), flags, 1, refused, "algorithm_not_allowed", `"none"`},
		{"too large", of(map[string]any{"x": strings.Repeat("x.", 10_000)}), flags, 1, refused, "token_too_large", "refused     size"},
		{"no JWT", "opaque", flags, 1, refused, "malformed_token", "it is not a JWT"},
		{"no JSON", "YQ.YQ.YQ", flags, 1, refused, "malformed_token", "its header can't be read: it is not a JSON object"},
		{"keys elsewhere", realm.Token(token{}), flags + " -jwks-url " + realm.URL + "/nowhere", 1, unavailable, "keys_unavailable", "/nowhere: status 404"},
	} {
		t.Run(c.name, func(t *testing.T) {
			setEnv(t, env{"OAUTH_SERVER": realm.Issuer()})
			args := append(strings.Fields(c.args), "-token", "-")
			status, text, stderr := call(t, c.token+"\n", args...)
			assert.Equal(t, c.status, status, text)
			assert.Contains(t, text, c.says)
			assert.Empty(t, stderr)

			status, text, stderr = call(t, c.token, append(args, "-json")...)
			assert.Equal(t, c.status, status)
			assert.Empty(t, stderr)
			var r report
			require.NoError(t, json.Unmarshal([]byte(text), &r), text)
			assert.Equal(t, c.result, r.Result)
			assert.Equal(t, c.result == accepted, r.Explanation.Accepted)
			assert.EqualValues(t, c.reason, r.Explanation.Reason)
			assert.Nil(t, r.Diagnosis)
		})
	}
}

func TestTokensThatAreAskedFor(t *testing.T) {
	realm, down := startRealm(t), startRealm(t)
	down.SetDown(true)
	const good = "-client-id job -audience service -role JOB"
	for _, c := range []struct {
		name, args, secret, issuer string
		status                     int
		result, reason             string
		wrong                      clientcreds.Subject // of the Diagnosis
		says                       string              // stands in the text
	}{
		{"good", good, "job-secret", realm.Issuer(), 0, accepted, "", "", "ok       secret     the issuer gave a token"},
		{"in the form", good + " -auth-method client_secret_post", "job-secret", realm.Issuer(), 0, accepted, "", "", "client_secret_post, which the issuer took"},
		{"a scope that is asked for", good + " -request-scope phone -scope phone", "job-secret", realm.Issuer(), 1, unavailable, "", clientcreds.SubjectScope, "invalid_scope"},
		{"without discovery", good + " -token-url " + realm.Realm().TokenURL(), "job-secret", realm.Issuer(), 0, accepted, "", "", "not needed: TokenURL is configured"},
		{"wrong audience", "-client-id job -audience other", "job-secret", realm.Issuer(), 1, refused, "audience_mismatch", "", "add an Audience mapper for other"},
		{"missing role", "-client-id job -audience service -role ADMIN", "job-secret", realm.Issuer(), 1, refused, "missing_role", "", "refused     rule: want role ADMIN"},
		{"a token of another issuer", "-client-id job -audience service -token-url " + realm.Realm().TokenURL(), "job-secret", down.Issuer(), 1, refused, "issuer_mismatch", "", "refused     issuer"},

		{"wrong secret", good, "hunter2", realm.Issuer(), 1, unavailable, "", clientcreds.SubjectSecret, "-> Keycloak: Clients > job > Credentials: compare the secret"},
		{"unknown client", "-client-id nobody -audience service", "hunter2", realm.Issuer(), 1, unavailable, "", clientcreds.SubjectSecret, "-> Keycloak has no enabled client nobody in this realm"},
		{"no service account", "-client-id webapp -audience service", "webapp-secret", realm.Issuer(), 1, unavailable, "", clientcreds.SubjectMethod, "turn Service accounts roles on"},
		{"realm down", good, "job-secret", down.Issuer(), 1, unavailable, "", clientcreds.SubjectDiscovery, "-> see that the issuer runs and can be reached from here"},
		{"no such realm", good, "job-secret", realm.Issuer() + "s", 1, unavailable, "", clientcreds.SubjectDiscovery, "-> see that the issuer runs"},
		{"keys down", good + " -jwks-url " + down.Realm().JWKSURL(), "job-secret", realm.Issuer(), 1, unavailable, "keys_unavailable", "", "refused with 503: keys_unavailable"},
	} {
		t.Run(c.name, func(t *testing.T) {
			setEnv(t, env{"OAUTH_SERVER": c.issuer, secretVariable: c.secret})
			status, text, stderr := call(t, "", strings.Fields(c.args)...)
			assert.Equal(t, c.status, status, text)
			assert.Contains(t, text, c.says)
			assert.Empty(t, stderr)

			status, text, stderr = call(t, "", append(strings.Fields(c.args), "-json")...)
			assert.Equal(t, c.status, status)
			assert.Empty(t, stderr)
			var r report
			require.NoError(t, json.Unmarshal([]byte(text), &r), text)
			assert.Equal(t, c.result, r.Result)
			assert.Equal(t, c.wrong == "", r.Diagnosis.OK())
			i := slices.IndexFunc(r.Diagnosis.Checks, func(c clientcreds.Check) bool { return c.Result == clientcreds.ResultWrong })
			if c.wrong != "" {
				require.GreaterOrEqual(t, i, 0)
				assert.Equal(t, c.wrong, r.Diagnosis.Checks[i].Subject)
				assert.Nil(t, r.Token)
				assert.Nil(t, r.Explanation)
				return
			}
			assert.Negative(t, i)
			assert.EqualValues(t, c.reason, r.Explanation.Reason)
		})
	}
}
