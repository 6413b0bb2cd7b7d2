package resourceserver_test

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	rs "github.com/svcauth/svcauth/resourceserver"
)

// TestRFC7515 puts the examples of RFC 7515 appendix A and RFC 8037 appendix A through the token parser and the keys. Those that are no access token's are refused,
// each for its reason.
func TestRFC7515(t *testing.T) {
	data, err := os.ReadFile("../internal/jose/testdata/rfc_vectors.json")
	require.NoError(t, err)
	var file struct {
		Vectors []struct {
			Name, Alg, Token string
			JWK              map[string]any
		}
	}
	require.NoError(t, json.Unmarshal(data, &file))
	want := map[string]rs.Reason{
		"RFC 7515 A.1": rs.ReasonAlgorithm, // HMAC: whoever verifies could also sign
		"RFC 7515 A.2": "", "RFC 7515 A.3": "", "RFC 7515 A.4": "", "RFC 8037 A.4": "",
	}
	require.Len(t, file.Vectors, len(want))
	for _, v := range file.Vectors {
		t.Run(v.Name, func(t *testing.T) {
			reason, listed := want[v.Name]
			require.True(t, listed)
			for _, secret := range []string{"d", "p", "q"} {
				delete(v.JWK, secret)
			}
			key, err := json.Marshal(v.JWK)
			require.NoError(t, err)
			jwks := `{"keys":[` + string(key) + `]}`
			if reason != "" {
				requireReason(t, rs.VerifyJWS(v.Token, jwks), reason)
				return
			}
			require.NoError(t, rs.VerifyJWS(v.Token, jwks))
			head, body, sig := parts(v.Token)
			requireReason(t, rs.VerifyJWS(head+"."+flip(body)+"."+sig, jwks), rs.ReasonUnknownKey) // no kid: another key might have made it
			requireReason(t, rs.VerifyJWS(head+"."+body+"."+flip(sig), jwks), rs.ReasonUnknownKey)
		})
	}

	const claims = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
	for name, c := range map[string]struct {
		token string
		want  rs.Reason
	}{
		"A.5, an unsecured JWS":             {"eyJhbGciOiJub25lIn0." + claims + ".", rs.ReasonMalformedToken},
		"A.5 with something as signature":   {"eyJhbGciOiJub25lIn0." + claims + ".AA", rs.ReasonAlgorithm},
		"A.6, several signatures":           {`{"payload":"` + claims + `","signatures":[{"protected":"eyJhbGciOiJSUzI1NiJ9","signature":"AA"}]}`, rs.ReasonMalformedToken},
		"A.7, JSON with one signature":      {`{"payload":"` + claims + `","protected":"eyJhbGciOiJFUzI1NiJ9","signature":"AA"}`, rs.ReasonMalformedToken},
		"E, a critical header of its own":   {b64(`{"alg":"ES256","crit":["http://example.invalid/UNDEFINED"],"http://example.invalid/UNDEFINED":true}`) + ".RkFJTA.AA", rs.ReasonHeader},
		"RFC 7797 4.2, a payload not coded": {b64(`{"alg":"ES256","b64":false,"crit":["b64"]}`) + ".JC4wMg.AA", rs.ReasonHeader},
		"F, detached content":               {"eyJhbGciOiJFUzI1NiJ9..AA", rs.ReasonMalformedToken},
	} {
		t.Run(name, func(t *testing.T) {
			requireReason(t, rs.VerifyJWS(c.token, `{"keys":[`+string(keyFor("ES256").PublicJWK("sig"))+`]}`), c.want)
		})
	}
	_, err = base64.RawURLEncoding.DecodeString(claims)
	assert.NoError(t, err)
}
