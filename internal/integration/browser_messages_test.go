package integration

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func emptyAndLongMessages(t *testing.T, s *stage) {
	before := s.posted(t)
	v := s.signedIn(t, "user")
	for _, nothing := range []string{"", "  \n "} {
		v.post(t, nothing)
		v.told(t, "failed", "Your message is empty. Write something first.")
	}
	v.picture(t, "empty-message")

	most := strings.Repeat("ä", 1999) + "." // characters count, not bytes
	v.post(t, most+"!")
	v.told(t, "failed", "Your message has 2,001 characters, and the limit is 2,000. Nothing was posted: shorten it and submit it again.")
	assert.Equal(t, most+"!", v.value(t, messageField), "the text in the form")
	v.picture(t, "long-message")
	assert.Equal(t, before, s.posted(t))

	v.post(t, most)
	v.told(t, "done", "Your message is posted.")
	assert.Equal(t, most, v.texts(t, contents)[0])
	v.picture(t, "longest-message")
	assert.Equal(t, append(before, "user: "+most), s.posted(t))
}

// threeMegabytes are read to the end, since a browser that is cut off shows no answer.
func threeMegabytes(t *testing.T, s *stage) {
	before := s.posted(t)
	v := s.signedIn(t, "user")
	v.forge(t, "/messages", strings.Repeat("x", 3<<20)) // a browser takes very long to show as much in a field
	v.expectError(t, "status of 413")
	v.reads(t, "h1", "That is too long")
	v.reads(t, "main", "Nothing was posted.")
	v.picture(t, "three-megabytes")
	assert.Equal(t, before, s.posted(t))
	v.click(t, homeLink)
	v.reads(t, "h1", "Welcome Uma User")
}

// Scripts don't run because pages escape what people wrote. If they did not, the console would have the policy's refusal.
func markupInMessage(t *testing.T, s *stage) {
	const text = `<script>document.title = "owned"</script><img src=x onerror="document.title='owned'"><b>bold</b> & "quoted" 'too' </textarea></p>{{.}} &lt;`
	v := s.signedIn(t, "user")
	v.post(t, text)
	v.told(t, "done", "Your message is posted.")
	assert.Equal(t, text, v.texts(t, contents)[0])
	v.sees(t, 0, "#messages li:first-child :is(script, img, b, textarea)")
	v.picture(t, "markup")
	title, err := ask[string](v, `document.title`)
	require.NoError(t, err)
	assert.Equal(t, "Your message is posted · Messages", title)
	assert.Contains(t, s.posted(t), "user: "+text)

	long := text + strings.Repeat("w", 2000)
	v.post(t, long) // back in the form
	v.sees(t, 1, ".flash.failed")
	assert.Equal(t, long, v.value(t, messageField))
	v.sees(t, 0, "main :is(script, img, b)")
}

// twoTabs are one person's: they share the session, and neither undoes what the other did.
func twoTabs(t *testing.T, s *stage) {
	first := s.guest(t)
	second := first.another(t)
	second.open(t, s.webapp.url)
	first.click(t, loginLink) // both begin to sign in before either ends
	second.open(t, s.webapp.url+"/login")
	second.sees(t, 1, usernameField)
	first.identify(t, s.issuer, "user")
	second.finishSignIn(t, s)

	first.open(t, s.webapp.url)
	first.post(t, "From the first tab")
	first.told(t, "done", "Your message is posted.")
	second.post(t, "From the second tab")
	second.told(t, "done", "Your message is posted.")
	assert.Equal(t, []string{"From the second tab", "From the first tab"}, second.texts(t, contents)[:2])
	first.open(t, s.webapp.url)
	first.sees(t, 0, ".flash") // that was for the second tab
	assert.Equal(t, []string{"From the second tab", "From the first tab"}, first.texts(t, contents)[:2])
	list := s.posted(t)
	assert.Equal(t, []string{"user: From the first tab", "user: From the second tab"}, list[len(list)-2:])
}
