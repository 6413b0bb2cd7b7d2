package webapp

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAdminArchives(t *testing.T) {
	st := newStory(t)
	b := st.browser(t)
	b.signIn("admin")
	b.post("/messages/archive", nil).atHome(t, "done: All messages are archived.")
	assert.Equal(t, 2, strings.Count(st.log.String(), `msg="Archive messages response code: 200 OK"`), "the app's and archival-service's")
	assert.Contains(t, st.log.String(), `msg="Archiving all messages" caller=service-account-archival-service`)
}

func TestForgedArchiveIsRefused(t *testing.T) {
	st := newStory(t)
	b := st.browser(t)
	b.signIn("user")
	b.post("/messages/archive", nil).atHome(t, "failed: You may not archive messages: you lack the role ADMIN. Nothing was archived.")
	assert.Contains(t, st.log.String(), `msg="Archive messages response code: 403 Forbidden"`)
	assert.NotContains(t, st.log.String(), "Archiving")
	st.browser(t).post("/messages/archive", nil).atHome(t, "failed: You are not signed in, or your session is over. Nothing was archived: log in first.")
	assert.EqualValues(t, 1, st.archival.calls.Load(), "nothing is asked for a guest")
}

func TestArchiveFails(t *testing.T) {
	st := newStory(t)
	b := st.browser(t)
	b.signIn("admin")
	for _, c := range []struct {
		name   string
		happen func()
		says   string
		logged string
	}{
		{"archival-service is down", st.archival.down, "archival-service can't be reached. Nothing was archived. Try again in a moment.", "Error while invoking Archive messages API"},
		{"archival-service fails", func() { st.archival.status(500) }, "archival-service has a problem (500 Internal Server Error). Nothing was archived. Try again later.", "code: 500 Internal"},
		{"archival-service refuses", func() { st.archival.status(401) }, "archival-service did not accept your sign-in. Nothing was archived. Log out, log in and try again.", "code: 401 Unauthorized"},
		{"messages-service is down", func() { st.archival.up(); st.messages.status(500) }, "archival-service could not get messages-service to archive. Nothing was archived. Try again later.", "code: 502 Bad Gateway"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.happen()
			v := b.post("/messages/archive", nil)
			said, _, _ := strings.Cut(v.said(), "\n") // the list may be missing, too
			assert.Equal(t, "failed: "+c.says, said)
			assert.Contains(t, st.log.String(), c.logged)
		})
	}
	st.messages.up()
	b.post("/messages/archive", nil).atHome(t, "done: All messages are archived.")
}
