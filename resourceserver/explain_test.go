package resourceserver_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	rs "github.com/svcauth/svcauth/resourceserver"
)

// TestExplainSaysWhatVerifySays holds that both run the same checks: for each of these tokens the reason is the same.
func TestExplainSaysWhatVerifySays(t *testing.T) {
	key, now := keyFor("EdDSA"), time.Now().Unix()
	token := goodToken()
	head, body, sig := parts(token)
	_, _, otherSig := parts(sign(key, nil, good(claims{"jti": "x"})))
	config := newFakeIssuer(key).config()
	config.JWKS = []byte(`{"keys":[` + string(key.PublicJWK("sig")) + `]}`) // no fetch, so that a hint says the same twice
	auth := newAuth(t, config)
	for _, c := range []struct {
		name, token, check string
		hint               string // stands in the hint
	}{
		{"good", token, "", ""},
		{"nothing", "", "header", ""},
		{"too large", strings.Repeat("x", 20_000), "size", ""},
		{"alg none", b64(`{"alg":"none"}`) + "." + body + "." + sig, "header", ""},
		{"claims twice", signRaw(key, nil, []byte(`{"iss":"a","iss":"b"}`)), "claims", ""},
		{"no exp", sign(key, nil, good(claims{"exp": absent})), "claims", ""},
		{"another issuer", sign(key, nil, good(claims{"iss": "https://evil.test"})), "issuer", "one host name"},
		{"another audience", sign(key, nil, good(claims{"aud": "account"})), "audience", "add an Audience mapper for messages-service"},
		{"expired long ago", sign(key, nil, good(claims{"exp": now - 90_000, "iat": absent})), "expiry", "does not renew them"},
		{"expired just now", sign(key, nil, good(claims{"exp": now - 90, "iat": absent})), "expiry", "clocks of issuer and service differ"},
		{"an ID token", sign(key, nil, good(claims{"typ": "ID"})), "kind", "ID token"},
		{"a nonce", sign(key, nil, good(claims{"typ": absent, "nonce": "n"})), "kind", "ID token"},
		{"a refresh token", sign(key, nil, good(claims{"typ": "Refresh"})), "kind", "refresh token"},
		{"a logout token", sign(key, nil, good(claims{"typ": "Logout"})), "kind", "send the access_token"},
		{"bound to a key", sign(key, nil, good(claims{"cnf": claims{"jkt": "x"}})), "kind", "DPoP"},
		{"another key", unknownKid(), "signature", "does not publish the key"},
		{"another signature", head + "." + body + "." + otherSig, "signature", "altered or cut"},
		{"not yet valid", sign(key, nil, good(claims{"nbf": now + 200})), "start", "clocks of issuer and service differ"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := auth.Verify(t.Context(), c.token)
			x := auth.Explain(t.Context(), c.token)
			assert.Equal(t, err == nil, x.Accepted)
			require.Len(t, x.Steps, 10)
			if c.check == "" {
				assert.Equal(t, 200, x.Status)
				for _, step := range x.Steps {
					assert.Equal(t, rs.Passed, step.Outcome, step.Check)
				}
			} else {
				var refused *rs.Error
				require.ErrorAs(t, err, &refused)
				assert.Equal(t, refused.Reason, x.Reason)
				assert.Equal(t, refused.Status, x.Status)
				assert.Equal(t, refused.Hint, x.Hint)
				assert.Contains(t, x.Hint, c.hint)
				want := rs.Passed
				for _, step := range x.Steps {
					if step.Check == c.check {
						assert.Equal(t, rs.Refused, step.Outcome)
						want = rs.NotReached
						continue
					}
					assert.Equal(t, want, step.Outcome, step.Check)
				}
			}
			data, err := json.Marshal(x)
			require.NoError(t, err)
			for _, text := range []string{x.String(), string(data)} {
				assert.Less(t, len(text), 4000)
				for _, part := range strings.Split(c.token, ".") {
					if part != "" {
						assert.NotContains(t, text, part)
					}
				}
			}
		})
	}
}

func TestExplainShowsWhatCame(t *testing.T) {
	auth := newAuth(t, newFakeIssuer(keyFor("EdDSA")).config())
	x := auth.Explain(t.Context(), sign(keyFor("EdDSA"), nil, good(claims{"aud": "a\nb\x00" + strings.Repeat("c", 500)})))
	step := x.Steps[5]
	assert.Equal(t, "audience", step.Check)
	assert.Equal(t, audience, step.Expected)
	assert.True(t, strings.HasPrefix(step.Got, `"[a\nb\x00ccc`), step.Got)
	assert.Less(t, len(step.Got), 120)
	text := x.String()
	assert.True(t, strings.HasPrefix(text, "refused with 401: audience_mismatch\n"), text)
	assert.Contains(t, text, "  refused     audience: want messages-service, got \"[a")
	assert.Contains(t, text, "  not reached signature\n")
	assert.Equal(t, 1+len(x.Steps)+1, strings.Count(text, "\n"), "what came stays in its line")
}

// TestExplainNamesTheAlgorithms holds that the step which refuses an algorithm says which ones are allowed, in whichever step that shows.
func TestExplainNamesTheAlgorithms(t *testing.T) {
	config := newFakeIssuer(keyFor("EdDSA")).config()
	config.Algorithms = []string{"ES256", "RS256"}
	x := newAuth(t, config).Explain(t.Context(), goodToken())
	assert.Equal(t, rs.ReasonAlgorithm, x.Reason)
	assert.Equal(t, rs.Step{Check: "header", Outcome: rs.Refused, Expected: "ES256 RS256", Got: `"EdDSA"`}, x.Steps[1])
}

func TestExplainRules(t *testing.T) {
	auth := newAuth(t, newFakeIssuer(keyFor("EdDSA")).config())
	own := rs.RuleFunc("outside HTTP", func(r *http.Request, _ *rs.Principal) bool { return r == nil })
	x := auth.Explain(t.Context(), goodToken(), own, rs.AnyRole("ROOT", "BOSS"), rs.Scope("openid"))
	assert.False(t, x.Accepted)
	assert.Equal(t, rs.ReasonMissingRole, x.Reason)
	assert.Equal(t, 403, x.Status)
	assert.Equal(t, []rs.Step{
		{Check: "rule", Outcome: rs.Passed, Expected: "outside HTTP"},
		{Check: "rule", Outcome: rs.Refused, Expected: "any role of ROOT, BOSS", Got: `"[ADMIN]"`},
		{Check: "rule", Outcome: rs.NotReached, Expected: "scope openid"},
	}, x.Steps[10:])
	assert.True(t, auth.Explain(t.Context(), goodToken(), rs.Role("ADMIN")).Accepted)
	assert.Len(t, auth.Explain(t.Context(), "x", own).Steps, 11)
	assert.Panics(t, func() { auth.Explain(t.Context(), goodToken(), nil) })
}

// TestExplainLeavesNoTrace holds that it neither asks nor fills the cache, and is silent.
func TestExplainLeavesNoTrace(t *testing.T) {
	keyFor("EdDSA")
	synctest.Test(t, func(t *testing.T) {
		var book logBook
		f := newFakeIssuer(keyFor("EdDSA"))
		auth, mapped := counted(t, f, func(c *rs.Config) { c.Logger = book.logger() })
		f.down()
		x := auth.Explain(t.Context(), goodToken())
		assert.Equal(t, rs.ReasonKeysUnavailable, x.Reason)
		assert.Equal(t, 503, x.Status)
		assert.Contains(t, x.Hint, "can't get the issuer's keys")
		f.respond(nil)
		time.Sleep(5 * time.Second)
		token := goodToken()
		for range 3 {
			assert.True(t, auth.Explain(t.Context(), token).Accepted)
		}
		mapped.Store(0)
		require.NoError(t, verifyErr(t, auth, token))
		assert.EqualValues(t, 1, mapped.Load())
		assert.Empty(t, book.records(t, "request refused"))
	})
}
