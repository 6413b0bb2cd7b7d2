package webapp

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// issuerSaying is a provider whose issuer answers every request with body; ISSUER in it stands for the issuer itself.
func issuerSaying(t *testing.T, status int, body string) *provider {
	t.Helper()
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
		w.Write([]byte(strings.ReplaceAll(body, "ISSUER", server.URL)))
	}))
	t.Cleanup(server.Close)
	return newProvider(Config{Issuer: server.URL, ClientID: "app", ClientSecret: secret("s"), Logger: slog.New(slog.DiscardHandler)}, "")
}

func TestDiscovery(t *testing.T) {
	const good = `{"issuer":"ISSUER","authorization_endpoint":"ISSUER/a","token_endpoint":"ISSUER/t","jwks_uri":"ISSUER/k"}`
	for _, c := range []struct {
		name   string
		status int
		body   string
		says   string
	}{
		{"good", 200, good, ""},
		{"another issuer", 200, strings.Replace(good, "ISSUER", "ISSUER/", 1), "set -issuer to exactly what the issuer calls itself"},
		{"not found", 404, good, "status 404"},
		{"a redirect", 302, good, "status 302"},
		{"no JSON", 200, "<html>", "not a metadata document"},
		{"endpoint missing", 200, strings.Replace(good, "token_endpoint", "x", 1), "token_endpoint may not be used"},
		{"endpoint in the clear", 200, strings.Replace(good, "ISSUER/t", "http://evil.example/t", 1), "token_endpoint may not be used"},
		{"endpoint of another kind", 200, strings.Replace(good, "ISSUER/a", "javascript:alert(1)", 1), "authorization_endpoint may not be used"},
		{"too large", 200, good + strings.Repeat(" ", maxIssuerBody), "larger than 1 MiB"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := issuerSaying(t, c.status, c.body).oauth(t.Context())
			if c.says == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, errIssuerUnavailable)
			assert.ErrorContains(t, err, c.says)
		})
	}
}

func TestKeySets(t *testing.T) {
	const key = `{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`
	for _, c := range []struct {
		name, body string
		keys       int
	}{
		{"one key", `{"keys":[` + key + `]}`, 1},
		{"an unknown kind first", `{"keys":[{"kty":"AKP","kid":"b"},` + key + `]}`, 1},
		{"none", `{"keys":[]}`, 0},
		{"only unknown kinds", `{"keys":[{"kty":"AKP"}]}`, 0},
		{"no set", `[]`, 0},
		{"no JSON", `<html>`, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := issuerSaying(t, 200, c.body)
			p.metadata.value, p.metadata.at = metadata{Keys: p.issuer + "/keys"}, time.Now()
			set, err := p.keys.get(t.Context())
			if c.keys == 0 {
				require.Error(t, err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.keys, set.Len())
		})
	}
}
