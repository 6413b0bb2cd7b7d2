package messages

import (
	"crypto"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/svcauth/svcauth/keycloak/keycloaktest"
)

// The service answers as the Spring Boot service of the articles did, or better. Each row has the original's statuses for
//
//	POST /api/messages/archive, GET /api/me, GET /api/messages, GET /nope
//
// and, where ours are others, ours and the reason. The third of them is public, and ours is 200 in every row: we look at no token there, for what everybody may
// see needs none, and a client whose token has just expired sees it too. The original refused bad tokens.
func TestReferenceTokens(t *testing.T) {
	type statuses [4]int
	const public = 2
	var (
		allowed   = statuses{200, 200, 200, 404}
		plain     = statuses{403, 200, 200, 404}
		refused   = statuses{401, 401, 401, 401}
		unchanged statuses
	)
	realm := sivalabs()
	admin := realm.Token(keycloaktest.Token{User: "admin"})
	user := realm.Token(keycloaktest.Token{User: "user"})
	person := func(roles ...string) string {
		return realm.Token(keycloaktest.Token{User: "user", Roles: append([]string{}, roles...)})
	}
	service := func(roles ...string) string {
		return realm.Token(keycloaktest.Token{Client: "archival-service", Roles: append([]string{}, roles...)})
	}
	claim := func(claims object) string { return realm.Token(keycloaktest.Token{User: "admin", Claims: claims}) }
	elsewhere := keycloaktest.NewServer(keycloaktest.Config{})
	t.Cleanup(elsewhere.Close)

	header, claims, signature := parts(admin)
	adminParts, userParts := strings.Split(admin, "."), strings.Split(user, ".")
	var h object
	require.NoError(t, json.Unmarshal([]byte(header), &h))
	kid := h["kid"].(string)
	head := func(changes object) string { return asJSON(with(h, changes)) }
	publicKey := publicKeyOf(realm.Issuer()+"/protocol/openid-connect/certs", kid)
	der := must(x509.MarshalPKIXPublicKey(publicKey))
	mine := rs(crypto.SHA256) // an attacker's key

	const idToken = "an ID token tells a client who signed in; it opens no API"
	const noRoles = "a token without realm_access is a good token without roles; the original failed on it"
	rows := []struct {
		name      string
		token     string
		original  statuses
		challenge string // of the archive route, and of each other that refuses the token
		ours      statuses
		better    string
	}{
		{"user_admin", admin, allowed, "", unchanged, ""},
		{"user_user", user, plain, forbidden, unchanged, ""},
		{"siva", person("ROLE_USER", "ROLE_ADMIN"), allowed, "", unchanged, ""},
		{"prasad", person("default-roles-sivalabs"), plain, forbidden, unchanged, ""},
		{"svc_archival", realm.Token(keycloaktest.Token{Client: "archival-service"}), allowed, "", unchanged, ""},
		{"svc_admin", service("ROLE_ADMIN"), allowed, "", unchanged, ""},
		{"svc_job", service("ROLE_ADMIN_JOB"), allowed, "", unchanged, ""},
		{"svc_user", service("ROLE_USER"), plain, forbidden, unchanged, ""},
		{"svc_plain", service("default-roles-sivalabs", "offline_access", "uma_authorization"), plain, forbidden, unchanged, ""},
		{"svc_no_realm_access", service(), refused, forbidden, plain, noRoles},
		{"lightweight", claim(object{"sub": nil, "realm_access": nil, "resource_access": nil, "aud": nil}), refused, badAudience, unchanged, ""},
		{"lightweight with aud", claim(object{"sub": nil, "realm_access": nil, "preferred_username": nil}), refused, forbidden, plain, noRoles},
		{"aud_account_only", claim(object{"aud": "account"}), allowed, badAudience, refused, "a token that was issued for another service is not for this one"},

		{"id_admin", realm.Token(keycloaktest.Token{User: "admin", Type: "ID"}), allowed, badAudience, refused, idToken},
		{"id_admin for us", realm.Token(keycloaktest.Token{User: "admin", Type: "ID", Audience: []string{"messages-service"}}), allowed, notAccessToken, refused, idToken},
		{"id_user", realm.Token(keycloaktest.Token{User: "user", Type: "ID", Audience: []string{"messages-service"}}), plain, notAccessToken, refused, idToken},
		{"refresh_admin", refreshToken(claims), refused, badAlgorithm, unchanged, ""},
		{"wrong_issuer", claim(object{"iss": strings.Replace(realm.Issuer(), "127.0.0.1", "localhost", 1)}), refused, badIssuer, unchanged, ""},
		{"other_realm", elsewhere.Token(keycloaktest.Token{User: "alice"}), refused, badIssuer, unchanged, ""},
		{"expired", realm.Token(keycloaktest.Token{User: "admin", Lifetime: -65 * time.Second}), refused, expired, unchanged, ""},

		{"garbage_word", "garbage", refused, malformed, unchanged, ""},
		{"garbage_dots2", "a.b", refused, malformed, unchanged, ""},
		{"garbage_dots3", "a.b.c", refused, malformed, unchanged, ""},
		{"garbage_dots5", "a.b.c.d.e", refused, malformed, unchanged, ""},
		{"garbage_hdr_json", encode([]byte(`{"alg":`)) + "." + adminParts[1] + "." + signature, refused, malformed, unchanged, ""},
		{"garbage_charset", "abc$def", refused, malformedHeader, unchanged, ""},

		{"wrong_sig_flip", flipped(admin), refused, badSignature, unchanged, ""},
		{"sig_removed", adminParts[0] + "." + adminParts[1] + ".", refused, malformed, unchanged, ""},
		{"two_parts", adminParts[0] + "." + adminParts[1], refused, malformed, unchanged, ""},
		{"payload_swapped", userParts[0] + "." + adminParts[1] + "." + userParts[2], refused, badSignature, unchanged, ""},
		{"wrong_key_same_kid", token(header, claims, mine), refused, badSignature, unchanged, ""},
		{"unknown_kid", token(head(object{"kid": "no-such-kid"}), claims, mine), refused, unknownKey, unchanged, ""},
		{"no_kid", token(head(object{"kid": nil}), claims, mine), refused, unknownKey, unchanged, ""},
		{"alg_none", encode([]byte(head(object{"alg": "none"}))) + "." + adminParts[1] + ".", refused, malformed, unchanged, ""},
		{"alg_None", encode([]byte(head(object{"alg": "None"}))) + "." + adminParts[1] + ".", refused, malformed, unchanged, ""},
		{"alg_none_keepsig", encode([]byte(head(object{"alg": "none"}))) + "." + adminParts[1] + "." + signature, refused, badAlgorithm, unchanged, ""},
		{"hs256_pem", hs256(kid, claims, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), refused, badAlgorithm, unchanged, ""},
		{"hs256_der", hs256(kid, claims, der), refused, badAlgorithm, unchanged, ""},
		{"hs256_n", hs256(kid, claims, publicKey.N.Bytes()), refused, badAlgorithm, unchanged, ""},
		{"embedded_jwk", token(head(object{"kid": "mine", "jwk": object{"kty": "RSA", "n": encode(rsaKey().N.Bytes()), "e": "AQAB"}}), claims, mine), refused, unknownKey, unchanged, ""},
		{"jku", token(head(object{"kid": "rs", "jku": ownIssuer() + "/keys"}), claims, mine), refused, unknownKey, unchanged, ""},
		{"crit", token(head(object{"crit": []string{"exp"}}), claims, mine), refused, badHeader, unchanged, ""},
		{"rs512_header", encode([]byte(head(object{"alg": "RS512"}))) + "." + adminParts[1] + "." + signature, refused, badAlgorithm, unchanged, ""},
		{"alg_missing", encode([]byte(head(object{"alg": nil}))) + "." + adminParts[1] + "." + signature, refused, malformed, unchanged, ""},
	}
	s := newService(t, realm.Issuer())
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			ours := row.ours
			if ours == unchanged {
				ours = row.original
				assert.Empty(t, row.better)
			} else {
				assert.NotEmpty(t, row.better)
			}
			ours[public] = 200
			for i, route := range []struct{ method, path string }{
				{"POST", "/api/messages/archive"}, {"GET", "/api/me"}, {"GET", "/api/messages"}, {"GET", "/nope"},
			} {
				resp := call(s, route.method, route.path, row.token, "", "")
				assert.Equal(t, ours[i], resp.StatusCode, route.path)
				challenge := row.challenge
				if ours[i] != 401 && ours[i] != 403 {
					challenge = ""
				}
				checkRefusal(t, resp, challenge, row.token)
			}
		})
	}
}
