package integration

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// statuses are what five requests are answered: POST archive, GET me, GET messages and GET nope of messages-service, and POST archive of archival-service.
type statuses [5]int

var (
	admin    = statuses{200, 200, 200, 404, 200}
	job      = statuses{200, 200, 200, 404, 403}
	anybody  = statuses{403, 200, 200, 404, 403}
	stranger = statuses{401, 401, 200, 401, 401} // the public page has no check at all
)

// TestTokens is which token opens what. Where the services of the articles differ, the comment says why these do.
func TestTokens(t *testing.T) {
	onEachIssuer(t, func(t *testing.T, one issuer) {
		ada, uma := person(t, one, wide, "admin"), person(t, one, wide, "user")
		account := func(id string) string { return service(t, one, wide, id, "secret") }
		m := messages(t, one.URL(wide), "")
		a := archival(t, one.URL(wide), m.url, "-interval", "1h")

		for _, c := range []struct {
			name, token string
			want        statuses
		}{
			{"a person with ROLE_ADMIN", ada.Access, admin},
			{"a person with ROLE_USER", uma.Access, anybody},
			{"a service account with ROLE_ADMIN", account("as-admin"), admin},
			{"a service account with ROLE_ADMIN_JOB", account("as-job"), job},
			{"a service account with ROLE_USER", account("as-user"), anybody},
			{"a service account with the default roles", account("as-nobody"), anybody},
			{"a token of archival-service, for messages-service alone", service(t, one, wide, "archival-service", jobSecret), statuses{200, 200, 200, 404, 401}},

			{"no claim realm_access: no roles, and no crash as in the articles", account("no-roles-scope"), anybody},
			{"a lightweight token: no name, no roles", one.Lightweight(t, wide), anybody},

			{"no token", "", stranger},
			{"an ID token: the articles' services take it", ada.ID, stranger},
			{"a refresh token", ada.Refresh, stranger},
			{"another realm's token", one.Foreign(t), stranger},
			{"the article's realm, without audiences", service(t, one, article, "archival-service", jobSecret), stranger},

			{"a word", "garbage", stranger},
			{"two parts", "a.b", stranger},
			{"three parts", "a.b.c", stranger},
			{"five parts", "a.b.c.d.e", stranger},
			{"outside the character set", "abc$def", stranger},
			{"one character of the signature changed", part(t, ada.Access, 0) + "." + part(t, ada.Access, 1) + "." + flipped(part(t, ada.Access, 2)), stranger},
			{"signature taken away", part(t, ada.Access, 0) + "." + part(t, ada.Access, 1) + ".", stranger},
			{"signature cut off", part(t, ada.Access, 0) + "." + part(t, ada.Access, 1), stranger},
			{"an admin's claims under a user's signature", part(t, uma.Access, 0) + "." + part(t, ada.Access, 1) + "." + part(t, uma.Access, 2), stranger},
			{"alg none", encode(`{"alg":"none"}`) + "." + part(t, ada.Access, 1) + ".", stranger},
			{"alg none with a signature", encode(`{"alg":"none"}`) + "." + part(t, ada.Access, 1) + "." + part(t, ada.Access, 2), stranger},
			{"HS256 keyed with what is public", hs256(ada.Access, keyID(t, ada.Access)), stranger},
			{"a key that nobody has", encode(`{"alg":"RS256","kid":"nobody"}`) + "." + part(t, ada.Access, 1) + "." + part(t, ada.Access, 2), stranger},
		} {
			t.Run(c.name, func(t *testing.T) {
				got := []answer{
					archive(t, m, c.token),
					send(t, http.MethodGet, m.url+"/api/me", c.token, nil),
					send(t, http.MethodGet, m.url+"/api/messages", c.token, nil),
					send(t, http.MethodGet, m.url+"/nope", c.token, nil),
					archive(t, a, c.token),
				}
				for i, one := range got {
					assert.Equal(t, c.want[i], one.status, "request %d: %s", i, one)
					assert.Equal(t, challenge(one.status, c.token), prefix(one.header.Get("WWW-Authenticate")), "request %d", i)
					if c.token != "" {
						assert.NotContains(t, string(one.body), c.token, "request %d", i)
					}
				}
			})
		}
		for _, secret := range []string{ada.Access, ada.ID, ada.Refresh, uma.Access} {
			assert.NotContains(t, m.log.String()+a.log.String(), secret)
		}
	})
}

// challenge is how the WWW-Authenticate field of an answer begins.
func challenge(status int, token string) string {
	switch {
	case status == http.StatusUnauthorized && token == "":
		return "Bearer"
	case status == http.StatusUnauthorized:
		return `Bearer error="invalid_token"`
	case status == http.StatusForbidden:
		return `Bearer error="insufficient_scope"`
	}
	return ""
}

func prefix(field string) string {
	first, _, _ := strings.Cut(field, ",")
	return first
}

// TestExpiredTokens: an ended token is good for another minute, since clocks differ, and then no more. The wait for that is in the long run.
func TestExpiredTokens(t *testing.T) {
	onEachIssuer(t, func(t *testing.T, one issuer) {
		m := messages(t, one.URL(wide), "")
		ended := one.Expired(t, wide)
		got := archive(t, m, ended)
		assert.Equal(t, http.StatusOK, got.status, "%s", got)
		if long {
			require.Eventually(t, func() bool { return archiveStatus(t, m, ended) != http.StatusOK }, 75*time.Second, time.Second)
			got = archive(t, m, ended)
			assert.Equal(t, http.StatusUnauthorized, got.status, "%s", got)
			assert.Contains(t, got.header.Get("WWW-Authenticate"), "the token has expired")
		}
	})
}

func part(t *testing.T, token string, n int) string {
	t.Helper()
	parts := strings.Split(token, ".")
	require.Len(t, parts, 3)
	return parts[n]
}

func flipped(text string) string {
	first := "A"
	if strings.HasPrefix(text, first) {
		first = "B"
	}
	return first + text[1:]
}

func encode(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// hs256 signs the claims of a token anew, with key as the secret.
func hs256(token, key string) string {
	text := encode(fmt.Sprintf(`{"alg":"HS256","kid":%q}`, key)) + "." + strings.Split(token, ".")[1]
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
