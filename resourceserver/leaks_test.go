package resourceserver_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	rs "github.com/svcauth/svcauth/resourceserver"
)

// TestNothingSecretIsSaid plants tokens, signatures, keys and an issuer's outpourings, collects whatever the package says about them in logs, answers, errors,
// callbacks and status, in each print, and searches it.
func TestNothingSecretIsSaid(t *testing.T) {
	const planted = "hunter2-in-the-clear"
	var book logBook
	var said strings.Builder
	say := func(values ...any) {
		for _, v := range values {
			fmt.Fprintf(&said, "%v\n%+v\n%#v\n%s\n%q\n", v, v, v, v, v)
			if data, err := json.Marshal(v); err == nil {
				said.Write(append(data, '\n'))
			}
		}
	}
	key, other := keyFor("EdDSA"), keyFor("EdDSA/other")
	f := newFakeIssuer()
	f.publishRaw(`{"keys":[` + string(key.PublicJWK("sig")) + `,{"kty":"oct","kid":"s","k":"` + planted + `"},` + jwkWith(other, map[string]any{"kid": "p", "d": planted}) + `]}`)
	c := f.config()
	c.Logger = book.logger()
	c.OnDecision = func(_ context.Context, d rs.Decision) { say(d) }
	c.OnFetch = func(_ context.Context, fetch rs.Fetch) { say(fetch, fetch.Err) }
	auth := newAuth(t, c)
	handlers := []http.Handler{
		auth.Require()(ok), auth.RequireRole("NOBODY")(ok), auth.RequireScope("nothing")(ok), auth.Optional()(ok),
		auth.Require(rs.RuleFunc("never", func(*http.Request, *rs.Principal) bool { return false }))(ok),
	}

	genuine := goodToken()
	head, body, sig := parts(genuine)
	now := time.Now().Unix()
	tokens := []string{
		genuine,
		head + "." + body + "." + flip(sig),
		head + "." + body,
		genuine + ".x",
		genuine + "=",
		sign(other, nil, good(nil)),
		sign(other, map[string]any{"kid": nil}, good(nil)),
		sign(key, map[string]any{"crit": []string{planted}}, good(nil)),
		sign(key, nil, good(claims{"exp": now - 3600, "iat": absent})),
		sign(key, nil, good(claims{"nbf": now + 200})),
		sign(key, nil, good(claims{"iss": "https://evil.test"})),
		sign(key, nil, good(claims{"aud": []string{"account"}})),
		sign(key, nil, good(claims{"typ": "Refresh"})),
		sign(key, nil, good(claims{"cnf": claims{"jkt": planted}})),
		sign(key, nil, good(claims{"sub": 5, "password": planted})),
		signText(key, `{"alg":"EdDSA","x":"`+planted+`"`, payload(good(nil))),
		signRaw(key, nil, []byte(`{"password":"`+planted+`"`)),
		signRaw(key, nil, []byte(`{"`+planted+`":1,"`+planted+`":2}`)),
		strings.Repeat(genuine, 100),
	}
	use := func() {
		for _, token := range tokens {
			for _, h := range handlers {
				w := get(h, "Bearer "+token)
				say(w.Header(), w.Body.String(), w.Code)
			}
			p, err := auth.Verify(t.Context(), token)
			say(err)
			if p != nil {
				say(p, *p)
			}
			say(auth.Explain(t.Context(), token, rs.Role("NOBODY")))
		}
		for _, fields := range [][]string{{"Bearer " + genuine, "Bearer " + genuine}, {"Bearer " + genuine + " x"}, {"bearer\t" + genuine}, {genuine}, {"DPoP " + genuine}} {
			r := httptest.NewRequest("GET", "/?access_token="+genuine, nil)
			r.Header["Authorization"] = fields
			w := httptest.NewRecorder()
			handlers[0].ServeHTTP(w, r)
			say(w.Header(), w.Body.String())
			_, err := rs.BearerToken(fields)
			say(err)
		}
		say(auth.Status(), auth.Warm(t.Context()), auth)
	}
	use()

	// The issuer falls ill and says too much, to a service that has no keys yet.
	for _, answer := range []func(*http.Request) (*http.Response, error){
		func(*http.Request) (*http.Response, error) { return nil, fmt.Errorf("proxyconnect: %s", planted) },
		func(*http.Request) (*http.Response, error) { return reply(500, planted, nil), nil },
		func(*http.Request) (*http.Response, error) { return reply(200, "<html>"+planted, nil), nil },
		func(*http.Request) (*http.Response, error) {
			return reply(302, "", http.Header{"Location": {"https://evil.test/" + planted}}), nil
		},
		func(*http.Request) (*http.Response, error) { panic(planted) },
	} {
		f.respond(answer)
		auth = newAuth(t, c)
		handlers = []http.Handler{auth.Require()(ok)}
		use()
	}

	all := said.String() + book.text()
	require.Contains(t, all, "request refused", "the log was looked at")
	require.Contains(t, all, string(rs.ReasonSignature))
	secrets := []string{planted, jwkMember(key, "x").(string), jwkMember(other, "x").(string)}
	for _, token := range tokens {
		h, b, s := parts(token + "...")
		for _, part := range []string{h, b, s} {
			for at := 0; at+24 <= len(part) && at < 600; at += 24 { // any piece of it is too much
				secrets = append(secrets, part[at:at+24])
			}
		}
	}
	for _, secret := range secrets {
		if at := strings.Index(all, secret); at >= 0 {
			assert.Fail(t, "said aloud", "%q in …%s…", secret, all[max(0, at-200):min(len(all), at+200)])
			return
		}
	}
}
