package integration

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// logOut ends the session in both places, for all tabs. What another tab had in its form waits for a new sign-in.
func logOut(t *testing.T, s *stage) {
	v := s.signedIn(t, "user")
	other := v.another(t)
	other.open(t, s.webapp.url)
	other.reads(t, "h1", "Welcome Uma User")

	v.click(t, logoutButton)
	v.told(t, "done", "You are logged out.")
	v.reads(t, "h1", "Welcome Guest")
	assert.Equal(t, s.webapp.url+"/", v.address(t))
	v.sees(t, 0, messageField)
	v.picture(t, "logged-out")

	before := s.posted(t)
	other.post(t, "After the logout")
	other.told(t, "failed", "You are not signed in, or your session is over. Your message is kept: log in, and it is in the form again.")
	assert.Equal(t, before, s.posted(t))

	v.click(t, loginLink) // the issuer has forgotten, too
	v.sees(t, 1, usernameField)
	v.sees(t, 1, passwordField)
	require.Contains(t, v.address(t), s.issuer.URL(wide))
	v.identify(t, s.issuer, "admin") // another person: the text is nobody's, since its author was not signed in
	v.sees(t, 1, archiveButton)
}
