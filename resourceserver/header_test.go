package resourceserver_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	rs "github.com/svcauth/svcauth/resourceserver"
)

// anyKid makes an authenticator whose only key has no kid, so that tokens may name what they like.
func anyKid(t *testing.T) *rs.Authenticator {
	f := newFakeIssuer()
	f.publishRaw(`{"keys":[` + jwkWith(keyFor("EdDSA"), map[string]any{"kid": absent}) + `]}`)
	return newAuth(t, f.config())
}

func TestHeadersOfVerifiedTokensAreRemembered(t *testing.T) {
	auth := anyKid(t)
	for n := range 5 {
		require.NoError(t, verifyErr(t, auth, sign(keyFor("EdDSA"), map[string]any{"kid": "a"}, good(claims{"jti": fmt.Sprint(n)}))))
	}
	head, body, sig := parts(sign(keyFor("EdDSA"), map[string]any{"kid": "a"}, good(claims{"jti": "next"})))
	assert.Equal(t, []string{head}, rs.KnownHeaders(auth))

	for _, c := range []struct {
		name, token string
		want        rs.Reason
	}{
		{"forged", head + "." + body + "." + strings.Repeat("A", 86), rs.ReasonUnknownKey},
		{"forged, with a new header", b64(`{"alg":"EdDSA","kid":"b"}`) + "." + body + "." + sig, rs.ReasonUnknownKey},
		{"refused for its claims", sign(keyFor("EdDSA"), map[string]any{"kid": "c"}, good(claims{"aud": "another"})), rs.ReasonAudience},
		{"not valid yet", sign(keyFor("EdDSA"), map[string]any{"kid": "d"}, good(claims{"nbf": 1 << 40, "exp": 1 << 41})), rs.ReasonNotYetValid},
		{"another case", strings.ToUpper(head) + "." + body + "." + sig, rs.ReasonMalformedToken},
		{"cut short", head[:len(head)-1] + "." + body + "." + sig, rs.ReasonMalformedToken},
		{"longer", head + "A." + body + "." + sig, rs.ReasonMalformedToken},
	} {
		requireReason(t, verifyErr(t, auth, c.token), c.want)
		assert.Equal(t, []string{head}, rs.KnownHeaders(auth), c.name)
	}
}

func TestRememberedHeadersAreBounded(t *testing.T) {
	auth := anyKid(t)
	for round := range 2 {
		for n := range 50 {
			token := sign(keyFor("EdDSA"), map[string]any{"kid": fmt.Sprint("key-", n)}, good(claims{"jti": fmt.Sprint(round)}))
			require.NoError(t, verifyErr(t, auth, token))
			head, _, _ := parts(token)
			known := rs.KnownHeaders(auth)
			assert.Contains(t, known, head)
			assert.LessOrEqual(t, len(known), 8)
		}
	}
	long := sign(keyFor("EdDSA"), map[string]any{"x": strings.Repeat("x", 1000)}, good(nil))
	require.NoError(t, verifyErr(t, auth, long))
	for _, head := range rs.KnownHeaders(auth) {
		assert.LessOrEqual(t, len(head), 1024)
	}
}

// TestRememberedHeaderOfAnotherIssuer holds that each issuer's own algorithms are asked, whoever's token brought the header.
func TestRememberedHeaderOfAnotherIssuer(t *testing.T) {
	const second = "https://issuer.test/realms/second"
	static := func(name, key string, algorithms ...string) rs.Config {
		jwks := `{"keys":[` + jwkWith(keyFor(key), map[string]any{"kid": "same"}) + `]}`
		return rs.Config{Issuer: name, Audiences: []string{audience}, Algorithms: algorithms, JWKS: []byte(jwks)}
	}
	auth := newAuth(t, rs.Config{Logger: discard, Issuers: []rs.Config{static(issuerName, "EdDSA"), static(second, "EdDSA/other", "ES256")}})
	header := map[string]any{"kid": "same"}
	require.NoError(t, verifyErr(t, auth, sign(keyFor("EdDSA"), header, good(nil))))
	require.Len(t, rs.KnownHeaders(auth), 1)
	requireReason(t, verifyErr(t, auth, sign(keyFor("EdDSA/other"), header, good(claims{"iss": second}))), rs.ReasonAlgorithm)
	requireReason(t, verifyErr(t, auth, sign(keyFor("EdDSA/other"), header, good(nil))), rs.ReasonSignature)
}
