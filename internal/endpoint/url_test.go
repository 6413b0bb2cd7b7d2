package endpoint

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseURL(t *testing.T) {
	for _, tt := range []struct {
		raw   string
		allow []string
		want  string // empty: accepted
	}{
		{"https://issuer.example", nil, ""},
		{"https://issuer.example/realms/a/?b=c", nil, ""},
		{"HTTPS://issuer.example", nil, ""},
		{"http://localhost:9191/realms/sivalabs", nil, ""},
		{"http://127.0.0.1", nil, ""},
		{"http://[::1]:8080", nil, ""},
		{"http://keycloak:8080/token", []string{"keycloak"}, ""},
		{"http://keycloak:8080/token", []string{"keycloak:8080"}, ""},
		{"http://keycloak/token", []string{"keycloak:80"}, ""},
		{"http://keycloak:80/token", []string{"keycloak:80"}, ""},
		{"http://[fd00::1]:8080/token", []string{"fd00::1"}, ""},
		{"http://[fd00::1]:8080/token", []string{"[fd00::1]"}, ""},
		{"http://[fd00::1]/token", []string{"[fd00::1]:80"}, ""},

		{"", nil, "is not an absolute URL"},
		{"issuer.example", nil, "is not an absolute URL"},
		{"issuer.example:443", nil, "it must begin with https://"},
		{"//issuer.example", nil, "is not an absolute URL"},
		{"ftp://issuer.example", nil, `has scheme "ftp"`},
		{"https://", nil, "has no host"},
		{"https://:443", nil, "has no host"},
		{"https://issuer.example/#", nil, "has a fragment"},
		{"https://a\x7f", nil, "can't be parsed"},
		{"http://issuer.example", nil, "is plain http to a host that is not loopback"},
		{"http://keycloak:8081", []string{"keycloak:8080"}, "is plain http"},
		{"http://keycloak", []string{"keycloak:8080"}, "is plain http"},
		{"http://[2001:db8::1]", []string{"2001:db8::1:80", "2001", "[2001:db8::2]", "[2001:db8::1]:81"}, "is plain http"},
		{"http://fd00", []string{"fd00::1", "[fd00::1]"}, "is plain http"},
		{"http://fd00:1", []string{"fd00::1"}, "is plain http"},
		{"http://fd00:8080", []string{"fd00::"}, "is plain http"},
		{"http://keycloak:8080", []string{"keycloak:80"}, "is plain http"},
		{"http://localhost.evil.example", nil, "is plain http"},
		{"http://127.0.0.1.evil.example", nil, "is plain http"},
		{"http://0.0.0.0", nil, "is plain http"},
		{"https://me:p1anted@issuer.example", nil, "user information"},
		{"https://me:p1anted@issuer.example:x", nil, "it can't be parsed as a URL"},
		{"http://issuer.example/token?code=p1anted", nil, `"http://issuer.example/token?..." is plain http`},
		{"https://issuer.example/?code=p1anted#x", nil, "has a fragment"},
		{"https://issuer.example/?code=p1anted\n", nil, "can't be parsed"},
	} {
		_, err := ParseURL(tt.raw, tt.allow)
		if tt.want == "" {
			assert.NoError(t, err, tt.raw)
		} else if assert.ErrorContains(t, err, tt.want, tt.raw) {
			assert.NotContains(t, err.Error(), "p1anted")
		}
	}
}

func TestPlainAllowed(t *testing.T) {
	u, err := url.Parse("ftp://localhost")
	require.NoError(t, err)
	assert.False(t, PlainAllowed(u, []string{"localhost"}))
}

func TestCheckAllowHTTP(t *testing.T) {
	assert.NoError(t, CheckAllowHTTP(nil))
	assert.NoError(t, CheckAllowHTTP([]string{"keycloak", "keycloak:8080", "10.0.0.1", "::1", "[::1]:80"}))
	for _, bad := range []string{"", " ", "http://keycloak", "keycloak/", "a@b", ":80", "*", "*.internal"} {
		assert.ErrorContains(t, CheckAllowHTTP([]string{"ok", bad}), "is not a host", "%q", bad)
	}
}

func TestLoopback(t *testing.T) {
	for _, yes := range []string{"localhost", "LOCALHOST", "127.0.0.1", "127.255.0.3", "::1", "::ffff:127.0.0.1"} {
		assert.True(t, Loopback(yes), yes)
	}
	for _, no := range []string{"", "localhost.", "localhost.evil.example", "0.0.0.0", "::", "10.0.0.1", "127.1", "0177.0.0.1"} {
		assert.False(t, Loopback(no), no)
	}
}
