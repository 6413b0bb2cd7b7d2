package integration

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/svcauth/svcauth/keycloak/keycloaktest"
)

// personTokens compares what people's sign-ins bring, and the tokens that the embedded realm makes without a sign-in.
func (d *differ) personTokens(t *testing.T) {
	for _, user := range []string{"admin", "user"} {
		real, embedded := signIn(t, theKeycloak, sivalabs, user), signIn(t, theEmbedded, sivalabs, user)
		d.answers(t, "sign-in of "+user, sivalabs, real, embedded)
		token := keycloaktest.Token{Client: webapp, User: user, Scope: "openid"}
		d.token(t, "Server.Token for "+user, sivalabs, tokensOf(t, real).Access, theEmbedded[sivalabs].Token(token))
		token.Type = "ID"
		d.token(t, "Server.Token for "+user+", ID", sivalabs, tokensOf(t, real).ID, theEmbedded[sivalabs].Token(token))
	}
}

// refusedSignIns compares what becomes of token requests with one thing wrong, after sign-ins that were good.
func (d *differ) refusedSignIns(t *testing.T) {
	set := func(name, value string) func(url.Values) { return func(form url.Values) { form.Set(name, value) } }
	drop := func(name string) func(url.Values) { return func(form url.Values) { form.Del(name) } }
	refresh := func(token string) func(url.Values) {
		return func(form url.Values) {
			for _, name := range []string{"code", "redirect_uri", "code_verifier"} {
				form.Del(name)
			}
			form.Set("grant_type", "refresh_token")
			form.Set("refresh_token", token)
		}
	}
	for _, c := range []struct {
		name string
		edit func(url.Values)
	}{
		{"code unknown", set("code", "nonsense")},
		{"code of the right form", set("code", "11111111-1111-1111-1111-111111111111.22222222-2222-2222-2222-222222222222.33333333-3333-3333-3333-333333333333")},
		{"no code", drop("code")},
		{"wrong verifier", set("code_verifier", strings.Repeat("x", 52))},
		{"short verifier", set("code_verifier", "x")},
		{"no verifier", drop("code_verifier")},
		{"another redirect URI", set("redirect_uri", "http://localhost:8080/")},
		{"no redirect URI", drop("redirect_uri")},
		{"code and wrong secret", set("client_secret", "wrong")},
		{"code and another client", func(form url.Values) { form.Set("client_id", "archival-service"); form.Set("client_secret", jobSecret) }},
		{"refresh token not a token", refresh("nonsense")},
		{"refresh token empty", refresh("")},
		{"refresh token without signature", refresh("a.b.c")},
	} {
		var got []answer
		for _, one := range []issuer{theKeycloak, theEmbedded} {
			form := authorize(t, one, sivalabs, "user")
			c.edit(form)
			got = append(got, send(t, http.MethodPost, one.URL(sivalabs)+tokenPath, "", form))
		}
		d.requests++
		assert.NotEqual(t, http.StatusOK, got[0].status, "%s: %s", c.name, got[0])
		d.heads(c.name, got[0], got[1])
		d.bodies(c.name, got[0], got[1])
	}

	var twice, refreshed, info, ended []answer
	for _, one := range []issuer{theKeycloak, theEmbedded} {
		form := authorize(t, one, sivalabs, "user")
		first := tokensOf(t, send(t, http.MethodPost, one.URL(sivalabs)+tokenPath, "", form))
		info = append(info, send(t, http.MethodGet, one.URL(sivalabs)+"/protocol/openid-connect/userinfo", first.Access, nil))
		again := url.Values{"client_id": {webapp}, "client_secret": {webappSecret}}
		refresh(first.Refresh)(again)
		refreshed = append(refreshed, send(t, http.MethodPost, one.URL(sivalabs)+tokenPath, "", again))
		twice = append(twice, send(t, http.MethodPost, one.URL(sivalabs)+tokenPath, "", form)) // ends the session (RFC 6749 §4.1.2)
		ended = append(ended, send(t, http.MethodPost, one.URL(sivalabs)+tokenPath, "", again))
	}
	d.requests += 4
	d.heads("userinfo", info[0], info[1])
	d.members("userinfo", decode(t, info[0].body), decode(t, info[1].body), func(name string, value any) any {
		if name == "sub" {
			return shape(value)
		}
		return value
	})
	d.heads("refreshed", refreshed[0], refreshed[1])
	d.answers(t, "refreshed", sivalabs, refreshed[0], refreshed[1])
	d.heads("code twice", twice[0], twice[1])
	d.bodies("code twice", twice[0], twice[1])
	d.heads("refreshed after the session's end", ended[0], ended[1])
	d.bodies("refreshed after the session's end", ended[0], ended[1])
}
