package keycloaktest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAddr(t *testing.T) {
	for _, c := range []struct {
		addr string
		host string // of the issuer; empty: refused
	}{
		{"", "127.0.0.1"},
		{"127.0.0.1:0", "127.0.0.1"},
		{"localhost:0", "localhost"},
		{"[::1]:0", "::1"},

		{":0", ""},
		{"0.0.0.0:0", ""},
		{"[::]:0", ""},
		{"192.0.2.1:0", ""},
		{"example.com:0", ""},
		{"localhost.example.com:0", ""},
		{"127.0.0.1", ""},
		{"9191", ""},
		{"localhost:not-a-port", ""},
	} {
		t.Run(c.addr, func(t *testing.T) {
			s, err := Start(Config{Addr: c.addr})
			if c.host == "" {
				require.Error(t, err)
				assert.Contains(t, err.Error(), fmt.Sprintf("keycloaktest: Addr %q", c.addr))
				return
			}
			if c.host == "::1" && err != nil {
				require.ErrorContains(t, err, "listen", "refused though it is loopback") // a machine without IPv6
				return
			}
			require.NoError(t, err)
			defer s.Close()
			u, err := url.Parse(s.Issuer())
			require.NoError(t, err)
			assert.Equal(t, c.host, u.Hostname())
			assert.Equal(t, s.URL+"/realms/test", s.Issuer())
		})
	}
}

func TestDiscovery(t *testing.T) {
	s := start(t, Config{})
	for _, u := range []string{
		s.Issuer() + "/.well-known/openid-configuration",
		s.Issuer() + "/.well-known/oauth-authorization-server",
		s.URL + "/.well-known/oauth-authorization-server/realms/test",
	} {
		res, body := get(t, u)
		assert.Equal(t, 200, res.StatusCode)
		assert.Equal(t, "no-cache, must-revalidate, no-transform, no-store", res.Header.Get("Cache-Control"))
		assert.NotContains(t, res.Header, "Date", "Keycloak sends none")
		var document map[string]any
		require.NoError(t, json.Unmarshal([]byte(body), &document))
		assert.Equal(t, s.Issuer(), document["issuer"])
		assert.Equal(t, s.tokenURL(), document["token_endpoint"])
		assert.Equal(t, s.certsURL(), document["jwks_uri"])
		assert.Equal(t, []any{"authorization_code", "client_credentials", "refresh_token"}, document["grant_types_supported"])
		for member, endpoint := range map[string]string{"authorization_endpoint": "auth", "userinfo_endpoint": "userinfo", "end_session_endpoint": "logout"} {
			assert.Equal(t, s.Issuer()+"/protocol/openid-connect/"+endpoint, document[member])
		}
		for member, want := range map[string]any{
			"response_types_supported": []any{"code"}, "code_challenge_methods_supported": []any{"plain", "S256"},
			"acr_values_supported": []any{"0", "1"}, "authorization_response_iss_parameter_supported": true, "request_uri_parameter_supported": false,
		} {
			assert.Equal(t, want, document[member], member)
		}
		assert.Equal(t, []any{"client_secret_basic", "client_secret_post"}, document["token_endpoint_auth_methods_supported"])
		for _, absent := range []string{"introspection_endpoint", "revocation_endpoint", "device_authorization_endpoint", "registration_endpoint"} {
			assert.NotContains(t, document, absent, "is not served, so is not advertised")
		}
	}
}

func TestAdvertisedURLsAnswer(t *testing.T) {
	s := startJSON(t, `{"realm": "with space", "enabled": true}`)
	_, body := get(t, s.Issuer()+"/.well-known/openid-configuration")
	var document struct {
		Issuer string `json:"issuer"`
		JWKS   string `json:"jwks_uri"`
	}
	require.NoError(t, json.Unmarshal([]byte(body), &document))
	assert.True(t, strings.HasSuffix(document.Issuer, "/realms/with%20space"), document.Issuer)
	res, _ := get(t, document.JWKS)
	assert.Equal(t, 200, res.StatusCode)
}

func TestWrongPathsAndMethods(t *testing.T) {
	s := start(t, Config{})
	const noRealm = `{"error":"Realm does not exist"}`
	for _, c := range []struct {
		method, path string
		status       int
		body         string
	}{
		{"GET", "/realms/nope/.well-known/openid-configuration", 404, noRealm},
		{"GET", "/.well-known/oauth-authorization-server/realms/nope", 404, noRealm},
		{"POST", "/realms/nope/protocol/openid-connect/token", 404, noRealm},
		{"GET", "/realms/test/.well-known/nope", 404, `{"error":"HTTP 404 Not Found"}`},
		{"GET", "/realms/test/protocol/openid-connect/nope", 404, `{"error":"HTTP 404 Not Found"}`},
		{"GET", "/nope", 404, `{"error":"Unable to find matching target resource method"}`},
		{"POST", "/realms/test/.well-known/openid-configuration", 404, `{"error":"HTTP 404 Not Found"}`},
		{"POST", "/realms/test/protocol/openid-connect/certs", 405, `{"error":"HTTP 405 Method Not Allowed"}`},
		{"HEAD", "/realms/test/protocol/openid-connect/certs", 200, ""},
		{"HEAD", "/realms/test/.well-known/openid-configuration", 200, ""},
	} {
		res, body := send(t, c.method, s.URL+c.path, "", nil)
		assert.Equal(t, c.status, res.StatusCode, c.method+" "+c.path)
		assert.Equal(t, c.body, body, c.method+" "+c.path)
	}
}

func TestCloseStopsAndMayBeRepeated(t *testing.T) {
	s := NewServer(Config{})
	s.Close()
	s.Close()
	_, err := http.Get(s.URL)
	assert.Error(t, err)
}

func TestNewServerPanicsWithAClearError(t *testing.T) {
	assert.PanicsWithError(t, "keycloaktest: RealmJSON: clients[0].clientId: want a client ID, got none", func() {
		NewServer(Config{RealmJSON: []byte(`{"realm": "r", "clients": [{}]}`)})
	})
}

func TestServerPrintsNoSecret(t *testing.T) {
	s := start(t, Config{})
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		assert.NotContains(t, fmt.Sprintf(verb, s), "job-secret")
	}
}

func TestServerBoundsItsReads(t *testing.T) {
	s := start(t, Config{})
	assert.Positive(t, s.http.ReadHeaderTimeout)
	assert.Positive(t, s.http.ReadTimeout)
	assert.Positive(t, s.http.WriteTimeout)
	res, _ := send(t, http.MethodGet, s.certsURL(), "", http.Header{"X": {strings.Repeat("a", 100<<10)}})
	assert.Equal(t, http.StatusRequestHeaderFieldsTooLarge, res.StatusCode)
}
