package keycloaktest_test

import (
	"net/http"
	"net/url"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func (b *browser) logout(query url.Values) *http.Response {
	b.t.Helper()
	return b.do(b.endpoint("logout")+"?"+query.Encode(), nil, nil)
}

// confirm presses the button of the confirmation page.
func (b *browser) confirm() *http.Response {
	b.t.Helper()
	code := regexp.MustCompile(`name="session_code" value="([^"]*)"`).FindStringSubmatch(b.page)
	require.NotNil(b.t, code, b.page)
	return b.do(b.action(), url.Values{"session_code": {code[1]}, "confirmLogout": {"Logout"}}, nil)
}

// wantSignedIn says whether the session still gives tokens, and the browser a code.
func (b *browser) wantSignedIn(want bool, given tokens) {
	b.t.Helper()
	status, body := b.refresh(given.Refresh, "")
	info, _ := b.userinfo(given.Access)
	sso := parameters(b.t, b.authorize("prompt=none"))
	if want {
		assert.Equal(b.t, 200, status)
		assert.Equal(b.t, 200, info)
		assert.NotEmpty(b.t, sso.Get("code"))
		return
	}
	assert.Equal(b.t, sessionEnded, body)
	assert.Equal(b.t, 401, info)
	assert.Equal(b.t, "login_required", sso.Get("error"))
}

// Every answer is that of Keycloak 26.7.4 to the same request.
func TestLogout(t *testing.T) {
	s := people(t)
	const home, hint, redirect = "http://localhost:8080/", "Invalid parameter: id_token_hint", "Invalid redirect uri"
	const goodbye, question = "You are logged out", "Do you want to log out?"
	for _, c := range []struct {
		name   string
		query  func(given tokens) url.Values
		status int
		want   string // location, or what the page says
		out    bool
	}{
		{"hint, redirect and state", func(g tokens) url.Values {
			return url.Values{"id_token_hint": {g.ID}, "post_logout_redirect_uri": {home}, "state": {"s&t"}}
		}, 302, home + "?state=s%26t", true},
		{"empty state", func(g tokens) url.Values {
			return url.Values{"id_token_hint": {g.ID}, "post_logout_redirect_uri": {home}, "state": {""}}
		}, 302, home, true},
		{"second URI of the list", func(g tokens) url.Values {
			return url.Values{"id_token_hint": {g.ID}, "post_logout_redirect_uri": {home + "bye"}}
		}, 302, home + "bye", true},
		{"hint alone", func(g tokens) url.Values { return url.Values{"id_token_hint": {g.ID}} }, 200, goodbye, true},
		{"hint and its client", func(g tokens) url.Values { return url.Values{"id_token_hint": {g.ID}, "client_id": {"web"}} }, 200, goodbye, true},

		{"hint and another client", func(g tokens) url.Values { return url.Values{"id_token_hint": {g.ID}, "client_id": {"other"}} }, 400, hint, false},
		{"garbage hint", func(tokens) url.Values { return url.Values{"id_token_hint": {"abc"}} }, 400, hint, false},
		{"access token as the hint", func(g tokens) url.Values { return url.Values{"id_token_hint": {g.Access}} }, 400, hint, false},
		{"refresh token as the hint", func(g tokens) url.Values { return url.Values{"id_token_hint": {g.Refresh}} }, 400, hint, false},
		{"hint with another signature", func(g tokens) url.Values { return url.Values{"id_token_hint": {g.ID[:len(g.ID)-4] + "AAAA"}} }, 400, hint, false},
		{"redirect elsewhere", func(g tokens) url.Values {
			return url.Values{"id_token_hint": {g.ID}, "post_logout_redirect_uri": {"http://evil.example/"}}
		}, 400, redirect, false},
		{"redirect with a slash more", func(g tokens) url.Values {
			return url.Values{"id_token_hint": {g.ID}, "post_logout_redirect_uri": {home + "bye/"}}
		}, 400, redirect, false},
		{"redirect with a query", func(g tokens) url.Values {
			return url.Values{"id_token_hint": {g.ID}, "post_logout_redirect_uri": {home + "?a=1"}}
		}, 400, redirect, false},
		{"redirect of an unknown client", func(tokens) url.Values {
			return url.Values{"client_id": {"nope"}, "post_logout_redirect_uri": {home}}
		}, 400, redirect, false},
		{"redirect of nobody", func(tokens) url.Values { return url.Values{"post_logout_redirect_uri": {home}} }, 400, "Missing parameters: id_token_hint", false},
		{"list is minus", func(tokens) url.Values {
			return url.Values{"client_id": {"spa"}, "post_logout_redirect_uri": {callback}}
		}, 400, redirect, false},

		{"nothing", func(tokens) url.Values { return nil }, 200, question, false},
		{"client and redirect", func(tokens) url.Values {
			return url.Values{"client_id": {"web"}, "post_logout_redirect_uri": {home}}
		}, 200, question, false},
		{"list is plus", func(tokens) url.Values {
			return url.Values{"client_id": {"other"}, "post_logout_redirect_uri": {callback}}
		}, 200, question, false},
		{"unknown client", func(tokens) url.Values { return url.Values{"client_id": {"nope"}} }, 200, question, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBrowser(t, s)
			given := b.tokens()
			res := b.logout(c.query(given))
			assert.Equal(t, c.status, res.StatusCode)
			if c.status == 302 {
				assert.Equal(t, c.want, res.Header.Get("Location"))
			} else {
				assert.Contains(t, b.page, ">"+c.want+"<")
				assert.NotContains(t, b.page, "evil.example")
			}
			b.wantSignedIn(!c.out, given)
		})
	}
}

func TestLogoutIsConfirmed(t *testing.T) {
	s := people(t)
	b := newBrowser(t, s)
	given := b.tokens()
	b.logout(url.Values{"client_id": {"web"}, "post_logout_redirect_uri": {"http://localhost:8080/"}, "state": {"xy"}})

	attacker := newBrowser(t, s)
	attacker.page = b.page
	assert.Equal(t, 400, attacker.confirm().StatusCode, "from another browser")
	assert.Contains(t, attacker.page, "Logout failed")
	assert.Equal(t, 400, b.do(b.action(), url.Values{"session_code": {"x"}}, nil).StatusCode, "sent by another site")
	b.wantSignedIn(true, given)

	b.logout(url.Values{"client_id": {"web"}, "post_logout_redirect_uri": {"http://localhost:8080/"}, "state": {"xy"}})
	again := *b
	res := b.confirm()
	assert.Equal(t, 302, res.StatusCode)
	assert.Equal(t, "http://localhost:8080/?state=xy", res.Header.Get("Location"))
	assert.Equal(t, 400, again.confirm().StatusCode, "sent twice")
	b.wantSignedIn(false, given)

	given = b.tokens()
	b.logout(nil)
	assert.Equal(t, 200, b.confirm().StatusCode)
	assert.Contains(t, b.page, ">You are logged out<")
	b.wantSignedIn(false, given)
}

func TestLogoutOfAnotherSessionIsAskedFor(t *testing.T) {
	s := people(t)
	b, other := newBrowser(t, s), newBrowser(t, s)
	mine, theirs := b.tokens(), other.tokens()
	b.logout(url.Values{"id_token_hint": {theirs.ID}})
	assert.Contains(t, b.page, ">Do you want to log out?<")
	b.wantSignedIn(true, mine)
	other.wantSignedIn(true, theirs)
}

func TestLogoutWithoutASession(t *testing.T) {
	s := people(t)
	b := newBrowser(t, s)
	given := b.tokens()
	query := url.Values{"id_token_hint": {given.ID}, "post_logout_redirect_uri": {"http://localhost:8080/"}}
	assert.Equal(t, 302, newBrowser(t, s).logout(query).StatusCode, "by a browser without cookies")
	b.wantSignedIn(false, given)
	assert.Equal(t, 302, b.logout(query).StatusCode, "twice")
	query = url.Values{"client_id": {"web"}, "post_logout_redirect_uri": {"http://localhost:8080/"}}
	assert.Equal(t, 302, newBrowser(t, s).logout(query).StatusCode, "nothing to end")
	assert.Equal(t, 200, newBrowser(t, s).logout(nil).StatusCode)
}

func TestLogoutOfOneClientEndsAll(t *testing.T) {
	b := newBrowser(t, people(t))
	given := b.tokens()
	_, body := b.redeem(b.signIn("client_id=other"), "client_id=other&client_secret=other-secret")
	b.do(b.endpoint("logout"), url.Values{"id_token_hint": {given.ID}}, nil) // by POST
	_, body = b.refresh(parse[tokens](t, body).Refresh, "client_id=other&client_secret=other-secret")
	assert.Equal(t, sessionEnded, body)
}
