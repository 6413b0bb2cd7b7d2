package webapp

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestPost(t *testing.T) {
	st := newStory(t)
	b := st.browser(t)
	b.signIn("user")
	v := b.post("/messages", url.Values{"content": {"Hello <b>you</b>\r\n  second line"}, "createdBy": {"admin"}})
	v.atHome(t, "done: Your message is posted.")
	assert.Contains(t, v.html, "<title>Your message is posted · Messages</title>", "screen readers begin with the title")
	assert.Contains(t, v.html, "Hello &lt;b&gt;you&lt;/b&gt;\n  second line")
	assert.Contains(t, v.html, "<bdi>user</bdi>", "the author is who the token says")
	assert.Empty(t, v.typed())
}

func TestWhatIsNotPostedIsKept(t *testing.T) {
	const kept = " Nothing was posted, and your text is in the form again."
	const text = "the text\n \"&<x>"
	long := strings.Repeat("ä", maxContent)
	for _, c := range []struct {
		name   string
		text   string
		answer func(*story)
		says   string
		typed  string
	}{
		{"empty", "", nil, "failed: Your message is empty. Write something first.", ""},
		{"blank", " \r\n\t ", nil, "failed: Your message is empty. Write something first.", ""},
		{"as long as may be", long, nil, "done: Your message is posted.", ""},
		{"line ends count once", strings.Repeat("\r\n", maxContent-1) + "x", nil, "done: Your message is posted.", ""},
		{"too long", long + "!", nil, "failed: Your message has 2,001 characters, and the limit is 2,000. Nothing was posted: shorten it and submit it again.", long + "!"},
		{"service down", text, func(st *story) { st.messages.down() }, "failed: messages-service can't be reached." + kept + " Try again in a moment.", text},
		{"service fails", text, func(st *story) { st.messages.status(500) }, "failed: messages-service has a problem (500 Internal Server Error)." + kept + " Try again later.", text},
		{"service overloaded", text, func(st *story) { st.messages.status(503) }, "failed: messages-service has a problem (503 Service Unavailable)." + kept + " Try again later.", text},
		{"service forbids", text, func(st *story) { st.messages.status(403) }, "failed: You may not post messages: you lack the permission." + kept, text},
		{"service declines", text, func(st *story) { st.messages.status(400) }, "failed: messages-service did not accept this message." + kept + " Change it and try again.", text},
		{"service knows us not", text, func(st *story) { st.messages.status(401) }, "failed: messages-service did not accept your sign-in." + kept + " Log out, log in and try again.", text},
		{"service sends elsewhere", text, func(st *story) {
			st.messages.answer(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/x", http.StatusTemporaryRedirect) })
		}, "failed: messages-service has a problem (307 Temporary Redirect)." + kept + " Try again later.", text},
	} {
		t.Run(c.name, func(t *testing.T) {
			st := newStory(t)
			b := st.browser(t)
			b.signIn("user")
			if c.answer != nil {
				c.answer(st)
			}
			b.stopBefore("/")
			v := b.say(c.text)
			assert.Equal(t, http.StatusSeeOther, v.status, "post, redirect, get")
			st.messages.up()
			v = b.follow(v)
			v.atHome(t, c.says)
			assert.Equal(t, c.typed, v.typed())
			assert.Equal(t, c.typed != "", strings.Contains(v.html, "aria-invalid"))
			assert.Equal(t, c.typed, b.get("/").typed(), "still there after a look elsewhere")
			if c.typed != "" {
				b.say("another try").atHome(t, "done: Your message is posted.")
				assert.Empty(t, b.get("/").typed())
			}
			assert.NotContains(t, st.log.String(), "the text", "what people write is not logged")
		})
	}
}

func TestSlowServiceMayHavePosted(t *testing.T) {
	st := newStory(t)
	b := st.browser(t)
	b.signIn("user")
	st.app.services.Timeout = 1 // nanosecond
	v := b.say("text")
	assert.Contains(t, v.said(), "messages-service did not answer in time. It may have done what you asked: look before you try again.")
	assert.Equal(t, "text", v.typed())
}

func TestGuestsTextWaitsForSignIn(t *testing.T) {
	st := newStory(t)
	b := st.browser(t)
	v := b.say("my <text>")
	v.atHome(t, "failed: You are not signed in, or your session is over. Your message is kept: log in, and it is in the form again.")
	assert.Contains(t, v.html, "Your message is kept</h2>")
	assert.NotContains(t, v.html, "my &lt;text&gt;", "whoever sits there now is perhaps somebody else")
	v = b.signIn("user")
	v.atHome(t, "done: You are signed in as Uma User. Your unsent message is in the form: check it, and submit it.")
	assert.Equal(t, "my <text>", v.typed())
	st.browser(t).say("").atHome(t, "failed: Log in to post messages.")
	assert.EqualValues(t, 3, st.messages.calls.Load(), "three pages were read, nothing was posted")
}

func TestTextOutlivesTheApp(t *testing.T) {
	st := newStory(t)
	b := st.browser(t)
	b.signIn("user")
	st.app.people = newStore(maxPeople, personIdle, personLifetime) // as after a restart: the cookie is of another run
	b.say("text").atHome(t, "failed: You are not signed in, or your session is over. Your message is kept: log in, and it is in the form again.")
	b.get("/login") // the issuer still knows the person
	assert.Equal(t, "text", b.get("/").typed())
}

func TestTextIsForItsAuthorAlone(t *testing.T) {
	st := newStory(t)
	b := st.browser(t)
	b.signIn("user")
	st.expire(b)
	st.realm.EndSessions("user")
	b.say("secret of the user").atHome(t, "failed: Your session is over. Your message is kept: log in again, and it is in the form.")
	v := b.signIn("admin")
	v.atHome(t, "done: You are signed in as Ada Admin.")
	assert.Empty(t, v.typed())
}

func TestBadForms(t *testing.T) {
	st := newStory(t)
	b := st.browser(t)
	b.signIn("user")
	before := st.messages.calls.Load()
	form := func(contentType, body string) view {
		r, err := http.NewRequest("POST", st.url+"/messages", strings.NewReader(body))
		if err == nil {
			r.Header.Set("Content-Type", contentType)
		}
		return b.do(r, err)
	}
	const urlencoded = "application/x-www-form-urlencoded"
	form(urlencoded, "content="+strings.Repeat("x", 3<<20)).isError(t, 413, "That is too long")
	form(urlencoded, "content="+strings.Repeat("x", maxForm)).isError(t, 413, "That is too long")
	form(urlencoded, "content=%zz").isError(t, 400, "That form can&#39;t be read")
	form(urlencoded, "text=a").isError(t, 400, "That form is incomplete")
	form(urlencoded, "content=a&content=b").isError(t, 400, "That form is incomplete")
	form("application/json", `{"content":"a"}`).isError(t, 400, "That form is incomplete")
	form("multipart/form-data; boundary=x", "--x\r\n\r\n--x--").isError(t, 400, "That form is incomplete")
	assert.Equal(t, before, st.messages.calls.Load())
}

// endless is a body without an end.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	e.read += len(p)
	return len(p), nil
}

func (e *endless) Close() error { return nil }

func TestEndlessForm(t *testing.T) {
	st := newStory(t)
	body := &endless{}
	r := httptest.NewRequest("POST", "/messages", body)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	done := make(chan struct{})
	go func() { st.app.ServeHTTP(w, r); close(done) }()
	select {
	case <-done:
		assert.Equal(t, 413, w.Code)
		assert.Less(t, body.read, maxUpload+1<<20)
	case <-time.After(20 * time.Second):
		t.Fatal("it reads for ever")
	}
}
