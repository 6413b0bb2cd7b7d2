package keycloaktest_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/svcauth/svcauth/keycloak/keycloaktest"
)

// bubble runs a test with a clock of its own, and a realm with changed members.
func bubble(t *testing.T, members string, test func(t *testing.T, s *keycloaktest.Server)) {
	t.Helper()
	s := keycloaktest.NewServer(keycloaktest.Config{RealmJSON: []byte(strings.Replace(peopleRealm, `"enabled": true,`, `"enabled": true,`+members, 1))})
	t.Cleanup(s.Close)
	s.Token(keycloaktest.Token{User: "alice"}) // makes the key outside the bubble
	synctest.Test(t, func(t *testing.T) { test(t, s) })
}

func TestIdleSessionEnds(t *testing.T) {
	bubble(t, `"ssoSessionIdleTimeout": 600,`, func(t *testing.T, s *keycloaktest.Server) {
		b := newBrowser(t, s)
		given := b.tokens()
		for range 5 { // use keeps it
			time.Sleep(599 * time.Second)
			status, body := b.refresh(given.Refresh, "")
			require.Equal(t, 200, status, body)
			given = parse[tokens](t, body)
			assert.Equal(t, 600, given.RefreshExpiresIn)
		}
		time.Sleep(600 * time.Second)
		_, body := b.refresh(given.Refresh, "")
		assert.Equal(t, grantError("invalid_grant", "Token is not active"), body)
		assert.Equal(t, "login_required", parameters(t, b.authorize("prompt=none")).Get("error"))
	})
}

func TestSessionEndsInAnyCase(t *testing.T) {
	bubble(t, `"ssoSessionIdleTimeout": 600, "ssoSessionMaxLifespan": 1000,`, func(t *testing.T, s *keycloaktest.Server) {
		b := newBrowser(t, s)
		given := b.tokens()
		time.Sleep(590 * time.Second)
		assert.NotEmpty(t, b.signIn("prompt=none"), "single sign-on uses it too")
		_, body := b.refresh(given.Refresh, "")
		given = parse[tokens](t, body)
		assert.Equal(t, 410, given.RefreshExpiresIn)
		assert.Equal(t, 60, given.ExpiresIn)
		time.Sleep(390 * time.Second)
		_, body = b.refresh(given.Refresh, "")
		given = parse[tokens](t, body)
		assert.Equal(t, []int{20, 20}, []int{given.RefreshExpiresIn, given.ExpiresIn})
		assert.EqualValues(t, time.Now().Add(20*time.Second).Unix(), claims(t, given.Access, 1)["exp"])
		time.Sleep(20 * time.Second)
		_, body = b.refresh(given.Refresh, "")
		assert.Equal(t, grantError("invalid_grant", "Token is not active"), body)
		assert.Equal(t, "login_required", parameters(t, b.authorize("prompt=none")).Get("error"))
	})
}

func TestDefaultLifespans(t *testing.T) {
	bubble(t, "", func(t *testing.T, s *keycloaktest.Server) {
		b := newBrowser(t, s)
		code := b.signIn("")
		time.Sleep(59 * time.Second)
		status, _ := b.redeem(code, "")
		assert.Equal(t, 200, status)
		code = b.signIn("")
		time.Sleep(60 * time.Second)
		_, body := b.redeem(code, "")
		assert.Equal(t, codeNotValid, body)

		slow := newBrowser(t, s)
		slow.authorize("")
		page := *slow
		time.Sleep(30*time.Minute - time.Second)
		assert.NotEmpty(t, parameters(t, slow.fill("alice", "alice-pw")).Get("code"))
		time.Sleep(time.Second)
		assert.Equal(t, 400, page.fill("alice", "alice-pw").StatusCode)
	})
}

func TestAuthTimeAndMaxAge(t *testing.T) {
	bubble(t, "", func(t *testing.T, s *keycloaktest.Server) {
		b := newBrowser(t, s)
		authTime := func(code string) float64 {
			_, body := b.redeem(code, "")
			return claims(t, parse[tokens](t, body).ID, 1)["auth_time"].(float64)
		}
		start := float64(time.Now().Unix())
		assert.Equal(t, start, authTime(b.signIn("")))
		assert.NotEmpty(t, b.signIn("max_age=0&prompt=none"), "given in this second")
		time.Sleep(10 * time.Second)
		assert.Equal(t, start, authTime(b.signIn("max_age=10")))
		assert.Equal(t, "login_required", parameters(t, b.authorize("max_age=9&prompt=none")).Get("error"))
		assert.Equal(t, start+10, authTime(b.signIn("max_age=9")))
	})
}

func TestSetTokenLifetime(t *testing.T) {
	bubble(t, "", func(t *testing.T, s *keycloaktest.Server) {
		b := newBrowser(t, s)
		s.SetTokenLifetime(2 * time.Second)
		given := b.tokens()
		assert.Equal(t, []int{2, 1800}, []int{given.ExpiresIn, given.RefreshExpiresIn})
		for _, token := range []string{given.Access, given.ID, s.Token(keycloaktest.Token{User: "alice"})} {
			assert.EqualValues(t, time.Now().Unix()+2, claims(t, token, 1)["exp"])
		}
		time.Sleep(2 * time.Second)
		status, _ := b.userinfo(given.Access)
		assert.Equal(t, 401, status)
		s.SetTokenLifetime(0)
		status, body := b.refresh(given.Refresh, "")
		assert.Equal(t, 200, status)
		assert.Equal(t, 60, parse[tokens](t, body).ExpiresIn)
	})
	assert.Panics(t, func() { people(t).SetTokenLifetime(-1) })
}

func TestSignInFaults(t *testing.T) {
	s := people(t)
	b := newBrowser(t, s)
	given := b.tokens()
	s.SetDown(true)
	_, err := b.http.Get(b.endpoint("auth"))
	assert.ErrorContains(t, err, "the server is down")
	s.SetDown(false)
	s.RotateKeys(false)
	status, _ := b.userinfo(given.Access)
	assert.Equal(t, 401, status, "its key is gone")
	status, _ = b.refresh(given.Refresh, "")
	assert.Equal(t, 200, status, "refresh tokens have another key")
	assert.Equal(t, 2, s.Requests(b.endpoint("userinfo"))+s.Requests(b.endpoint("auth"))-1)
}

// The session's ID is in tokens and in redirects, so it must not be enough to be signed in.
func TestSessionIDIsNoCookie(t *testing.T) {
	s := people(t)
	given := newBrowser(t, s).tokens()
	for _, value := range []string{given.SessionState, given.SessionState + ".", given.SessionState + ".x"} {
		b := newBrowser(t, s)
		at, err := url.Parse(b.endpoint("auth"))
		require.NoError(t, err)
		b.http.Jar.SetCookies(at, []*http.Cookie{{Name: "KEYCLOAK_IDENTITY", Value: value}})
		assert.Equal(t, "login_required", parameters(t, b.authorize("prompt=none")).Get("error"), value)
	}
}

func TestManySignInsAtOnce(t *testing.T) {
	s := people(t)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			b := newBrowser(t, s)
			given := b.tokens()
			status, body := b.refresh(given.Refresh, "")
			assert.Equal(t, 200, status, body)
			status, body = b.userinfo(given.Access)
			assert.Equal(t, 200, status, body)
			b.authorize("")
			s.EndSessions("bob")
		})
	}
	group.Wait()
	assert.Equal(t, 8, s.EndSessions("alice"))
}

// One code that is sent many times at once gives tokens once.
func TestCodeIsSpentOnce(t *testing.T) {
	b := newBrowser(t, people(t))
	code := b.signIn("")
	var group sync.WaitGroup
	var mu sync.Mutex
	given := 0
	for range 8 {
		group.Go(func() {
			if status, _ := b.redeem(code, ""); status == 200 {
				mu.Lock()
				given++
				mu.Unlock()
			}
		})
	}
	group.Wait()
	assert.Equal(t, 1, given)
}
