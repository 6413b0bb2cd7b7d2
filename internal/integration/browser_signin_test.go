package integration

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	badRequest = "status of 400" // in the console, where the browser notes every such answer
	noLonger   = "This sign-in is no longer valid"
)

func tryWrongPassword(t *testing.T, s *stage) {
	v := s.guest(t)
	v.click(t, loginLink)
	v.tryPassword(t, s.issuer, "user", "wrong")
	v.reads(t, wrongPassword, "Invalid username or password.")
	v.picture(t, "wrong-password")
	v.tryPassword(t, s.issuer, "nobody", "user-demo-password")
	v.reads(t, wrongPassword, "Invalid username or password.") // no word on who exists
	v.identify(t, s.issuer, "user")
	v.told(t, "done", "You are signed in as Uma User.")
}

// editRequest changes the request that the login page was opened with, and opens that.
func (v *tab) editRequest(t *testing.T, edit func(url.Values)) {
	t.Helper()
	at, err := url.Parse(v.address(t))
	require.NoError(t, err)
	query := at.Query()
	require.NotEmpty(t, query.Get("state"), "%s", at)
	edit(query)
	at.RawQuery = query.Encode()
	v.open(t, at.String())
}

// refused asserts that a sign-in ended on a page that says so, from which both ways on work.
func (v *tab) refused(t *testing.T, heading, status string) {
	t.Helper()
	v.expectError(t, "status of "+status)
	v.reads(t, "h1", heading)
	v.reads(t, ".status", status)
	v.sees(t, 1, homeLink)
	v.sees(t, 1, `.problem a.button[href="/login"]`)
	v.sees(t, 1, loginLink)
}

func tamperState(t *testing.T, s *stage) {
	v := s.guest(t)
	v.click(t, loginLink)
	v.editRequest(t, func(query url.Values) { query.Set("state", "of-another-browser") })
	v.tryPassword(t, s.issuer, "user", "user-demo-password")
	v.refused(t, noLonger, "400")
	v.picture(t, "tampered-state")
	v.click(t, `.problem a.button[href="/login"]`) // the issuer knows who it is by now
	v.told(t, "done", "You are signed in as Uma User.")
}

func replaySignIn(t *testing.T, s *stage) {
	v := s.signedIn(t, "user")
	callback := v.lastCallback()
	require.Contains(t, callback, s.webapp.url+callbackPath)
	v.open(t, callback)
	v.expectError(t, badRequest)
	v.reads(t, "h1", noLonger)
	v.click(t, homeLink)
	v.reads(t, "h1", "Welcome Uma User") // still

	stranger := s.guest(t) // who found the address in somebody's history
	stranger.open(t, callback)
	stranger.refused(t, noLonger, "400")
	stranger.picture(t, "replayed-sign-in")
	stranger.click(t, homeLink)
	stranger.reads(t, "h1", "Welcome Guest")

	stranger.open(t, s.webapp.url+callbackPath+"?error=<b>broken</b>&error_description=call+0900-555")
	stranger.refused(t, noLonger, "400")
	assert.NotContains(t, stranger.texts(t, "body")[0], "0900")
}

// prompt=none makes the issuer answer with an error, since nobody is signed in there (OpenID Connect Core 1.0 §3.1.2.6).
func errorFromIssuer(t *testing.T, s *stage) {
	v := s.guest(t)
	v.click(t, loginLink)
	v.editRequest(t, func(query url.Values) { query.Set("prompt", "none") })
	answer, err := url.Parse(v.lastCallback())
	require.NoError(t, err)
	require.Equal(t, "login_required", answer.Query().Get("error"))
	v.refused(t, "The sign-in was refused", "502")
	v.picture(t, "error-from-issuer")
	s.webapp.logs(t, 0, "the issuer refused a sign-in", "login_required")
}

// cookieFromAnotherRun restarts messages-webapp, which keeps sessions in memory: the cookie that the browser has then means nothing, and nothing is lost by it.
func cookieFromAnotherRun(t *testing.T, s *stage) {
	own := *s
	own.webapp = s.startWebapp(t, sparePlace, webapp, s.messages.url)
	v := own.signedIn(t, "user")
	reader := v.another(t)

	for _, one := range []*tab{v, reader} {
		one.allowError("net::ERR_CONNECTION_REFUSED") // browsers fetch icons when they have nothing better to do
	}
	own.webapp.stop(t)
	own.webapp = s.startWebapp(t, sparePlace, webapp, s.messages.url)
	reader.open(t, own.webapp.url)
	reader.reads(t, "h1", "Welcome Guest")
	reader.sees(t, 0, ".flash")

	v.post(t, "Written before the restart")
	v.told(t, "failed", "You are not signed in, or your session is over. Your message is kept: log in, and it is in the form again.")
	v.reads(t, "main", "Your message is kept")
	v.picture(t, "session-over")
	assert.NotContains(t, s.posted(t), "user: Written before the restart")
	v.click(t, ".callout .button") // the issuer remembers
	v.told(t, "done", "You are signed in as Uma User. Your unsent message is in the form: check it, and submit it.")
	assert.Equal(t, "Written before the restart", v.value(t, messageField))
	v.picture(t, "text-kept")
	v.click(t, submitButton)
	v.told(t, "done", "Your message is posted.")
	assert.Contains(t, s.posted(t), "user: Written before the restart")
}
