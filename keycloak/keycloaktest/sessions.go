package keycloaktest

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// The cookies of a browser, by Keycloak's names. Both are opaque here, HttpOnly, and SameSite=Lax; Keycloak's are SameSite=None and therefore Secure, which a
// client without a browser's exception for localhost does not send over http.
const (
	browserCookie = "AUTH_SESSION_ID"   // binds login pages to the browser that asked for them
	ssoCookie     = "KEYCLOAK_IDENTITY" // holds the session of who signed in
)

// sso is what the realm remembers of people: who is signed in, who is about to, and what clients have not yet fetched.
type sso struct {
	mu       sync.Mutex // guards the following
	logins   shelf[*loginAttempt]
	logouts  shelf[logoutAttempt]
	codes    shelf[authorizationCode]
	sessions shelf[*userSession] // by ID
}

// userSession is one person at one browser, across clients. It is guarded by sso.mu.
type userSession struct {
	id       string // sid and session_state: known to clients
	secret   string // of the browser's cookie: known to the browser alone
	user     *user
	authTime time.Time // when the password was given
	maxEnd   time.Time
	clients  map[string]*clientSession // by client ID
}

// clientSession is a session's part at one client. Without it the client's tokens of this session are refused.
type clientSession struct {
	acr       string // "1": the password was given for this client; "0": by single sign-on
	refreshID string // jti of the last refresh token
}

// active returns the session of that ID, nil if there is none any more. It is called with mu held.
func (o *sso) active(id string, now time.Time) *userSession {
	us, _ := o.sessions.get(id, now)
	return us
}

// ofBrowser returns the session that the request's cookie proves, or nil. It is called with mu held.
func (o *sso) ofBrowser(r *http.Request, now time.Time) *userSession {
	id, secret, _ := strings.Cut(cookie(r, ssoCookie), ".")
	us := o.active(id, now)
	if us == nil || !sameSecret(secret, us.secret) {
		return nil
	}
	return us
}

// start makes a session. It is called with mu held.
func (o *sso) start(u *user, l lifespans, now time.Time) *userSession {
	us := &userSession{id: randomText(18), secret: randomText(32), user: u, maxEnd: now.Add(l.session), clients: map[string]*clientSession{}}
	o.use(us, l, now)
	return us
}

// use starts the session's idle time anew, and returns when that ends. It is called with mu held.
func (o *sso) use(us *userSession, l lifespans, now time.Time) time.Time {
	end := now.Add(l.idle)
	if us.maxEnd.Before(end) {
		end = us.maxEnd
	}
	o.sessions.put(us.id, us, end, now)
	return end
}

// EndSessions signs a person out everywhere, as an administrator does: refresh tokens are refused from now on, and the browser is asked for the password again.
// Access tokens pass where only their signature is looked at. It returns how many sessions ended, and panics if there is no such user.
func (s *Server) EndSessions(username string) int {
	s.test.Helper()
	u := s.realm.users[strings.ToLower(username)]
	if u == nil {
		s.noUser(username)
	}
	now := s.now()
	s.sso.mu.Lock()
	defer s.sso.mu.Unlock()
	ended := 0
	for id, one := range s.sso.sessions.values {
		if one.value.user != u {
			continue
		}
		if now.Before(one.expires) {
			ended++
		}
		s.sso.sessions.remove(id)
	}
	return ended
}

func cookie(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}

// setCookie keeps a cookie as long as the browser runs; an empty value takes it away.
func (s *Server) setCookie(w http.ResponseWriter, name, value string) {
	c := &http.Cookie{ //nolint:gosec // not Secure: this server speaks http on loopback alone, and cookie jars keep Secure cookies from it
		Name: name, Value: value, Path: "/realms/" + url.PathEscape(s.realm.name) + "/", HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// browser names the browser of a request by its cookie, which it sets if there is none.
func (s *Server) browser(w http.ResponseWriter, r *http.Request) string {
	id := cookie(r, browserCookie)
	if id == "" {
		id = randomText(32)
		s.setCookie(w, browserCookie, id)
	}
	return id
}

func sameSecret(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// randomText is base64url of that many random bytes.
func randomText(bytes int) string {
	b := make([]byte, bytes)
	rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}
