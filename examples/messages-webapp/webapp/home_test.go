package webapp

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestGuestReads(t *testing.T) {
	st := newStory(t)
	b := st.browser(t)
	v := b.get("/")
	v.atHome(t, "")
	for _, text := range []string{"<title>Welcome · Messages</title>", "Welcome Guest", "Test Message 1", "Test Message 2", `href="/login"`, `<html lang="en">`, `href="#main"`} {
		assert.Contains(t, v.html, text)
	}
	for _, text := range []string{"<textarea", "Archive Messages", "Logout", "<script", " style=", "http://", "https://"} {
		assert.NotContains(t, v.html, text)
	}
	assert.Less(t, strings.Index(v.html, "Test Message 2"), strings.Index(v.html, "Test Message 1"), "the newest first")
	assert.Nil(t, st.cookie(b), "nothing to remember, no cookie")
}

func TestWhoSeesWhat(t *testing.T) {
	st := newStory(t)
	user, admin := st.browser(t), st.browser(t)
	v := user.signIn("user")
	v.atHome(t, "done: You are signed in as Uma User.")
	assert.Contains(t, v.html, "Welcome <bdi>Uma User</bdi>")
	assert.Contains(t, v.html, "Logout")
	assert.Contains(t, v.html, `<label for="content">Message</label>`)
	assert.NotContains(t, v.html, "Archive Messages")
	assert.NotContains(t, v.html, `href="/login"`)
	v = admin.signIn("admin")
	v.atHome(t, "done: You are signed in as Ada Admin.")
	assert.Contains(t, v.html, "Archive Messages")
	assert.Empty(t, admin.get("/").said(), "a flash is shown once")
}

func TestHomeWithoutMessagesService(t *testing.T) {
	st := newStory(t)
	b := st.browser(t)
	b.signIn("user")
	const says = "failed: The messages can’t be shown: messages-service can’t be reached, or has a problem."
	st.messages.down()
	v := b.get("/")
	v.atHome(t, says)
	assert.Equal(t, "", v.typed(), "the form is there")
	for name, h := range map[string]http.HandlerFunc{
		"fails":         func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"no JSON":       func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<html>")) },
		"no list":       func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(`{"messages":[]}`)) },
		"half a list":   func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(`[{"id":1}`)) },
		"another place": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
	} {
		st.messages.answer(h)
		assert.Equal(t, says, b.get("/").said(), name)
	}
	st.messages.up()
	assert.Contains(t, b.get("/").html, "Test Message 1")
}

func TestEmptyList(t *testing.T) {
	st := newStory(t)
	st.messages.answer(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("[]")) })
	v := st.browser(t).get("/")
	v.atHome(t, "")
	assert.Contains(t, v.html, "No messages yet")
}

func TestLongList(t *testing.T) {
	st := newStory(t)
	st.messages.answer(func(w http.ResponseWriter, _ *http.Request) {
		list := make([]message, maxShown+50)
		for i := range list {
			list[i] = message{ID: int64(i + 1), Content: "x", CreatedBy: "user", CreatedAt: time.Now()}
		}
		assert.NoError(t, json.NewEncoder(w).Encode(list))
	})
	v := st.browser(t).get("/")
	assert.Equal(t, maxShown, strings.Count(v.html, `<li class="card message"`))
	assert.Contains(t, v.html, `id="message-250"`)
	assert.NotContains(t, v.html, `id="message-50"`)
	assert.Contains(t, v.html, "These are the newest 200 of 250.")
}

func TestWhatOthersWroteIsText(t *testing.T) {
	st := newStory(t)
	const evil = `</p><script>alert(1)</script><img src=x onerror=alert(2)> " ' & {{.}}`
	st.messages.answer(func(w http.ResponseWriter, _ *http.Request) {
		assert.NoError(t, json.NewEncoder(w).Encode([]message{{ID: 1, Content: evil, CreatedBy: evil}, {ID: 2, Content: "no name", CreatedBy: ""}}))
	})
	v := st.browser(t).get("/")
	assert.Equal(t, 2, strings.Count(v.html, `&lt;/p&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=alert(2)&gt;`), "content and author")
	assert.NotContains(t, v.html, "<script")
	assert.NotContains(t, v.html, "<img src=x")
	assert.Contains(t, v.html, "<bdi>somebody</bdi>")
	assert.NotContains(t, v.html, "<time", "no time is known")
}

func TestAgo(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		d    time.Duration
		want string
	}{
		{-time.Hour, "just now"}, // clocks differ
		{0, "just now"},
		{59 * time.Second, "just now"},
		{time.Minute, "1 minute ago"},
		{119 * time.Second, "1 minute ago"},
		{59*time.Minute + 59*time.Second, "59 minutes ago"},
		{time.Hour, "1 hour ago"},
		{23*time.Hour + 59*time.Minute, "23 hours ago"},
		{24 * time.Hour, "1 day ago"},
		{7*24*time.Hour - 1, "6 days ago"},
		{7 * 24 * time.Hour, "1 March 2026"},
	} {
		assert.Equal(t, c.want, ago(c.d, at), c.d)
	}
}
