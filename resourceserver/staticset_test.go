package resourceserver_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	rs "github.com/svcauth/svcauth/resourceserver"
)

// staticConfig has its keys with it, and a client that must never be used.
func staticConfig(t *testing.T) rs.Config {
	c := newFakeIssuer().config()
	c.JWKS = []byte(`{"keys":[{"kty":"RSA","use":"enc","n":"AA","e":"AQAB"},` + string(keyFor("EdDSA").PublicJWK("sig")) + `]}`)
	c.HTTPClient = &http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
		t.Error("something was fetched")
		return reply(500, "", nil), nil
	})}
	return c
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestStaticKeys(t *testing.T) {
	keyFor("EdDSA")
	keyFor("EdDSA/other")
	synctest.Test(t, func(t *testing.T) {
		c := staticConfig(t)
		auth := newAuth(t, c)
		clear(c.JWKS)
		require.NoError(t, auth.Warm(t.Context()))
		for range 3 { // days and weeks later too
			token := goodToken()
			require.NoError(t, verifyErr(t, auth, token))
			require.NoError(t, verifyErr(t, auth, token))
			requireReason(t, verifyErr(t, auth, unknownKid()), rs.ReasonUnknownKey)
			assert.True(t, auth.Explain(t.Context(), token).Accepted)
			time.Sleep(7 * 24 * time.Hour)
		}
		status := auth.Status()
		assert.True(t, status.Ready())
		assert.Equal(t, rs.IssuerStatus{Issuer: issuerName, Ready: true, KeyIDs: []string{keyFor("EdDSA").ID()}, Skipped: 1}, status.Issuers[0])
	})
}

func TestStaticKeysBesideFetchedOnes(t *testing.T) {
	const second = "https://issuer.test/realms/second"
	f := newFakeIssuer(keyFor("EdDSA"))
	static := rs.Config{Issuer: second, Audiences: []string{audience}, JWKS: []byte(`{"keys":[` + string(keyFor("EdDSA/other").PublicJWK("sig")) + `]}`)}
	auth := newAuth(t, rs.Config{HTTPClient: f.config().HTTPClient, Logger: discard, Issuers: []rs.Config{{Issuer: issuerName, Audiences: []string{audience}}, static}})
	require.NoError(t, verifyErr(t, auth, goodToken()))
	require.NoError(t, verifyErr(t, auth, sign(keyFor("EdDSA/other"), nil, good(claims{"iss": second}))))
	requireReason(t, verifyErr(t, auth, sign(keyFor("EdDSA"), nil, good(claims{"iss": second}))), rs.ReasonUnknownKey)
	assert.Equal(t, 1, f.count(certsPath))
}

func TestStaticKeysRefused(t *testing.T) {
	for name, c := range map[string]struct{ jwks, want string }{
		"empty":             {"", "Config.JWKS"},
		"no JSON":           {"x", "Config.JWKS"},
		"no set":            {`{"kty":"OKP"}`, `want {"keys":[…]}`},
		"no keys":           {`{"keys":[]}`, "no usable signing key"},
		"a symmetric key":   {`{"keys":[{"kty":"oct","k":"aHVudGVyMg"}]}`, "a symmetric key"},
		"a private key":     {`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AA","d":"aHVudGVyMg"}]}`, "a private key"},
		"only a cipher key": {`{"keys":[{"kty":"RSA","use":"enc","n":"AA","e":"AQAB"}]}`, `not sig`},
	} {
		t.Run(name, func(t *testing.T) {
			config := newFakeIssuer().config()
			config.JWKS = []byte(c.jwks)
			_, err := rs.New(config)
			require.ErrorContains(t, err, c.want)
			assert.NotContains(t, err.Error(), "aHVudGVyMg")
		})
	}
	both := staticConfig(t)
	both.JWKSURL = "https://issuer.test/certs"
	_, err := rs.New(both)
	require.ErrorContains(t, err, "JWKS and JWKSURL contradict each other")
	_, err = rs.New(rs.Config{JWKS: both.JWKS, Issuers: []rs.Config{newFakeIssuer().config()}})
	require.ErrorContains(t, err, "Issuers stands instead")
}

func TestCacheSizesRefused(t *testing.T) {
	for want, change := range map[string]func(*rs.Config){
		"Config.CacheTokens is -1": func(c *rs.Config) { c.CacheTokens = -1 },
		"Config.CacheBytes is -1":  func(c *rs.Config) { c.CacheBytes = -1 },
		"Config.DisableCache and":  func(c *rs.Config) { c.DisableCache, c.CacheTokens = true, 5 },
	} {
		config := newFakeIssuer().config()
		change(&config)
		_, err := rs.New(config)
		require.ErrorContains(t, err, want)
	}
}
