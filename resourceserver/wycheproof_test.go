//go:build vectors

package resourceserver_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/svcauth/svcauth/internal/jose"
	rs "github.com/svcauth/svcauth/resourceserver"
)

type wycheproof struct {
	NumberOfTests int
	TestGroups    []struct {
		Comment         string
		Private, Public json.RawMessage
		Tests           []wycheproofTest
	}
}

type wycheproofTest struct {
	TcID            int
	Comment, Result string
	JWS, JWE        json.RawMessage
}

// token is the JWS; one in JSON serialization is its text.
func (v wycheproofTest) token() string {
	var text string
	if json.Unmarshal(v.JWS, &text) != nil {
		text = string(v.JWS)
	}
	return text
}

// readWycheproof reads one file. The folder must be there: with the tag nothing skips.
func readWycheproof(t *testing.T, name string) wycheproof {
	t.Helper()
	folder := os.Getenv("JOSE_VECTORS")
	require.NotEmpty(t, folder, "JOSE_VECTORS names no folder of vectors")
	if !filepath.IsAbs(folder) { // relative to the module's root, where the command is typed
		folder = filepath.Join("..", folder)
	}
	data, err := os.ReadFile(filepath.Join(folder, "wycheproof", name))
	require.NoError(t, err)
	var file wycheproof
	require.NoError(t, json.Unmarshal(data, &file))
	return file
}

// jwks is what an issuer with these keys publishes.
func jwks(private, public json.RawMessage) string {
	key := public
	if len(key) == 0 {
		key = private
	}
	if strings.Contains(string(key), `"keys"`) {
		return string(key)
	}
	return `{"keys":[` + string(key) + `]}`
}

// The reasons why a vector that is published as valid is refused all the same.
const (
	shared    = "HMAC: nothing verifies with a shared secret"
	noClaims  = "an empty payload is no claims; the signature itself is valid"
	otherAlg  = "the key's own alg is another than the token's (RFC 7517 §4.4 lets a key name the one it is for)"
	noSuchAlg = "the key's own alg is ES521, which does not exist"
)

// The one reason why a vector that is published as invalid verifies: it is about the issuer's own key, which nobody else can put into its set.
const weakMaker = "an RSA key of a faulty generator (ROCA, CVE-2017-15361), which can be told only by its residues"

// TestWycheproof runs every vector of the three sets. What comes out is what the set says, except for the vectors listed, each with its reason.
func TestWycheproof(t *testing.T) {
	acceptedThoughInvalid := map[string]string{"json_web_key_test.json 7": weakMaker, "json_web_crypto_test.json 46": weakMaker}
	for name, refusedThoughValid := range map[string]map[int]string{
		"json_web_signature_test.json": {
			1: shared, 348: shared, 352: shared, 357: shared, 358: shared, 359: shared, 372: shared, 373: shared, 376: shared, 377: shared,
			259: noClaims, 264: noClaims, 268: noClaims, 272: noClaims, 320: noClaims, 325: noClaims,
			346: otherAlg, 350: otherAlg,
			347: noSuchAlg, 351: noSuchAlg,
		},
		"json_web_key_test.json":    {2: shared, 13: shared, 14: shared, 15: shared},
		"json_web_crypto_test.json": {1: shared, 48: shared},
	} {
		t.Run(name, func(t *testing.T) {
			file := readWycheproof(t, name)
			seen, refusedSeen, jwe := 0, 0, 0
			for _, group := range file.TestGroups {
				set := jwks(group.Private, group.Public)
				for _, v := range group.Tests {
					seen++
					if len(v.JWE) > 0 {
						jwe++
						continue
					}
					err := rs.VerifyJWS(v.token(), set)
					reason, listed := refusedThoughValid[v.TcID]
					switch {
					case listed:
						refusedSeen++
						assert.Equal(t, "valid", v.Result, "%d %s", v.TcID, v.Comment)
						assert.Error(t, err, "%d %s", v.TcID, v.Comment)
						if reason == noClaims {
							keys, _, err := jose.ParseSet([]byte(set))
							require.NoError(t, err)
							head, _, sig := parts(v.token())
							signature, err := base64.RawURLEncoding.DecodeString(sig)
							require.NoError(t, err)
							assert.NoError(t, keys[0].Verify(keys[0].Algorithm, head+".", signature), "%d %s", v.TcID, v.Comment)
						}
					case acceptedThoughInvalid[fmt.Sprint(name, " ", v.TcID)] != "" || v.Result == "valid":
						assert.NoError(t, err, "%d %s", v.TcID, v.Comment)
					default:
						assert.Error(t, err, "%d %s (%s)", v.TcID, v.Comment, group.Comment)
					}
				}
			}
			assert.Equal(t, file.NumberOfTests, seen)
			assert.Len(t, refusedThoughValid, refusedSeen, "a listed vector is not in the file")
			want := map[string]int{"json_web_crypto_test.json": 34}[name] // encrypted: no access token of ours is a JWE, and its five parts are refused
			assert.Equal(t, want, jwe)
		})
	}
}

// TestWycheproofJWE holds that an encrypted token is refused for its shape alone, valid or not.
func TestWycheproofJWE(t *testing.T) {
	for _, group := range readWycheproof(t, "json_web_crypto_test.json").TestGroups {
		for _, v := range group.Tests {
			if len(v.JWE) > 0 {
				token := strings.Trim(string(v.JWE), `"`)
				err := rs.VerifyJWS(token, jwks(group.Private, group.Public))
				var refused *rs.Error
				if assert.ErrorAs(t, err, &refused, "%d %s", v.TcID, v.Comment) {
					assert.Contains(t, []rs.Reason{rs.ReasonMalformedToken, rs.ReasonAlgorithm}, refused.Reason, "%d %s", v.TcID, v.Comment)
				}
			}
		}
	}
}
