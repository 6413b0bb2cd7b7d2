package integration

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// tenSecondsWebapp is a client like messages-webapp, whose access tokens live for ten seconds.
const tenSecondsWebapp = "ten-seconds-webapp"

// callbackPath is where the issuer sends people back to.
const callbackPath = "/login/oauth2/code/messages-webapp"

// place is one of the addresses that a messages-webapp has, in the tests of one issuer. They stand in the realm as redirect URIs, so they are chosen before
// the issuers start.
type place int

const (
	mainPlace  place = iota
	latePlace        // of tokens that live for ten seconds
	sparePlace       // of steps that stop programs
	places
)

var webappAddrs = sync.OnceValue(func() []string {
	var all []string
	for range 2 * places {
		all = append(all, freeAddr())
	}
	return all
})

func webappAddr(one issuer, p place) string {
	if one == theKeycloak {
		p += places
	}
	return webappAddrs()[p]
}

// allowWebapps lets a client of a realm file sign people in at all the addresses.
func allowWebapps(client object) {
	var callbacks, homes []string
	for _, addr := range append(webappAddrs(), "localhost:8080") {
		callbacks = append(callbacks, "http://"+addr+callbackPath)
		homes = append(homes, "http://"+addr+"/")
	}
	client["redirectUris"] = callbacks
	client["attributes"].(object)["post.logout.redirect.uris"] = strings.Join(homes, "##")
}

// stage is where a story takes place: the three programs, on one issuer, and a browser.
type stage struct {
	issuer                     issuer
	browser                    *browser
	messages, archival, webapp *program
}

// newStage starts the programs. The job has run once when it returns, and does not run again.
func newStage(t *testing.T, one issuer, b *browser, p place) *stage {
	t.Helper()
	service(t, one, wide, "archival-service", jobSecret) // a Keycloak that has just started takes longer for its first token than services wait
	s := &stage{issuer: one, browser: b}
	s.messages = messages(t, one.URL(wide), "")
	s.archival = archival(t, one.URL(wide), s.messages.url, "-interval", "1h")
	s.webapp = s.startWebapp(t, p, webapp, s.messages.url)
	s.ranJob(t, 0)
	return s
}

// ranJob waits until the job of a new archival-service has ended, and until messages-service, which had logged so many archivals, has told of it if it went well: what
// a program writes is read a moment later.
func (s *stage) ranJob(t *testing.T, archivals int) {
	t.Helper()
	s.archival.ranOnce(t)
	if s.archival.log.count(got200) > 0 {
		s.messages.logs(t, archivals, archived)
	}
}

// ranOnce waits until the job of a new archival-service has ended, well or not.
func (p *program) ranOnce(t *testing.T) {
	t.Helper()
	poll(t, func() string {
		if p.log.count(got200)+p.log.count(callFailed) == 0 {
			return "the job has not run"
		}
		return ""
	})
}

// startWebapp starts messages-webapp as a client of the issuer.
func (s *stage) startWebapp(t *testing.T, p place, clientID, messagesURL string) *program {
	t.Helper()
	return serve(t, "messages-webapp", webappAddr(s.issuer, p), []string{"OAUTH_CLIENT_SECRET=" + webappSecret},
		"-issuer", s.issuer.URL(wide), "-client-id", clientID, "-messages-url", messagesURL, "-archival-url", s.archival.url)
}

// Where things are on the pages of messages-webapp, and on the login page of both issuers.
const (
	loginLink     = "nav a.button"
	logoutButton  = "nav .quiet"
	archiveButton = ".heading button"
	messageField  = "#content"
	submitButton  = ".compose button"
	contents      = "#messages li .content"
	homeLink      = `.problem a.button[href="/"]`

	usernameField = "#username"
	passwordField = "#password"
	signInButton  = "#kc-login"
	wrongPassword = "#input-error-username"
)

var shownNames = map[string]string{"admin": "Ada Admin", "user": "Uma User"}

// guest is somebody who has opened the home page.
func (s *stage) guest(t *testing.T) *tab {
	t.Helper()
	v := s.browser.person(t)
	v.open(t, s.webapp.url)
	v.reads(t, "h1", "Welcome Guest")
	return v
}

// signedIn is somebody who has signed in.
func (s *stage) signedIn(t *testing.T, user string) *tab {
	t.Helper()
	v := s.guest(t)
	v.click(t, loginLink)
	v.identify(t, s.issuer, user)
	v.told(t, "done", "You are signed in as "+shownNames[user]+".")
	return v
}

// identify fills in the issuer's login page.
func (v *tab) identify(t *testing.T, one issuer, user string) {
	t.Helper()
	v.tryPassword(t, one, user, user+"-demo-password")
	v.reads(t, "h1", "Welcome "+shownNames[user])
}

func (v *tab) tryPassword(t *testing.T, one issuer, user, password string) {
	t.Helper()
	require.Contains(t, v.address(t), one.URL(wide), "it is not the issuer who asks for the password")
	v.write(t, usernameField, user)
	v.write(t, passwordField, password)
	v.click(t, signInButton)
}

// post submits a message.
func (v *tab) post(t *testing.T, text string) {
	t.Helper()
	v.write(t, messageField, text)
	v.click(t, submitButton)
}

// posted are the messages that messages-service has, the oldest first.
func (s *stage) posted(t *testing.T) []string {
	t.Helper()
	got := send(t, http.MethodGet, s.messages.url+"/api/messages", "", nil)
	require.Equal(t, http.StatusOK, got.status, "%s", got)
	var list []struct{ Content, CreatedBy string }
	require.NoError(t, json.Unmarshal(got.body, &list))
	out := []string{}
	for _, one := range list {
		out = append(out, one.CreatedBy+": "+one.Content)
	}
	return out
}

// finishSignIn ends a sign-in in a tab whose person has signed in elsewhere meanwhile. Keycloak's login page notices that by itself, and the embedded realm's
// waits for the password.
func (v *tab) finishSignIn(t *testing.T, s *stage) {
	t.Helper()
	if s.issuer == theKeycloak {
		poll(t, func() string {
			there, err := ask[bool](v, `location.origin == `+quoted(s.webapp.url)+` && document.readyState == "complete"`)
			if !there || err != nil {
				return "Keycloak does not go on"
			}
			return ""
		})
		v.reads(t, "h1", "Welcome Uma User")
		return
	}
	v.identify(t, s.issuer, "user")
}
