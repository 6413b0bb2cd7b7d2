package resourceserver_test

import (
	"log/slog"
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	rs "github.com/svcauth/svcauth/resourceserver"
)

func TestNewRefuses(t *testing.T) {
	good := rs.Config{Issuer: issuerName, Audiences: []string{audience}}
	with := func(change func(*rs.Config)) rs.Config { c := good; change(&c); return c }
	several := func(issuers ...rs.Config) rs.Config { return rs.Config{Issuers: issuers} }
	for _, c := range []struct {
		name   string
		config rs.Config
		want   string // stands in the error
	}{
		{"nothing", rs.Config{}, "Config.Issuer is empty: set it to the iss claim"},
		{"no issuer", with(func(c *rs.Config) { c.Issuer = "" }), "Config.Issuer is empty"},
		{"issuer without a scheme", with(func(c *rs.Config) { c.Issuer = "keycloak.example.com/realms/x" }), "must begin with https://"},
		{"issuer host and port only", with(func(c *rs.Config) { c.Issuer = "localhost:9191/realms/x" }), "must begin with https://"},
		{"issuer of another scheme", with(func(c *rs.Config) { c.Issuer = "ftp://x.example/" }), `scheme "ftp"`},
		{"issuer with a space", with(func(c *rs.Config) { c.Issuer = "https://x .example" }), "Config.Issuer"},
		{"issuer with a fragment", with(func(c *rs.Config) { c.Issuer = "https://x.example/#a" }), "fragment"},
		{"issuer with a query", with(func(c *rs.Config) { c.Issuer = "https://x.example/realms/x?tenant=1" }), "Config.Issuer: \"https://x.example/realms/x?...\" has a query"},
		{"issuer that is its metadata's place", with(func(c *rs.Config) { c.Issuer = "https://x.example/realms/x/.well-known/openid-configuration" }), "cut it off before /.well-known/"},
		{"issuer with a question mark", with(func(c *rs.Config) { c.Issuer = "https://x.example/realms/x?" }), "has a query"},
		{"issuer without a host", with(func(c *rs.Config) { c.Issuer = "https:///realms/x" }), "no host"},
		{"issuer over plain http", with(func(c *rs.Config) { c.Issuer = "http://keycloak:8080/realms/x" }), `name "keycloak:8080" in AllowHTTP`},
		{"issuer with a password", with(func(c *rs.Config) { c.Issuer = "https://u:hunter2@x.example/" }), "user information"},
		{"issuer that can't be parsed, with a password", with(func(c *rs.Config) { c.Issuer = "https://u:hunter2@x.example:port/" }), "can't be parsed"},
		{"a host that looks like loopback", with(func(c *rs.Config) { c.Issuer = "http://localhost.evil.test/" }), "AllowHTTP"},
		{"keys over plain http", with(func(c *rs.Config) { c.JWKSURL = "http://keycloak:8080/certs" }), "Config.JWKSURL"},
		{"keys in a file", with(func(c *rs.Config) { c.JWKSURL = "file:///keys" }), "Config.JWKSURL"},
		{"AllowHTTP with a URL", with(func(c *rs.Config) { c.AllowHTTP = []string{"http://keycloak:8080"} }), "Config.AllowHTTP"},
		{"AllowHTTP with nothing", with(func(c *rs.Config) { c.AllowHTTP = []string{""} }), "Config.AllowHTTP"},
		{"no audience", with(func(c *rs.Config) { c.Audiences = nil }), "or set SkipAudienceCheck"},
		{"an empty audience", with(func(c *rs.Config) { c.Audiences = []string{""} }), "Config.Audiences has an empty entry"},
		{"audience and skip", with(func(c *rs.Config) { c.SkipAudienceCheck = true }), "contradict"},
		{"HS256", with(func(c *rs.Config) { c.Algorithms = []string{"RS256", "HS256"} }), `"HS256" is not a supported asymmetric`},
		{"none", with(func(c *rs.Config) { c.Algorithms = []string{"none"} }), `"none"`},
		{"algorithm in lower case", with(func(c *rs.Config) { c.Algorithms = []string{"rs256"} }), `"rs256"`},
		{"a name without its keys", with(func(c *rs.Config) { c.Issuer = "accounts.google.com" }), "a name that is no URL needs JWKSURL or JWKS"},
		{"a name with a space", with(func(c *rs.Config) { c.Issuer, c.JWKSURL = "acme com", "https://x.example/keys" }), "space or control character"},
		{"a name with a password", with(func(c *rs.Config) { c.Issuer, c.JWKSURL = "admin:hunter2@x", "https://x.example/keys" }), "user information"},
		{"plain http, its keys elsewhere", with(func(c *rs.Config) { c.Issuer, c.JWKSURL = "HTTP://keycloak:8080/", "https://x.example/keys" }), "AllowHTTP"},
		{"a cache beyond all bounds", with(func(c *rs.Config) { c.CacheTokens = math.MaxInt }), "Config.CacheTokens is"},
		{"negative size", with(func(c *rs.Config) { c.MaxTokenSize = -1 }), "MaxTokenSize"},
		{"negative stale", with(func(c *rs.Config) { c.MaxStale = -time.Second }), "MaxStale"},
		{"stale for too short", with(func(c *rs.Config) { c.MaxStale = 1 }), "want at least 1m0s"},
		{"leeway of a day", with(func(c *rs.Config) { c.Leeway = 24 * time.Hour }), "Config.Leeway is 24h0m0s"},
		{"issuer with a password and no scheme", with(func(c *rs.Config) { c.Issuer = "admin:hunter2@kc.example/realms/x" }), "can't be parsed"},
		{"issuer with a password in the path", with(func(c *rs.Config) { c.Issuer = "https:///admin:hunter2@kc.example" }), "can't be parsed"},
		{"issuer with a password and no slashes", with(func(c *rs.Config) { c.Issuer = "https:admin:hunter2@kc.example" }), "can't be parsed"},

		{"issuer and issuers", rs.Config{Issuer: issuerName, Issuers: []rs.Config{good}}, "Issuers stands instead of Issuer"},
		{"audience beside issuers", rs.Config{Audiences: []string{"x"}, Issuers: []rs.Config{good}}, "on each of its entries"},
		{"a bad one among issuers", several(good, rs.Config{Issuer: "https://x.example"}), "Config.Issuers[1].Audiences"},
		{"the same issuer twice", several(good, good), "stands twice"},
		{"issuers in issuers", several(rs.Config{Issuers: []rs.Config{good}}), "Config.Issuers[0]"},
		{"client in issuers", several(with(func(c *rs.Config) { c.HTTPClient = http.DefaultClient })), "outer Config only"},
		{"logger in issuers", several(with(func(c *rs.Config) { c.Logger = slog.Default() })), "outer Config only"},
	} {
		t.Run(c.name, func(t *testing.T) {
			auth, err := rs.New(c.config)
			require.Nil(t, auth)
			require.ErrorContains(t, err, c.want)
			require.ErrorContains(t, err, "resourceserver: ")
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
}

func TestNewAccepts(t *testing.T) {
	for name, c := range map[string]rs.Config{
		"https":                     {Issuer: issuerName, Audiences: []string{"a", "b"}},
		"a slash at the end":        {Issuer: "https://x.example/", Audiences: []string{"a"}},
		"localhost":                 {Issuer: "http://localhost:9191/realms/x", Audiences: []string{"a"}},
		"127.0.0.1":                 {Issuer: "http://127.0.0.1:9191/realms/x", Audiences: []string{"a"}},
		"::1":                       {Issuer: "http://[::1]:9191/realms/x", Audiences: []string{"a"}},
		"an allowed host":           {Issuer: "http://keycloak:8080/realms/x", AllowHTTP: []string{"keycloak"}, Audiences: []string{"a"}},
		"an allowed host with port": {Issuer: "http://keycloak:8080/realms/x", AllowHTTP: []string{"keycloak:8080"}, Audiences: []string{"a"}},
		"no audience check":         {Issuer: issuerName, SkipAudienceCheck: true},
		"a name":                    {Issuer: "job@x.iam.gserviceaccount.com", Audiences: []string{"a"}, JWKSURL: "https://x.example/keys"},
		"a URI":                     {Issuer: "urn:example:issuer", Audiences: []string{"a"}, JWKSURL: "https://x.example/keys"},
		"keys from elsewhere":       {Issuer: issuerName, Audiences: []string{"a"}, JWKSURL: "http://localhost:1/keys"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := rs.New(c)
			require.NoError(t, err)
		})
	}
}

func TestConfigIsCopied(t *testing.T) {
	c := newFakeIssuer(keyFor("EdDSA")).config()
	auth := newAuth(t, c)
	c.Audiences[0] = "another"
	_, err := auth.Verify(t.Context(), goodToken())
	assert.NoError(t, err)
}

// TestRedirectsAreNotFollowed holds that an issuer's answer can't send the key fetch elsewhere.
func TestRedirectsAreNotFollowed(t *testing.T) {
	f := newFakeIssuer(keyFor("EdDSA"))
	auth := newAuth(t, f.config())
	f.respond(func(r *http.Request) (*http.Response, error) {
		if r.URL.Host == "evil.test" {
			t.Error("the redirect was followed")
		}
		return reply(307, "", http.Header{"Location": {"https://evil.test/"}}), nil
	})
	_, err := auth.Verify(t.Context(), goodToken())
	assert.ErrorIs(t, err, rs.ErrKeysUnavailable)
}
