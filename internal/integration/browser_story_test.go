package integration

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func guestReads(t *testing.T, s *stage) {
	v := s.guest(t)
	v.sees(t, 1, loginLink)
	v.sees(t, 0, "form")
	v.reads(t, "main", "Everybody can read here.")
	v.picture(t, "guest")
	v.click(t, loginLink)
	v.sees(t, 1, usernameField)
	v.picture(t, "login")
}

func userPosts(t *testing.T, s *stage) {
	v := s.signedIn(t, "user")
	v.reads(t, "nav .who", "Uma User")
	v.sees(t, 1, logoutButton)
	v.sees(t, 0, loginLink)
	v.sees(t, 0, archiveButton)
	v.picture(t, "signed-in-user")

	v.post(t, "Hello from a user.\nOn two lines.")
	v.told(t, "done", "Your message is posted.")
	v.picture(t, "posted")
	assert.Equal(t, s.webapp.url+"/", v.address(t))
	assert.Equal(t, "Hello from a user.\nOn two lines.", v.texts(t, contents)[0])
	v.reads(t, "#messages li:first-child .author", "user")
	assert.Empty(t, v.value(t, messageField))
	assert.Contains(t, s.posted(t), "user: Hello from a user.\nOn two lines.")

	v.open(t, s.webapp.url) // the message on what was done shows once, and a reload posts nothing
	v.sees(t, 0, ".flash")
	assert.Equal(t, 1, count(s.posted(t), "user: Hello from a user.\nOn two lines."))

	reader := s.guest(t)
	reader.reads(t, contents, "Hello from a user.")
}

func userCannotArchive(t *testing.T, s *stage) {
	before, asked := s.messages.log.count(archived), s.webapp.log.count("Archive messages response code: 403 Forbidden")
	v := s.signedIn(t, "user")
	v.forge(t, "/messages/archive", "")
	v.told(t, "failed", "You may not archive messages: you lack the role ADMIN. Nothing was archived.")
	v.picture(t, "archive-refused")
	s.webapp.logs(t, asked, "Archive messages response code: 403 Forbidden")
	assert.Equal(t, before, s.messages.log.count(archived))

	v = s.guest(t) // who may even less
	v.forge(t, "/messages/archive", "")
	v.told(t, "failed", "You are not signed in, or your session is over. Nothing was archived: log in first.")
	assert.Equal(t, before, s.messages.log.count(archived))
}

func adminArchives(t *testing.T, s *stage) {
	before, asked := s.messages.log.count(archived), s.webapp.log.count(got200)
	v := s.signedIn(t, "admin")
	v.reads(t, archiveButton, "Archive Messages")
	v.picture(t, "signed-in-admin")
	v.click(t, archiveButton)
	v.told(t, "done", "All messages are archived.")
	v.picture(t, "archived")
	s.webapp.logs(t, asked, got200)
	// The last service sees archival-service, not the admin.
	s.messages.logs(t, before, archived, "caller=service-account-archival-service")
	assert.Equal(t, before+1, s.messages.log.count(archived))
	v.post(t, "Hello from an admin")
	v.told(t, "done", "Your message is posted.")
	assert.Contains(t, s.posted(t), "admin: Hello from an admin")
}

func count(list []string, text string) int {
	n := 0
	for _, one := range list {
		if one == text {
			n++
		}
	}
	return n
}
