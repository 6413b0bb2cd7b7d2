package archival

import (
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/svcauth/svcauth/examples/realm"
	"github.com/svcauth/svcauth/keycloak/keycloaktest"
)

// The service answers as the Spring Boot service of the articles did, or better: POST /api/messages/archive, which needs ADMIN. The job's role is not enough here.
// Each row has the status of the original, our answer, and the reason where it is another.
func TestReferenceTokens(t *testing.T) {
	sivalabs := sivalabs()
	person := func(token keycloaktest.Token) string { token.User = "admin"; return sivalabs.Token(token) }
	claim := func(claims object) string { return person(keycloaktest.Token{Claims: claims}) }
	someone := func(roles ...string) string {
		return person(keycloaktest.Token{Roles: append([]string{}, roles...)})
	}
	service := func(roles ...string) string {
		return sivalabs.Token(keycloaktest.Token{Client: "archival-service", Audience: []string{"archival-service"}, Roles: append([]string{}, roles...)})
	}
	idToken := func(user string, audience ...string) string {
		return sivalabs.Token(keycloaktest.Token{User: user, Type: "ID", Audience: audience})
	}
	admin, user := person(keycloaktest.Token{}), sivalabs.Token(keycloaktest.Token{User: "user"})
	kid := headerOf(t, admin)["kid"]
	jwk, der, key := signingKey(t, sivalabs)
	assert.Equal(t, kid, jwk["kid"])

	// An attacker has the same realm, but never its keys.
	attacker := keycloaktest.NewServer(keycloaktest.Config{RealmJSON: realm.JSON})
	t.Cleanup(attacker.Close)
	theirs, _, _ := signingKey(t, attacker)
	forged := func(header object) string {
		return attacker.Token(keycloaktest.Token{User: "admin", Claims: object{"iss": sivalabs.Issuer()}, Header: header})
	}

	unsigned, signature := cutSignature(admin)
	part := strings.Split(admin, ".")
	flipped := "A" + signature[1:]
	if signature[0] == 'A' {
		flipped = "B" + signature[1:]
	}
	_, usersSignature := cutSignature(user)
	none := func(alg string) string {
		input, _ := cutSignature(reheaded(t, admin, object{"alg": alg}))
		return input + "."
	}

	const (
		noAPI   = "an ID token tells a client who signed in; it opens no API"
		noRoles = "a token without realm_access is a good token without roles; the original failed on it"
	)
	rows := []struct {
		name     string
		token    string
		original int
		ours     outcome
		better   string
	}{
		{"none", "", 401, stranger, ""},
		{"user_admin", admin, 200, success, ""},
		{"user_user", user, 403, forbidden, ""},
		{"siva", someone("ROLE_USER", "ROLE_ADMIN"), 200, success, ""},
		{"prasad", someone("default-roles-sivalabs"), 403, forbidden, ""},
		{"svc_archival", service("ROLE_ADMIN_JOB", "default-roles-sivalabs"), 403, forbidden, ""},
		{"svc_archival as shipped", sivalabs.Token(keycloaktest.Token{Client: "archival-service"}), 403, badAudience, "its token is for messages-service alone"},
		{"svc_admin", service("ROLE_ADMIN"), 200, success, ""},
		{"svc_job", service("ROLE_ADMIN_JOB"), 403, forbidden, ""},
		{"svc_user", service("ROLE_USER"), 403, forbidden, ""},
		{"svc_plain", service("default-roles-sivalabs", "offline_access", "uma_authorization"), 403, forbidden, ""},
		{"svc_no_realm_access", service(), 401, forbidden, noRoles},
		{"lightweight", claim(object{"sub": nil, "realm_access": nil, "resource_access": nil, "aud": nil}), 401, badAudience, ""},
		{"lightweight with aud", claim(object{"sub": nil, "realm_access": nil, "preferred_username": nil}), 401, forbidden, noRoles},
		{"aud_account_only", claim(object{"aud": "account"}), 200, badAudience, "a token that was issued for another service is not for this one"},

		{"id_admin", idToken("admin", "messages-webapp"), 200, badAudience, noAPI},
		{"id_admin for us", idToken("admin", "archival-service"), 200, notAccessToken, noAPI},
		{"id_user", idToken("user", "archival-service"), 403, notAccessToken, noAPI},
		{"refresh_admin", reheaded(t, admin, object{"alg": "HS512", "kid": "00000000-0000-4000-8000-000000000000"}), 401, badAlgorithm, ""},
		{"wrong_issuer", claim(object{"iss": strings.Replace(sivalabs.Issuer(), "127.0.0.1", "localhost", 1)}), 401, badIssuer, ""},
		{"other_realm", attacker.Token(keycloaktest.Token{User: "admin"}), 401, badIssuer, ""},
		{"expired", person(keycloaktest.Token{Lifetime: -65 * time.Second}), 401, expired, ""},

		{"garbage_word", "garbage", 401, malformed, ""},
		{"garbage_dots2", "a.b", 401, malformed, ""},
		{"garbage_dots3", "a.b.c", 401, malformed, ""},
		{"garbage_dots5", "a.b.c.d.e", 401, malformed, ""},
		{"garbage_hdr_json", encode([]byte(`{"alg":`)) + "." + part[1] + "." + signature, 401, malformed, ""},
		{"garbage_charset", "abc$def", 401, malformedHeader, ""},

		{"wrong_sig_flip", unsigned + "." + flipped, 401, badSignature, ""},
		{"sig_removed", unsigned + ".", 401, malformed, ""},
		{"two_parts", unsigned, 401, malformed, ""},
		{"payload_swapped", unsigned + "." + usersSignature, 401, badSignature, ""},
		{"wrong_key_same_kid", forged(object{"kid": kid}), 401, badSignature, ""},
		{"unknown_kid", forged(object{"kid": "no-such-kid"}), 401, unknownKey, ""},
		{"no_kid", forged(object{"kid": nil}), 401, unknownKey, ""},
		{"alg_none", none("none"), 401, malformed, ""},
		{"alg_None", none("None"), 401, malformed, ""},
		{"alg_none_keepsig", reheaded(t, admin, object{"alg": "none"}), 401, badAlgorithm, ""},
		{"hs256_pem", hs256(t, admin, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), 401, badAlgorithm, ""},
		{"hs256_der", hs256(t, admin, der), 401, badAlgorithm, ""},
		{"hs256_n", hs256(t, admin, key.N.Bytes()), 401, badAlgorithm, ""},
		{"embedded_jwk", forged(object{"jwk": theirs}), 401, unknownKey, ""},
		{"jku", forged(object{"jku": attacker.Issuer() + "/protocol/openid-connect/certs"}), 401, unknownKey, ""},
		{"crit", forged(object{"kid": kid, "crit": []string{"exp"}}), 401, badHeader, ""},
		{"rs512_header", reheaded(t, admin, object{"alg": "RS512"}), 401, badAlgorithm, ""},
		{"alg_missing", reheaded(t, admin, object{"alg": nil}), 401, malformed, ""},
	}
	messages := newMessagesService(t, 200)
	s, _ := newService(t, sivalabs.Issuer(), messages.URL)
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			compare(t, row.original, row.ours, row.better)
			_, before := messages.seen()
			row.ours.check(t, call(s, "POST", "/api/messages/archive", row.token).Result())
			_, after := messages.seen()
			assert.Equal(t, row.ours == success, after == before+1, "what is refused goes no further")
		})
	}
}

// Methods and paths that no route has: the caller is authenticated before it is told anything.
func TestReferenceRouting(t *testing.T) {
	s, _ := newService(t, sivalabs().Issuer(), newMessagesService(t, 200).URL)
	user := sivalabs().Token(keycloaktest.Token{User: "user"})
	for _, row := range []struct {
		method, path string
		known        int
		allow        string
	}{
		{"GET", "/nope", 404, ""},
		{"GET", "/error", 404, ""},
		{"GET", "//nope", 404, ""},
		{"GET", "/api/messages/archive", 405, "POST"},
		{"HEAD", "/api/messages/archive", 405, "POST"},
		{"OPTIONS", "/api/messages/archive", 405, "POST"},
	} {
		t.Run(row.method+" "+row.path, func(t *testing.T) {
			resp := call(s, row.method, row.path, "").Result()
			stranger.check(t, resp)
			assert.Empty(t, resp.Header.Get("Allow"), "strangers learn nothing of the routes")
			resp = call(s, row.method, row.path, user).Result()
			outcome{row.known, ""}.check(t, resp)
			assert.Equal(t, row.allow, resp.Header.Get("Allow"))
		})
	}
}

// The issuer is down when the service starts. The original did not start at all.
func TestReferenceIssuerUnreachable(t *testing.T) {
	issuer := keycloaktest.NewServer(keycloaktest.Config{RealmJSON: realm.JSON})
	t.Cleanup(issuer.Close)
	issuer.SetDown(true)
	s, _ := newService(t, issuer.Issuer(), newMessagesService(t, 200).URL)
	for _, row := range []struct {
		name, token string
		ours        outcome
	}{
		{"no token", "", stranger},
		{"valid-looking token", issuer.Token(keycloaktest.Token{User: "admin"}), noKeys},
		{"garbage", "garbage", malformed},
	} {
		t.Run(row.name, func(t *testing.T) { row.ours.check(t, call(s, "POST", "/api/messages/archive", row.token).Result()) })
	}
}
