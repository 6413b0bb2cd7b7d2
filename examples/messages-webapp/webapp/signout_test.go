package webapp

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSignOutEndsBothSessions(t *testing.T) {
	st := newStory(t)
	b := st.browser(t)
	b.signIn("user")
	id := st.cookie(b).Value
	st.session(b).keep("unsent")
	v := b.post("/logout", nil)
	v.atHome(t, "done: You are logged out.")
	assert.Contains(t, v.html, "Welcome Guest")
	assert.NotContains(t, v.html, "Your message is kept", "the next person at this browser is perhaps another one")
	assert.Nil(t, st.app.people.get(id))
	assert.NotEqual(t, id, st.cookie(b).Value)
	assert.Contains(t, b.get("/login").html, "kc-form-login", "the issuer asks for the password again")
	b.post("/logout", nil).atHome(t, "notice: You were not signed in.")
}

func TestSignOutRequest(t *testing.T) {
	st := newStory(t)
	b := st.browser(t)
	b.signIn("user")
	hint := st.session(b).person.logoutHint()
	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	v := b.post("/logout", nil)
	assert.Equal(t, http.StatusSeeOther, v.status)
	to, err := url.Parse(v.header.Get("Location"))
	require.NoError(t, err)
	assert.Equal(t, st.realm.Issuer()+"/protocol/openid-connect/logout", to.Scheme+"://"+to.Host+to.Path)
	assert.Equal(t, url.Values{"client_id": {"messages-webapp"}, "id_token_hint": {hint}, "post_logout_redirect_uri": {st.url + "/"}}, to.Query())
}

func TestSignOutWithoutTheIssuer(t *testing.T) {
	st := newStory(t)
	b := st.browser(t)
	b.signIn("user")
	m := st.app.provider.metadata
	m.mu.Lock()
	m.at, m.value = time.Time{}, metadata{} // as after a restart of the app that forgot everything but this session
	m.mu.Unlock()
	st.realm.SetDown(true)
	v := b.post("/logout", nil)
	assert.Contains(t, v.said(), "notice: You are logged out here. The sign-in service could not be told")
	assert.Contains(t, v.html, "Welcome Guest")
}
