package clientcreds

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNewNamesTheFieldAndTheMend(t *testing.T) {
	for _, tt := range []struct {
		change func(*Config)
		want   string // empty: accepted
	}{
		{func(c *Config) {}, ""},
		{func(c *Config) { c.TokenURL, c.Issuer = "", "https://issuer.example/realms/sivalabs/" }, ""},
		{func(c *Config) { c.TokenURL = "http://localhost:9191/token" }, ""},
		{func(c *Config) { c.TokenURL, c.AllowHTTP = "http://keycloak:8080/token", []string{"keycloak"} }, ""},
		{func(c *Config) { c.Auth, c.ClientSecret = SecretBasic{Secret: FromEnv("X")}, "" }, ""},
		{func(c *Config) { c.Auth, c.ClientSecret = &SecretPost{Secret: FromFile("/none")}, "" }, ""},
		{func(c *Config) { c.Params = url.Values{"audience": {"a"}} }, ""},
		{func(c *Config) {
			c.Scopes, c.Origins = []string{}, []string{"https://api.example", "http://[::1]:8080"}
		}, ""},

		{func(c *Config) { *c = Config{} }, "clientcreds: Issuer and TokenURL are both empty: set Issuer to the issuer's URL, or TokenURL to its token endpoint"},
		{func(c *Config) { c.Issuer = "https://issuer.example" }, "Issuer and TokenURL are both set: keep Issuer to discover the token endpoint, or TokenURL to name it"},
		{func(c *Config) { c.TokenURL = "issuer.example/token" }, `TokenURL: "issuer.example/token" is not an absolute URL: it must begin with https://`},
		{func(c *Config) { c.TokenURL = "ftp://issuer.example" }, `TokenURL: "ftp://issuer.example" has scheme "ftp": want https`},
		{func(c *Config) { c.TokenURL = "http://issuer.example/token" }, `plain http to a host that is not loopback: use https, or name "issuer.example" in AllowHTTP`},
		{func(c *Config) { c.TokenURL = "https://me:p1anted@issuer.example" }, "TokenURL: the URL has user information in it"},
		{func(c *Config) { c.TokenURL, c.Issuer = "", "https://issuer.example/#x" }, "Issuer: \"https://issuer.example/#x\" has a fragment"},
		{func(c *Config) { c.TokenURL, c.Issuer = "", "https://issuer.example/?x=hunter2" }, "Issuer: \"https://issuer.example/?...\" has a query: remove the part after ?"},
		{func(c *Config) { c.TokenURL, c.Issuer = "", "https://issuer.example/.well-known/openid-configuration" }, "Issuer: \"https://issuer.example/.well-known/openid-configuration\" is the place of a metadata document"},
		{func(c *Config) { c.AllowHTTP = []string{"http://keycloak"} }, `AllowHTTP: "http://keycloak" is not a host`},

		{func(c *Config) { c.ClientID = "" }, "ClientID is empty: set it"},
		{func(c *Config) { c.ClientID, c.ClientSecret, c.Auth = "", "", SecretBasic{Secret: FromEnv("X")} }, "Auth: ClientID is empty: set it"},
		{func(c *Config) { c.ClientSecret = "" }, "ClientSecret is empty and Auth is nil: set one of them (if the secret comes from an environment variable, that variable is not set)"},
		{func(c *Config) { c.ClientSecret = "p1anted\n" }, "ClientSecret begins or ends with a line break: trim it"},
		{func(c *Config) { c.Auth = SecretBasic{Secret: FromEnv("X")} }, "ClientSecret and Auth are both set: keep one"},
		{func(c *Config) { c.ClientSecret, c.Auth = "", SecretBasic{} }, "Auth: SecretBasic.Secret is nil: set it"},
		{func(c *Config) { c.ClientSecret, c.Auth = "", SecretPost{} }, "Auth: SecretPost.Secret is nil: set it"},
		{func(c *Config) { c.ClientSecret, c.Auth = "", (*SecretPost)(nil) }, "Auth: it is a nil *clientcreds.SecretPost"},

		{func(c *Config) { c.ClientID = "c\n" }, `ClientID: "c\n" has a control character in it`},
		{func(c *Config) { c.ClientID = "c\xff" }, "or is not UTF-8"},
		{func(c *Config) { c.ClientSecret = "p1an\x00ted" }, "ClientSecret has a control character in it"},
		{func(c *Config) { c.Issuer, c.TokenURL = "https://issuer.example/\x01", "" }, "Issuer: "},
		{func(c *Config) { c.TokenURL = "https://issuer.example/\n" }, "TokenURL: "},
		{func(c *Config) { c.Scopes = []string{"a\x00"} }, "no scope may have"},
		{func(c *Config) { c.Scopes = []string{"a\n"} }, "Scopes: "},
		{func(c *Config) { c.Resources = []string{"urn:a\x7f"} }, "Resources: "},
		{func(c *Config) { c.Origins = []string{"https://api.example\t"} }, "Origins: "},
		{func(c *Config) { c.AllowHTTP = []string{"keycloak\n"} }, `AllowHTTP: "keycloak\n" has a control character in it`},
		{func(c *Config) { c.Params = url.Values{"a\r": {"x"}} }, `Params: "a\r" has a control character in it`},

		{withAuth(SecretBasic{Secret: FromEnv("X"), SkipFormEncoding: true}), ""},
		{func(c *Config) {
			c.ClientID, c.ClientSecret, c.Auth = "a:b", "", SecretBasic{Secret: FromEnv("X"), SkipFormEncoding: true}
		}, "Auth: SecretBasic.SkipFormEncoding: ClientID has a colon in it"},
		{withAuth(SecretJWT{Secret: FromEnv("X")}), "Auth: SecretJWT.Audience is empty, and with TokenURL there is no issuer to take it from: set Audience to the issuer's identifier (RFC 10070), or Issuer"},
		{withAuth(SecretJWT{Secret: FromEnv("X"), Audience: "https://issuer.example"}), ""},
		{func(c *Config) {
			c.TokenURL, c.Issuer, c.ClientSecret, c.Auth = "", testIssuer, "", &SecretJWT{Secret: FromEnv("X")}
		}, ""},
		{withAuth(SecretJWT{Audience: "a"}), "Auth: SecretJWT.Secret is nil"},
		{withAuth(SecretJWT{Secret: FromEnv("X"), Audience: "a", Algorithm: "RS256"}), `Auth: SecretJWT.Algorithm: "RS256" is not one of HS256, HS384, HS512`},
		{withAuth(SecretJWT{Secret: FromEnv("X"), Audience: "a\n"}), `Auth: SecretJWT.Audience: "a\n" has a control character in it`},
		{withAuth(PrivateKeyJWT{Audience: "a"}), "Auth: PrivateKeyJWT.Key is nil: set it, to FromFile for example"},
		{withAuth(PrivateKeyJWT{Key: FromEnv("X")}), "Auth: PrivateKeyJWT.Audience is empty, and with TokenURL"},
		{withAuth(PrivateKeyJWT{Key: FromEnv("X"), Audience: "a", Algorithm: "HS256"}), `Auth: PrivateKeyJWT.Algorithm: "HS256" is not one of ES256, `},
		{withAuth(PrivateKeyJWT{Key: FromEnv("X"), Audience: "a", Algorithm: "none"}), `Algorithm: "none" is not one of`},
		{withAuth(PrivateKeyJWT{Key: FromEnv("X"), Audience: "a", KeyID: "k\n"}), "PrivateKeyJWT.KeyID"},
		{withAuth(PrivateKeyJWT{Key: FromEnv("X"), Audience: "a", Type: "k\n"}), "PrivateKeyJWT.Type"},
		{func(c *Config) {
			c.ClientID, c.ClientSecret, c.Auth = "", "", PrivateKeyJWT{Key: FromEnv("X"), Audience: "a"}
		}, "Auth: ClientID is empty: set it"},
		{withAuth(Assertion{}), "Auth: Assertion.Token is nil"},
		{func(c *Config) { c.ClientID, c.ClientSecret, c.Auth = "", "", Assertion{Token: FromEnv("X")} }, ""},
		{withAuth(MutualTLS{KeyFile: "k"}), "Auth: MutualTLS.CertFile is empty"},
		{withAuth(MutualTLS{CertFile: "c"}), "Auth: MutualTLS.KeyFile is empty"},
		{withAuth(MutualTLS{CertFile: "c", KeyFile: "k"}), ""}, // New does no I/O: the files may come later
		{func(c *Config) {
			c.TokenURL, c.ClientSecret, c.Auth = "http://localhost/token", "", MutualTLS{CertFile: "c", KeyFile: "k"}
		}, `Auth: MutualTLS needs https: TokenURL "http://localhost/token" is plain http`},
		{func(c *Config) {
			c.HTTPClient, c.ClientSecret, c.Auth = &http.Client{Transport: &script{}}, "", MutualTLS{CertFile: "c", KeyFile: "k"}
		}, "Auth: MutualTLS can't put a certificate into HTTPClient.Transport, a *clientcreds.script: leave it nil, or make it an *http.Transport"},
		{func(c *Config) {
			c.HTTPClient, c.ClientSecret, c.Auth = &http.Client{Transport: (*http.Transport)(nil)}, "", MutualTLS{CertFile: "c", KeyFile: "k"}
		}, "MutualTLS can't put a certificate into"},
		{func(c *Config) {
			c.HTTPClient, c.ClientSecret, c.Auth = &http.Client{Transport: &http.Transport{DialTLSContext: dialNothing}}, "", MutualTLS{CertFile: "c", KeyFile: "k"}
		}, "that has its own DialTLSContext"},

		{func(c *Config) { c.Scopes = []string{"openid profile"} }, `Scopes: "openid profile" has a space in it: give each scope an entry of its own`},
		{func(c *Config) { c.Scopes = []string{"openid", ""} }, "Scopes: an entry is empty: remove it"},
		{func(c *Config) { c.Scopes = []string{"a\"b"} }, "no scope may have"},
		{func(c *Config) { c.Resources = []string{"/relative"} }, `Resources: "/relative" is not an absolute URI`},
		{func(c *Config) { c.Resources = []string{"https://a/#b"} }, "is not an absolute URI without a fragment"},
		{func(c *Config) { c.Params = url.Values{"scope": {"x"}} }, `Params: "scope" may not be set here: use Scopes`},
		{func(c *Config) { c.Params = url.Values{"grant_type": {"x"}} }, `Params: "grant_type" may not be set here: it is always client_credentials`},
		{func(c *Config) { c.Params = url.Values{"client_secret": {"p1anted"}} }, `Params: "client_secret" may not be set here: use ClientSecret or Auth`},
		{func(c *Config) { c.Params = url.Values{"": {"x"}} }, "Params: a parameter has no name"},
		{func(c *Config) { c.Origins = []string{"https://api.example/v1"} }, `Origins: "https://api.example/v1" is more than an origin: write "https://api.example"`},
		{func(c *Config) { c.Origins = []string{"https://api.example:443/"} }, `is more than an origin: write "https://api.example"`},
		{func(c *Config) { c.Origins = []string{"api.example"} }, `Origins: "api.example" is not an absolute URL`},
		{func(c *Config) { c.Origins = []string{"http://api.example"} }, "Origins: \"http://api.example\" is plain http to a host that is not loopback"},
		{func(c *Config) { c.Origins = []string{""} }, "Origins: an entry is empty: remove it"},
		{func(c *Config) { c.Origins = []string{"https://*.example"} }, `Origins: "https://*.example" has a *, and there are no patterns: give each origin an entry of its own`},
		{func(c *Config) { c.Origins = []string{"https://api.example?key=p1anted"} }, `Origins: "https://api.example?..." is more than an origin: write "https://api.example"`},
		{func(c *Config) { c.TokenURL = "http://issuer.example/token?key=p1anted" }, `TokenURL: "http://issuer.example/token?..." is plain http`},
		{func(c *Config) { c.DefaultLifetime = -time.Second }, "DefaultLifetime: -1s is negative"},
	} {
		config := Config{TokenURL: testTokenURL, ClientID: "c", ClientSecret: "p1anted"}
		tt.change(&config)
		_, err := New(config)
		if tt.want == "" {
			assert.NoError(t, err)
			continue
		}
		if assert.ErrorContains(t, err, tt.want) {
			assert.Regexp(t, "^clientcreds: ", err.Error())
			assert.NotContains(t, err.Error(), "p1anted")
		}
	}
}

func TestNewCopiesWhatItKeeps(t *testing.T) {
	issuer := &script{next: tokens(time.Minute)}
	config := Config{
		TokenURL: testTokenURL, ClientID: "c", ClientSecret: "s", Scopes: []string{"a"}, Resources: []string{"urn:a"},
		Origins: []string{"https://a.example"}, Params: url.Values{"audience": {"a"}}, HTTPClient: &http.Client{Transport: issuer}, Logger: slog.New(slog.DiscardHandler),
	}
	source, err := New(config)
	require.NoError(t, err)
	config.Scopes[0], config.Resources[0], config.Origins[0], config.Params["audience"][0] = "b", "urn:b", "https://b.example", "b"
	config.Params.Set("more", "b")
	config.HTTPClient.Transport = nil
	target := Target{Scopes: []string{"c"}}
	child := source.For(target)
	target.Scopes[0] = "d"

	token(t, source)
	assert.Equal(t, url.Values{"grant_type": {"client_credentials"}, "scope": {"a"}, "resource": {"urn:a"}, "audience": {"a"}}, issuer.call(0).form)
	token(t, child)
	assert.Equal(t, "c", issuer.call(1).form.Get("scope"))
	_, err = source.Client(nil).Get("https://b.example")
	assert.ErrorIs(t, err, ErrOrigin)
}

func withAuth(auth ClientAuth) func(*Config) {
	return func(c *Config) { c.ClientSecret, c.Auth = "", auth }
}

func dialNothing(context.Context, string, string) (net.Conn, error) { return nil, errDown }
