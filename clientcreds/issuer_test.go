package clientcreds

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/svcauth/svcauth/internal/endpoint"
)

func mustAnswer(body string) *endpoint.Answer {
	return &endpoint.Answer{Status: 400, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body)}
}

const testIssuer = "https://issuer.example/realms/sivalabs"

func discovering(c *Config) { c.TokenURL, c.Issuer = "", testIssuer }

func TestDiscoveryIsLazyAndKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var paths []string
		endpointURL := "https://issuer.example/old"
		issuer := &script{}
		issuer.next = func(n int, r *http.Request) (*http.Response, error) {
			paths = append(paths, r.URL.Path)
			switch r.URL.Path {
			case "/realms/sivalabs/.well-known/openid-configuration":
				return reply(200, `{"issuer":"`+testIssuer+`","token_endpoint":"`+endpointURL+`"}`)
			case "/old", "/new":
				if "https://issuer.example"+r.URL.Path != endpointURL {
					return reply(404, "")
				}
				return tokens(time.Minute)(n, r)
			}
			return reply(500, "")
		}
		source := newTestSource(t, issuer, discovering)
		assert.Empty(t, paths)
		token(t, source)
		token(t, source.For(Target{Scopes: []string{"other"}}))
		assert.Equal(t, []string{"/realms/sivalabs/.well-known/openid-configuration", "/old", "/old"}, paths, "one document for all targets")

		endpointURL, paths = "https://issuer.example/new", nil
		time.Sleep(time.Minute)
		_, err := source.Token()
		assert.ErrorIs(t, err, ErrUnavailable)
		time.Sleep(time.Second)
		token(t, source)
		assert.Equal(t, []string{"/old", "/realms/sivalabs/.well-known/openid-configuration", "/new"}, paths, "an endpoint that is gone is looked up anew")
	})
}

func TestDiscoveryThatAsksToBeLeftAloneIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := &script{next: func(int, *http.Request) (*http.Response, error) { return reply(429, "", "Retry-After", "60") }}
		source := newTestSource(t, issuer, discovering)
		for range 60 {
			_, err := source.Token()
			assert.ErrorIs(t, err, ErrUnavailable)
			time.Sleep(time.Second)
		}
		assert.Equal(t, 1, issuer.count())
	})
}

// TestQueriesOfMetadataStandInNoError plants a secret where an issuer that must have one in a URL puts it.
func TestQueriesOfMetadataStandInNoError(t *testing.T) {
	for _, body := range []string{
		`{"issuer":"` + testIssuer + `?key=p1anted"}`,
		`{"issuer":"` + testIssuer + `","token_endpoint":"http://issuer.example/?key=p1anted"}`,
		`{"issuer":"https://other.example/?key=p1anted"}`,
	} {
		issuer := &script{next: func(int, *http.Request) (*http.Response, error) { return reply(200, body) }}
		_, err := newTestSource(t, issuer, func(c *Config) { c.TokenURL, c.Issuer = "", testIssuer }).Token()
		assert.ErrorIs(t, err, ErrUnavailable)
		assert.NotContains(t, err.Error(), "p1anted", body)
	}
}

func TestFailedDiscoveryIsTransient(t *testing.T) {
	for _, tt := range []struct {
		status int
		body   string
		text   string
	}{
		{404, ``, "clientcreds: discovery at https://issuer.example/realms/sivalabs/.well-known/openid-configuration: status 404 (is Issuer"},
		{401, `{"error":"invalid_client"}`, "discovery at https://issuer.example/realms/sivalabs/.well-known/openid-configuration: status 401 (next"},
		{200, `<html>`, "is not a metadata document (next"},
		{200, `{"issuer":"https://issuer.example/realms/Sivalabs","token_endpoint":"https://issuer.example/token"}`, "set Issuer to exactly what the issuer calls itself"},
		{200, `{"issuer":"` + testIssuer + `","token_endpoint":"http://issuer.example/token"}`, "may not be used"},
		{200, `{"issuer":"` + testIssuer + `"}`, "has no token_endpoint (next"},
	} {
		issuer := &script{next: func(int, *http.Request) (*http.Response, error) { return reply(tt.status, tt.body) }}
		_, err := newTestSource(t, issuer, discovering).Token()
		assert.ErrorIs(t, err, ErrUnavailable)
		assert.ErrorContains(t, err, tt.text)
		for i := range issuer.count() {
			assert.Empty(t, issuer.call(i).header.Get("Authorization"), "no secret goes out without a token endpoint")
		}
	}
}
