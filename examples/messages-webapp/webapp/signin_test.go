package webapp

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// intercept takes over what the app asks the token endpoint.
func (st *story) intercept(f roundTripFunc) {
	st.app.provider.client.Transport = roundTripFunc(func(r *http.Request) (*http.Response, error) {
		if strings.HasSuffix(r.URL.Path, "/token") {
			return f(r)
		}
		return http.DefaultTransport.RoundTrip(r)
	})
}

func newContext(t *testing.T) (context.Context, context.CancelFunc) {
	return context.WithCancel(t.Context())
}

func discardedResponse() http.ResponseWriter { return httptest.NewRecorder() }

func TestAuthorizationRequest(t *testing.T) {
	st := newStory(t)
	b := st.browser(t)
	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	seen := map[string]bool{}
	for range 2 {
		v := b.get("/login")
		assert.Equal(t, http.StatusFound, v.status)
		to, err := url.Parse(v.header.Get("Location"))
		require.NoError(t, err)
		assert.True(t, strings.HasPrefix(to.String(), st.realm.Issuer()+"/protocol/openid-connect/auth?"))
		q := to.Query()
		for name, want := range map[string]string{
			"response_type": "code", "client_id": "messages-webapp", "scope": "openid profile", "code_challenge_method": "S256",
			"redirect_uri": st.url + "/login/oauth2/code/messages-webapp",
		} {
			assert.Equal(t, []string{want}, q[name], name)
		}
		for _, name := range []string{"state", "nonce", "code_challenge"} {
			assert.Len(t, q.Get(name), 43, name)
			assert.False(t, seen[q.Get(name)], "%s is new each time", name)
			seen[q.Get(name)] = true
		}
	}
}

func TestCookie(t *testing.T) {
	st := newStory(t)
	b := st.browser(t)
	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	assert.Regexp(t, `^messages-session=\w{26}; Path=/; HttpOnly; SameSite=Lax$`, b.get("/login").header.Get("Set-Cookie"))

	secure, err := New(Config{
		BaseURL: "https://messages.example.com", Issuer: st.realm.Issuer(), ClientID: "messages-webapp", ClientSecret: secret("x"),
		MessagesURL: st.messages.URL, ArchivalURL: st.archival.URL,
	})
	require.NoError(t, err)
	w := httptest.NewRecorder()
	secure.ServeHTTP(w, httptest.NewRequest("GET", "https://messages.example.com/login", nil))
	assert.Regexp(t, `^__Host-messages-session=\w{26}; Path=/; HttpOnly; Secure; SameSite=Lax$`, w.Header().Get("Set-Cookie"))
	assert.Contains(t, w.Header().Get("Location"), "redirect_uri=https%3A%2F%2Fmessages.example.com%2Flogin%2Foauth2%2Fcode%2Fmessages-webapp")
}

func TestSessionIsRenewedAtSignIn(t *testing.T) {
	st := newStory(t)
	b := st.browser(t)
	b.say("a draft makes a guest's session")
	guest := st.cookie(b).Value
	b.signIn("user")
	assert.NotEqual(t, guest, st.cookie(b).Value)
	assert.Nil(t, st.app.guests.get(guest), "whoever planted the old id has nothing")
	assert.Nil(t, st.app.people.get(guest))
}

func TestBadCallbacks(t *testing.T) {
	const stale, refusedHeading = "This sign-in is no longer valid", "The sign-in was refused"
	for _, c := range []struct {
		name    string
		query   func(url.Values) // what the issuer sent, to be changed
		status  int
		heading string
	}{
		{"no state", func(q url.Values) { q.Del("state") }, 400, stale},
		{"empty state", func(q url.Values) { q.Set("state", "") }, 400, stale},
		{"tampered state", func(q url.Values) { q.Set("state", q.Get("state")+"x") }, 400, stale},
		{"state twice", func(q url.Values) { q.Add("state", q.Get("state")) }, 400, stale},
		{"no code", func(q url.Values) { q.Del("code") }, 400, "This sign-in is incomplete"},
		{"empty code", func(q url.Values) { q.Set("code", "") }, 400, "This sign-in is incomplete"},
		{"code twice", func(q url.Values) { q.Add("code", "x") }, 400, "This sign-in is incomplete"},
		{"tampered code", func(q url.Values) { q.Set("code", q.Get("code")+"x") }, 400, stale},
		{"control characters", func(q url.Values) { q.Set("code", "a\r\nSet-Cookie: x=y\x00") }, 400, stale},
		{"another issuer", func(q url.Values) { q.Set("iss", "https://evil.example") }, 400, "This sign-in came from another place"},
		{"no issuer", func(q url.Values) { q.Del("iss") }, 400, "This sign-in came from another place"},
		{"cancelled", func(q url.Values) { q.Set("error", "access_denied") }, 403, "You did not sign in"},
		{"took too long", func(q url.Values) { q.Set("error", "temporarily_unavailable") }, 503, "The sign-in did not work"},
		{"issuer in trouble", func(q url.Values) { q.Set("error", "server_error") }, 503, "The sign-in did not work"},
		{"other error", func(q url.Values) { q.Set("error", "invalid_scope"); q.Set("error_description", "<script>\r\nX: y") }, 502, refusedHeading},
		{"long error", func(q url.Values) { q.Set("error", strings.Repeat("e", 5000)) }, 502, refusedHeading},
	} {
		t.Run(c.name, func(t *testing.T) {
			st := newStory(t)
			b := st.browser(t)
			b.stopBefore(CallbackPath)
			sent, err := url.Parse(b.signIn("user").header.Get("Location"))
			require.NoError(t, err)
			query := sent.Query()
			c.query(query)
			b.client.CheckRedirect = nil
			v := b.get(CallbackPath + "?" + query.Encode())
			v.isError(t, c.status, c.heading)
			assert.Contains(t, v.html, `href="/login"`)
			for _, text := range []string{"script", "eeee", "Set-Cookie", "invalid_scope"} {
				assert.NotContains(t, v.html, text, "nothing of the query is shown")
			}
			assert.Empty(t, v.header.Get("X"))
			assert.Nil(t, st.session(b).person)
			assert.NotContains(t, st.log.String(), strings.Repeat("e", 100))
			b.get("/login")
			b.get("/").atHome(t, "") // signed in by the issuer's memory: the way out works
			assert.NotNil(t, st.session(b).person)
		})
	}
}

func TestCallbackWithoutASession(t *testing.T) {
	st := newStory(t)
	b, other := st.browser(t), st.browser(t)
	b.stopBefore(CallbackPath)
	sent := b.signIn("user").header.Get("Location")
	for name, v := range map[string]view{
		"nothing":         other.get(CallbackPath),
		"another browser": other.get(sent), // somebody was sent the attacker's link
		"bad escapes":     other.get(CallbackPath + "?state=%zz&code=%"),
	} {
		assert.Equal(t, 400, v.status, name)
		v.isError(t, 400, "This sign-in is no longer valid")
		assert.Nil(t, st.session(other), name)
	}
}

func TestReplayedAndExpiredSignIn(t *testing.T) {
	st := newStory(t)
	b := st.browser(t)
	b.stopBefore(CallbackPath)
	v := b.signIn("user")
	b.follow(v).atHome(t, "done: You are signed in as Uma User.")
	before := st.tokenRequests()
	b.get(v.header.Get("Location")).isError(t, 400, "This sign-in is no longer valid")
	assert.Equal(t, before, st.tokenRequests(), "a state counts once, whatever the issuer thinks of the code")
	assert.NotNil(t, st.session(b).person, "the session goes on")

	late := st.browser(t)
	late.stopBefore(CallbackPath)
	v = late.signIn("user")
	s := st.session(late)
	s.mu.Lock()
	s.signIns[0].began = time.Now().Add(-signInLifetime)
	s.mu.Unlock()
	late.follow(v).isError(t, 400, "This sign-in is no longer valid")
}

func TestTwoTabs(t *testing.T) {
	st := newStory(t)
	b := st.browser(t)
	first, second := b.get("/login"), b.get("/login")
	b.password(second, "user").atHome(t, "done: You are signed in as Uma User.")
	b.password(first, "user").atHome(t, "done: You are signed in as Uma User.")
	b.get("/login").atHome(t, "notice: You are signed in already.")

	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	many := st.browser(t)
	many.client.CheckRedirect = b.client.CheckRedirect
	for range 3 * maxSignIns {
		many.get("/login")
	}
	assert.Len(t, st.session(many).signIns, maxSignIns)
}

func TestNobodySignsInWithoutTheIssuer(t *testing.T) {
	st := newStory(t)
	b := st.browser(t)
	st.realm.SetDown(true)
	v := b.get("/login")
	v.isError(t, 503, "Signing in is not possible now")
	assert.Equal(t, "5", v.header.Get("Retry-After"))
	b.get("/").atHome(t, "")
	asked := st.realm.Requests("/realms/sivalabs/.well-known/openid-configuration")
	b.get("/login")
	assert.Equal(t, asked, st.realm.Requests("/realms/sivalabs/.well-known/openid-configuration"), "not at once again")
	st.realm.SetDown(false)
	m := st.app.provider.metadata
	m.mu.Lock()
	m.failed = time.Time{}
	m.mu.Unlock()
	b.stopBefore(CallbackPath)
	v = b.signIn("user")
	st.realm.SetDown(true)
	b.follow(v).isError(t, 503, "Signing in is not possible now")
	st.realm.SetDown(false)
	st.realm.SetSecret("messages-webapp", "another")
	b.stopBefore(CallbackPath)
	b.follow(b.get("/login")).isError(t, 503, "Signing in is not possible now")
	assert.Contains(t, st.log.String(), `unauthorized_client`)
	assert.NotContains(t, st.log.String(), "demo-secret")
}

func TestAnswersOfTheTokenEndpoint(t *testing.T) {
	const untrusted, away = "This sign-in can&#39;t be trusted", "Signing in is not possible now"
	for _, c := range []struct {
		name    string
		change  func(map[string]any)
		status  int
		heading string
		logged  string
	}{
		{"no ID token", func(m map[string]any) { delete(m, "id_token") }, 502, untrusted, "the ID token is malformed"},
		{"ID token is a number", func(m map[string]any) { m["id_token"] = 1 }, 502, untrusted, "the ID token is malformed"},
		{"access token instead", func(m map[string]any) { m["id_token"] = m["access_token"] }, 502, untrusted, "aud"},
		{"another access token", func(m map[string]any) { m["access_token"] = "x" }, 502, untrusted, "at_hash"},
		{"tampered ID token", func(m map[string]any) { m["id_token"] = m["id_token"].(string)[:900] }, 502, untrusted, "ID token"},
		{"not Bearer", func(m map[string]any) { m["token_type"] = "DPoP" }, 502, untrusted, "not of type Bearer"},
		{"no access token", func(m map[string]any) { delete(m, "access_token") }, 503, away, "missing access_token"},
	} {
		t.Run(c.name, func(t *testing.T) {
			st := newStory(t)
			st.intercept(func(r *http.Request) (*http.Response, error) {
				resp, err := http.DefaultTransport.RoundTrip(r)
				if err != nil {
					return nil, err
				}
				defer resp.Body.Close()
				var m map[string]any
				assert.NoError(t, json.NewDecoder(resp.Body).Decode(&m))
				c.change(m)
				body, err := json.Marshal(m)
				resp.Body = io.NopCloser(strings.NewReader(string(body)))
				return resp, err
			})
			b := st.browser(t)
			v := b.signIn("user")
			v.isError(t, c.status, c.heading)
			assert.Contains(t, st.log.String(), c.logged)
			assert.NotContains(t, st.log.String(), "eyJ", "no token is logged")
			assert.Nil(t, st.session(b).person)
		})
	}
}
