package keycloaktest

import (
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestRequestsByEndpoint(t *testing.T) {
	s := startJSON(t, `{"realm": "with space", "enabled": true}`)
	for _, path := range []string{
		"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/protocol/openid-connect/certs", "/protocol/openid-connect/certs/",
		"/protocol/openid-connect/certs?a=b",
	} {
		get(t, s.Issuer()+path)
	}
	get(t, s.URL+"/.well-known/oauth-authorization-server/realms/with%20space")
	get(t, s.URL+"/elsewhere")
	get(t, s.URL)
	for endpoint, want := range map[string]int{
		DiscoveryEndpoint: 3, JWKSEndpoint: 3, TokenEndpoint: 0, AllEndpoints: 8,
		s.Issuer() + DiscoveryEndpoint: 1, s.certsURL(): 3, s.certsURL() + "/?c=d": 3, s.tokenURL(): 0,
		"/realms/with space/protocol/openid-connect/certs": 3, "/realms/with%20space/protocol/openid-connect/certs": 3, "/elsewhere": 1, s.URL: 1,
	} {
		assert.Equal(t, want, s.Requests(endpoint), endpoint)
	}
}

func TestRequestsOfWhatIsNotThere(t *testing.T) {
	s := start(t, Config{InMemory: true})
	assert.Zero(t, s.Requests(s.tokenURL()+"s"))
	assert.Zero(t, s.Requests("/"))
	for _, given := range []string{"http://127.0.0.1:1/token", "token", "?"} {
		assert.PanicsWithValue(t, fmt.Sprintf("keycloaktest: %q is no path or URL of this server, which is %s: take one of the constants, such as TokenEndpoint", given, s.URL),
			func() { s.Requests(given) })
	}
}

func TestGrantsAndRefusals(t *testing.T) {
	s := start(t, Config{})
	var group sync.WaitGroup
	for range 3 {
		group.Go(func() { issue(t, s, "job", "job-secret", "") })
	}
	group.Wait()
	issue(t, s, "job", "wrong", "")
	issue(t, s, "job", "job-secret", "&scope=nope")
	issue(t, s, "stranger", "x", "")
	issue(t, s, "service", "x", "")
	renew(t, s, s.Token(Token{User: "alice", Type: "Refresh"}))
	send(t, http.MethodPost, s.tokenURL(), "grant_type=client_credentials&client_id=job&client_secret=job-secret", http.Header{"Content-Type": {formType}})
	s.SetTrouble(TokenEndpoint, Status(503))
	send(t, http.MethodPost, s.tokenURL(), "grant_type=client_credentials&client_id=job&client_secret=job-secret", http.Header{"Content-Type": {formType}})
	for id, want := range map[string][2]int{"job": {4, 2}, "webapp": {1, 0}, "service": {0, 1}} {
		assert.Equal(t, want, [2]int{s.Grants(id), s.Refusals(id)}, id)
	}
	assert.Equal(t, 1, s.Refusals(""))
	assert.PanicsWithValue(t, `keycloaktest: realm "test" has no client "jobs" (it has service, job, webapp)`, func() { s.Grants("jobs") })
	assert.PanicsWithValue(t, `keycloaktest: realm "test" has no client "jobs" (it has service, job, webapp)`, func() { s.Refusals("jobs") })
}

func TestLastTokenRequest(t *testing.T) {
	s := start(t, Config{})
	assert.Nil(t, s.LastTokenRequest())
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {"job"}, "scope": {"profile"}, "audience": {"a", "b"}, "subject_token_type": {"urn:a"},
		"client_secret": {"4711"}, "client_assertion": {"4711"}, "code": {"4711"}, "code_verifier": {"4711"}, "refresh_token": {"4711", "4711"},
		"password": {"4711"}, "subject_token": {"4711"}, "API_KEY": {"4711"}, "client_assertion_type": {"urn:b"},
	}
	send(t, http.MethodPost, s.tokenURL(), form.Encode(), http.Header{"Content-Type": {formType}})
	got := s.LastTokenRequest()
	assert.NotContains(t, got.Encode(), "4711")
	for name, values := range form {
		assert.Len(t, got[name], len(values), name)
		if values[0] == "4711" {
			assert.Equal(t, "[secret]", got.Get(name), name)
		} else {
			assert.Equal(t, values, got[name], name)
		}
	}
	got.Set("scope", "changed")
	got["audience"][0] = "changed"
	assert.Equal(t, "profile", s.LastTokenRequest().Get("scope"))
	assert.Equal(t, "a", s.LastTokenRequest().Get("audience"))
}
