package keycloaktest_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLoginPage(t *testing.T) {
	s := people(t)
	b := newBrowser(t, s)
	res := b.authorize("login_hint=" + url.QueryEscape(`al"<b>`))
	assert.Equal(t, 200, res.StatusCode)
	assert.Equal(t, "text/html;charset=utf-8", res.Header.Get("Content-Type"))
	assert.Equal(t, "no-store, must-revalidate, max-age=0", res.Header.Get("Cache-Control"))
	assert.Equal(t, "frame-src 'self'; frame-ancestors 'self'; object-src 'none';", res.Header.Get("Content-Security-Policy"))
	assert.Equal(t, "SAMEORIGIN", res.Header.Get("X-Frame-Options"))
	for _, part := range []string{
		"<title>Sign in to People &amp; &lt;co&gt;</title>", `<html lang="en">`, "Sign in to your account",
		`<label for="username">Username or email</label>`, `<input id="username" name="username" value="al&#34;&lt;b&gt;"`,
		`<label for="password">Password</label>`, `<input id="password" name="password" type="password"`, `<button id="kc-login" name="login" type="submit">`,
	} {
		assert.Contains(t, b.page, part)
	}
	assert.NotContains(t, b.page, "<script")
	for _, c := range res.Cookies() {
		assert.True(t, c.HttpOnly, c.Name)
		assert.Equal(t, http.SameSiteLaxMode, c.SameSite, c.Name)
		assert.Equal(t, "/realms/people/", c.Path, c.Name)
	}
	assert.True(t, strings.HasPrefix(b.action(), s.Issuer()+"/login-actions/authenticate?"))
}

func TestLoginRefusals(t *testing.T) {
	s := people(t)
	const wrong, disabled = "Invalid username or password.", "Account is disabled, contact your administrator."
	for _, c := range []struct{ name, username, password, message, echo string }{
		{"wrong password", "alice", "wrong", wrong, "alice"},
		{"no password", "alice", "", wrong, "alice"},
		{"password of another", "alice", "bob-pw", wrong, "alice"},
		{"unknown user", "nobody", "alice-pw", wrong, "nobody"},
		{"no user", "", "alice-pw", wrong, ""},
		{"user without password", "nopw", "", wrong, "nopw"},
		{"service account", "service-account-noflow", "", wrong, "service-account-noflow"},
		{"disabled", "gone", "gone-pw", disabled, "gone"},
		{"disabled, wrong password", "gone", "wrong", wrong, "gone"},
		{"markup", `<b>"al&ice'`, "wrong", wrong, "&lt;b&gt;&#34;al&amp;ice&#39;"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBrowser(t, s)
			b.authorize("")
			res := b.fill(c.username, c.password)
			assert.Equal(t, 200, res.StatusCode)
			assert.Contains(t, b.page, ">"+c.message+"<")
			assert.Contains(t, b.page, ` value="`+c.echo+`"`)
			assert.Empty(t, res.Cookies())
			assert.Equal(t, "login_required", parameters(t, b.authorize("prompt=none")).Get("error"))
		})
	}
}

func TestSignIn(t *testing.T) {
	s := people(t)
	for _, username := range []string{"alice", "ALICE", "alice@example.com", "Alice@Example.com"} {
		b := newBrowser(t, s)
		b.authorize("")
		b.fill("alice", "wrong")
		res := b.fill(username, "alice-pw")
		got := parameters(t, res)
		assert.Equal(t, "st", got.Get("state"))
		assert.Equal(t, s.Issuer(), got.Get("iss"))
		assert.Regexp(t, `^[0-9a-f-]{36}\.`+got.Get("session_state")+`\.[0-9a-f-]{36}$`, got.Get("code"))
		for _, c := range res.Cookies() {
			assert.Equal(t, "KEYCLOAK_IDENTITY", c.Name)
			assert.True(t, c.HttpOnly)
			assert.Equal(t, http.SameSiteLaxMode, c.SameSite)
			assert.False(t, c.Secure)
		}
	}
}

func TestSingleSignOn(t *testing.T) {
	s := people(t)
	b := newBrowser(t, s)
	b.signIn("")
	for _, changes := range []string{"", "client_id=other", "prompt=none", "prompt=consent", "max_age=1000"} {
		assert.NotEmpty(t, parameters(t, b.authorize(changes)).Get("code"), changes)
	}
	assert.Equal(t, "login_required", parameters(t, b.authorize("prompt=none+login")).Get("error"))
	assert.Equal(t, 200, newBrowser(t, s).authorize("").StatusCode, "another browser")
}

func TestPromptLogin(t *testing.T) {
	s := people(t)
	b := newBrowser(t, s)
	first := b.tokens()
	res := b.authorize("prompt=login")
	assert.Equal(t, 200, res.StatusCode)
	assert.Contains(t, b.page, "Please re-authenticate to continue")
	assert.Contains(t, b.page, `<input id="kc-attempted-username" value="alice"`)
	assert.NotContains(t, b.page, `name="username"`)
	assert.Equal(t, 200, b.fill("bob", "bob-pw").StatusCode, "nobody else may go on")
	got := parameters(t, b.fill("", "alice-pw"))
	assert.Equal(t, first.SessionState, got.Get("session_state"), "the session goes on")
}

func TestLoginFormIsBoundToTheBrowser(t *testing.T) {
	s := people(t)
	const lost = "An error occurred, please login again through your application."
	victim := newBrowser(t, s)
	victim.authorize("")
	page := victim.page

	noCookie := newBrowser(t, s)
	noCookie.page = page
	assert.Equal(t, 400, noCookie.fill("alice", "alice-pw").StatusCode)
	assert.Contains(t, noCookie.page, "Restart login cookie not found.")

	other := newBrowser(t, s)
	other.authorize("")
	for name, changed := range map[string]string{
		"another browser":  page,
		"another client":   strings.Replace(other.page, "client_id=web", "client_id=other", 1),
		"another tab":      strings.Replace(other.page, "tab_id=", "tab_id=x", 1),
		"nothing but form": strings.Replace(other.page, "?client_id", "?x", 1),
	} {
		mallory := *other
		mallory.page = changed
		res := mallory.fill("alice", "alice-pw")
		assert.Equal(t, 400, res.StatusCode, name)
		assert.Contains(t, mallory.page, lost, name)
		assert.Empty(t, res.Cookies(), name)
	}

	stale := *victim
	victim.fill("alice", "wrong")
	res := stale.fill("alice", "alice-pw")
	require.Equal(t, 302, res.StatusCode, "each page is good for one answer")
	assert.NotContains(t, res.Header.Get("Location"), "session_code")
	victim.do(res.Header.Get("Location"), nil, nil)
	assert.Contains(t, victim.page, "Action expired. Please continue with login now.")
	last := *victim
	assert.NotEmpty(t, parameters(t, victim.fill("alice", "alice-pw")).Get("code"))
	assert.Equal(t, url.Values{"error": {"temporarily_unavailable"}, "error_description": {"authentication_expired"}, "state": {"st"}, "iss": {s.Issuer()}},
		parameters(t, last.fill("alice", "alice-pw")), "sent twice")
}

func TestTwoTabs(t *testing.T) {
	b := newBrowser(t, people(t))
	b.authorize("state=one")
	second := *b
	second.authorize("state=two")
	one, two := parameters(t, b.fill("alice", "alice-pw")), parameters(t, second.fill("alice", "alice-pw"))
	assert.Equal(t, "one", one.Get("state"))
	assert.Equal(t, "two", two.Get("state"))
	assert.Equal(t, one.Get("session_state"), two.Get("session_state"))
}
