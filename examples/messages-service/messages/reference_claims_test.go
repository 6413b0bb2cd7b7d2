package messages

import (
	"crypto"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Claims and headers that are validly signed, by an issuer whose keys we hold, and the status of POST /api/messages/archive.
func TestReferenceClaims(t *testing.T) {
	now := time.Now().Unix()
	base := object{
		"iss": ownIssuer(), "aud": "messages-service", "sub": "1", "typ": "Bearer", "azp": "golden", "iat": now, "exp": now + 300,
		"preferred_username": "golden", "scope": "openid profile", "realm_access": object{"roles": []string{"ROLE_ADMIN"}},
	}
	claims := func(changes object) string { return asJSON(with(base, changes)) }
	header := func(changes object) string {
		return asJSON(with(object{"alg": "RS256", "typ": "JWT", "kid": "rs"}, changes))
	}
	rs256 := rs(crypto.SHA256)
	c := func(changes object) string { return token(header(nil), claims(changes), rs256) }
	h := func(changes object, sign signer) string { return token(header(changes), claims(nil), sign) }
	p := func(payload string) string { return token(header(nil), payload, rs256) }
	roles := func(roles any) string { return c(object{"realm_access": object{"roles": roles}}) }
	valid := c(nil)
	for n := 0; !strings.ContainsAny(valid[strings.LastIndex(valid, "."):], "-_"); n++ {
		valid = c(object{"x": n}) // some signatures look the same in both alphabets
	}

	const (
		shape    = "a wrongly typed realm_access means no roles; the original failed on it"
		fits     = "Go's standard library has the algorithm, and the key set names it"
		spelling = "a token has one spelling, or what is remembered of it could be missed"
		strict   = "two readers of such a payload may see two different things"
	)
	rows := []struct {
		name      string
		token     string
		original  int
		challenge string
		ours      int
		better    string
	}{
		{"ok", valid, 200, "", 200, ""},
		{"exp_30s_ago", c(object{"iat": now - 330, "exp": now - 30}), 200, "", 200, ""},
		{"exp_90s_ago", c(object{"iat": now - 390, "exp": now - 90}), 401, expired, 401, ""},
		{"no_exp", c(object{"exp": nil}), 200, badClaims, 401, "a token that never expires can't be taken back"},
		{"exp_string", c(object{"exp": fmt.Sprint(now + 300)}), 401, badClaims, 401, ""},
		{"exp_string_bad", c(object{"exp": "soon"}), 401, badClaims, 401, ""},
		{"exp_float", c(object{"exp": float64(now) + 300.5}), 200, "", 200, ""},
		{"exp_null", p(strings.Replace(claims(nil), fmt.Sprintf(`"exp":%d`, now+300), `"exp":null`, 1)), 401, badClaims, 401, ""},
		{"exp_huge", c(object{"exp": 1e18}), 200, "", 200, ""},
		{"exp_negative", c(object{"exp": -1}), 401, badClaims, 401, ""},
		{"nbf_future_300", c(object{"nbf": now + 3000}), 401, notYetValid, 401, ""},
		{"nbf_future_30", c(object{"nbf": now + 45}), 200, "", 200, ""},
		{"iat_future", c(object{"iat": now + 3000, "exp": now + 6000}), 200, "", 200, ""},
		{"iat_after_exp", c(object{"iat": now + 3000}), 401, badClaims, 401, ""},
		{"no_iat", c(object{"iat": nil}), 200, "", 200, ""},
		{"iss_missing", c(object{"iss": nil}), 401, badIssuer, 401, ""},
		{"iss_slash", c(object{"iss": ownIssuer() + "/"}), 401, badIssuer, 401, ""},
		{"iss_wrong", c(object{"iss": "http://evil/"}), 401, badIssuer, 401, ""},
		{"iss_number", c(object{"iss": 1}), 401, badClaims, 401, ""},
		{"iss_array", c(object{"iss": []string{ownIssuer()}}), 401, badClaims, 401, ""},
		{"iss_not_url", c(object{"iss": "not a url"}), 401, badIssuer, 401, ""},
		{"no_sub", c(object{"sub": nil}), 200, "", 200, ""},
		{"aud_other", c(object{"aud": "other-service"}), 200, badAudience, 401, "a token for another service is not for this one"},
		{"aud_array", c(object{"aud": []string{"account", "messages-service"}}), 200, "", 200, ""},
		{"typ_claim_id", c(object{"typ": "ID"}), 200, notAccessToken, 401, "an ID token opens no API"},

		{"typ_at_jwt", h(object{"typ": "at+jwt"}, rs256), 401, "", 200, "RFC 9068 names access tokens so"},
		{"typ_missing", h(object{"typ": nil}, rs256), 200, "", 200, ""},
		{"typ_lower", h(object{"typ": "jwt"}, rs256), 200, "", 200, ""},
		{"typ_other", h(object{"typ": "logout+jwt"}, rs256), 401, badHeader, 401, ""},
		{"typ_jose", h(object{"typ": "JOSE"}, rs256), 401, badHeader, 401, ""},
		{"crit_exp", h(object{"crit": []string{"exp"}}, rs256), 401, badHeader, 401, ""},
		{"crit_b64", h(object{"crit": []string{"b64"}, "b64": false}, rs256), 401, badHeader, 401, ""},
		{"crit_empty", h(object{"crit": []string{}}, rs256), 200, badHeader, 401, "RFC 7515 §4.1.11 forbids an empty crit"},

		{"ra_missing", c(object{"realm_access": nil}), 401, forbidden, 403, shape},
		{"ra_empty", c(object{"realm_access": object{}}), 401, forbidden, 403, shape},
		{"ra_null", p(strings.Replace(claims(nil), `{"roles":["ROLE_ADMIN"]}`, `null`, 1)), 401, forbidden, 403, shape},
		{"ra_string", c(object{"realm_access": "ROLE_ADMIN"}), 401, forbidden, 403, shape},
		{"ra_array", c(object{"realm_access": []string{"ROLE_ADMIN"}}), 401, forbidden, 403, shape},
		{"roles_missing", c(object{"realm_access": object{"x": 1}}), 403, forbidden, 403, ""},
		{"roles_empty", roles([]string{}), 403, forbidden, 403, ""},
		{"roles_null", roles(nil), 403, forbidden, 403, ""},
		{"roles_string", roles("ROLE_ADMIN"), 401, forbidden, 403, shape},
		{"roles_number", roles([]any{1, "ROLE_USER"}), 401, forbidden, 403, shape},
		{"roles_nulls", roles([]any{nil, "ROLE_USER"}), 401, forbidden, 403, shape},
		{"roles_number beside ADMIN", roles([]any{1, "ROLE_ADMIN"}), 401, "", 200, "the usable names beside an odd one count"},
		{"roles_no_prefix", roles([]string{"ADMIN"}), 403, "", 200, "most realms name the role ADMIN; ROLE_ is Spring's habit"},
		{"roles_case", roles([]string{"role_admin"}), 403, forbidden, 403, ""},
		{"roles_space", roles([]string{" ROLE_ADMIN"}), 403, forbidden, 403, ""},
		{"roles_substring", roles([]string{"ROLE_ADMINISTRATOR"}), 403, forbidden, 403, ""},
		{"roles_doubled prefix", roles([]string{"ROLE_ROLE_ADMIN"}), 403, forbidden, 403, ""},
		{"roles_many", roles(append(slices.Repeat([]string{"ROLE_USER"}, 300), "ROLE_ADMIN")), 200, "", 200, ""},
		{"roles_dup", roles([]string{"ROLE_ADMIN", "ROLE_ADMIN"}), 200, "", 200, ""},
		{"resource_access_only", c(object{"realm_access": object{"roles": []string{}}, "resource_access": object{"messages-service": object{"roles": []string{"ROLE_ADMIN"}}}}), 403, forbidden, 403, ""},
		{"scope_admin", c(object{"realm_access": object{"roles": []string{}}, "scope": "ROLE_ADMIN ADMIN"}), 403, forbidden, 403, ""},
		{"scope_array", c(object{"scope": []string{"openid"}}), 200, "", 200, ""},
		{"scope_number", c(object{"scope": 1}), 200, "", 200, ""},
		{"scp", c(object{"scope": nil, "scp": []string{"openid"}}), 200, "", 200, ""},
		{"no_scope", c(object{"scope": nil}), 200, "", 200, ""},

		{"dup_key", p(strings.Replace(claims(nil), `"realm_access":`, `"realm_access":{"roles":["ROLE_USER"]},"realm_access":`, 1)), 401, badClaims, 401, ""},
		{"folded key", p(strings.Replace(claims(nil), `"realm_access":`, `"REALM_ACCESS":{"roles":["ROLE_USER"]},"realm_access":`, 1)), 200, badClaims, 401, strict},
		{"payload_array", p(`[]`), 401, badClaims, 401, ""},
		{"payload_text", p(`hello`), 401, badClaims, 401, ""},
		{"payload_empty", p(``), 401, malformed, 401, ""},
		{"payload_bom", p("\ufeff" + claims(nil)), 200, badClaims, 401, "RFC 8259 §8.1 forbids a byte order mark"},
		{"payload_trailing", p(claims(nil) + `{}`), 401, badClaims, 401, ""},
		{"payload_badutf8", p(strings.Replace(claims(nil), `"golden"`, "\"\xff\"", 1)), 200, badClaims, 401, strict},

		{"es256", h(object{"alg": "ES256", "kid": "es"}, es256), 200, "", 200, ""},
		{"ps256", h(object{"alg": "PS256", "kid": "ps"}, ps(crypto.SHA256)), 200, "", 200, ""},
		{"eddsa", h(object{"alg": "EdDSA", "kid": "ed"}, edDSA), 401, "", 200, fits},
		{"rs256_with_ps_key", h(object{"kid": "ps"}, rs256), 401, badAlgorithm, 401, ""},
		{"ps256_with_rs_key", h(object{"alg": "PS256"}, ps(crypto.SHA256)), 401, badAlgorithm, 401, ""},
		{"rs512_with_rs256_key", h(object{"alg": "RS512"}, rs(crypto.SHA512)), 401, badAlgorithm, 401, ""},
		{"rs256_noalg_key", h(object{"kid": "noalg"}, rs256), 200, "", 200, ""},
		{"rs512_noalg_key", h(object{"alg": "RS512", "kid": "noalg"}, rs(crypto.SHA512)), 200, "", 200, ""},
		{"ps384_noalg_key", h(object{"alg": "PS384", "kid": "noalg"}, ps(crypto.SHA384)), 200, "", 200, ""},
		{"enc_key", h(object{"kid": "enc"}, rs256), 401, unknownKey, 401, ""},
		{"no_kid_right_key", h(object{"kid": nil}, rs256), 200, "", 200, ""},
		{"kid_number", h(object{"kid": 7}, rs256), 401, malformed, 401, ""},
		{"es256_der_sig", h(object{"alg": "ES256", "kid": "es"}, es256DER), 401, badSignature, 401, ""},
		{"es256_zero_sig", h(object{"alg": "ES256", "kid": "es"}, func(string) []byte { return make([]byte, 64) }), 401, badSignature, 401, ""},
		{"padded_sig", valid + "==", 200, malformed, 401, spelling},
		{"sig_std_b64", inStandardAlphabet(valid), 200, malformed, 401, spelling},
		{"trailing_bits", withSpareBits(valid), 200, malformed, 401, spelling},
		{"extra_dot", valid + ".", 401, malformed, 401, ""},
		{"big_6k", c(object{"x": strings.Repeat("x", 3000)}), 200, "", 200, ""},
		{"big_9k", c(object{"x": strings.Repeat("x", 6000)}), 400, "", 200, "tokens have up to 16 KiB: Keycloak's grow with each role"},
	}
	s := newService(t, ownIssuer())
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			compare(t, row.original, row.ours, row.better)
			resp := call(s, "POST", "/api/messages/archive", row.token, "", "")
			assert.Equal(t, row.ours, resp.StatusCode)
			checkRefusal(t, resp, row.challenge, row.token)
		})
	}

	// The same tokens at GET /api/me. No role comes from nowhere: the original gave ROLE_USER to those who had none.
	tokens := map[string]string{}
	for _, row := range rows {
		tokens[row.name] = row.token
	}
	for _, row := range []struct {
		name          string
		original      int
		challenge     string
		ours          int
		roles, better string
	}{
		{"no_sub", 200, "", 200, "ROLE_ADMIN ADMIN", ""},
		{"ra_missing", 401, "", 200, "", shape},
		{"ra_empty", 401, "", 200, "", shape},
		{"roles_empty", 200, "", 200, "", ""},
		{"roles_string", 401, "", 200, "", shape},
		{"roles_number", 401, "", 200, "ROLE_USER USER", shape},
		{"scope_admin", 200, "", 200, "", ""},
		{"ok", 200, "", 200, "ROLE_ADMIN ADMIN", ""},
		{"exp_string", 401, badClaims, 401, "", ""},
	} {
		t.Run(row.name+" (GET /api/me)", func(t *testing.T) {
			compare(t, row.original, row.ours, row.better)
			require.Contains(t, tokens, row.name)
			resp := call(s, "GET", "/api/me", tokens[row.name], "", "")
			assert.Equal(t, row.ours, resp.StatusCode)
			checkRefusal(t, resp, row.challenge, tokens[row.name])
			if row.ours == 200 {
				assert.Equal(t, row.roles, strings.Join(me(t, resp).Roles, " "))
			}
		})
	}
}

func me(t *testing.T, resp *http.Response) (answer struct{ Roles []string }) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(text(t, resp)), &answer))
	return answer
}

// inStandardAlphabet respells the signature as base64 instead of base64url.
func inStandardAlphabet(token string) string {
	i := strings.LastIndex(token, ".") + 1
	return token[:i] + base64.RawStdEncoding.EncodeToString(must(base64.RawURLEncoding.DecodeString(token[i:])))
}

// withSpareBits sets a bit of the signature's last character that stands for none of its bytes.
func withSpareBits(token string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := len(token) - 1
	return token[:last] + string(alphabet[strings.IndexByte(alphabet, token[last])|1])
}
