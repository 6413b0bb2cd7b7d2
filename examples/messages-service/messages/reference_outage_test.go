package messages

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/svcauth/svcauth/examples/realm"
	"github.com/svcauth/svcauth/keycloak/keycloaktest"
)

// The issuer is down when the service starts. The original answered a bare 401 to every token, which tells clients to throw good tokens away.
func TestReferenceIssuerUnreachable(t *testing.T) {
	issuer := keycloaktest.NewServer(keycloaktest.Config{RealmJSON: realm.JSON})
	t.Cleanup(issuer.Close)
	issuer.SetDown(true)
	admin := issuer.Token(keycloaktest.Token{User: "admin"})
	none := token(`{"alg":"none","typ":"JWT"}`, `{}`, func(string) []byte { return []byte{0} })
	s := newService(t, issuer.Issuer())

	const better = "503 says that the service, not the token, is at fault, and when to try again"
	for _, row := range []struct {
		name, token, method, path string
		original                  int
		challenge                 string
		ours                      int
		better                    string
	}{
		{"no token", "", "GET", "/api/messages", 200, "", 200, ""},
		{"no token", "", "POST", "/api/messages/archive", 401, bare, 401, ""},
		{"no token", "", "GET", "/nope", 401, bare, 401, ""},
		{"valid-looking token", admin, "GET", "/api/messages", 401, "", 200, "an outage of the issuer does not close a public page"},
		{"valid-looking token", admin, "POST", "/api/messages/archive", 401, "", 503, better},
		{"valid-looking token", admin, "GET", "/nope", 401, "", 503, better},
		{"garbage", "garbage", "GET", "/api/messages", 401, "", 200, "a public page looks at no token"},
		{"garbage", "garbage", "POST", "/api/messages/archive", 401, malformed, 401, ""},
		{"garbage", "garbage", "GET", "/nope", 401, malformed, 401, ""},
		{"alg none", none, "GET", "/api/messages", 401, "", 200, "a public page looks at no token"},
		{"alg none", none, "POST", "/api/messages/archive", 401, badAlgorithm, 401, ""},
		{"alg none", none, "GET", "/nope", 401, badAlgorithm, 401, ""},
	} {
		t.Run(row.name+" "+row.path, func(t *testing.T) {
			compare(t, row.original, row.ours, row.better)
			resp := call(s, row.method, row.path, row.token, "", "")
			assert.Equal(t, row.ours, resp.StatusCode)
			checkRefusal(t, resp, row.challenge, row.token)
			if row.ours == 503 {
				seconds, err := strconv.Atoi(resp.Header.Get("Retry-After"))
				assert.NoError(t, err)
				assert.Positive(t, seconds)
			}
		})
	}

	issuer.SetDown(false)
	assert.Eventually(t, func() bool { return call(s, "POST", "/api/messages/archive", admin, "", "").StatusCode == 200 }, 10*time.Second, 50*time.Millisecond,
		"the service recovers with its issuer, without a restart")
	issuer.SetDown(true)
	assert.Equal(t, 200, call(s, "GET", "/api/me", issuer.Token(keycloaktest.Token{User: "user"}), "", "").StatusCode, "keys once loaded serve through an outage")
}
