package messages

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/svcauth/svcauth/keycloak/keycloaktest"
)

// Header variants, sent over a raw connection with an admin's token TOKEN to POST /api/messages/archive, and to the public GET /api/messages, which looks at none
// of them: ours answers 200 there to all but those that are too long. Each row has what the original answered to either.
func TestReferenceHeaders(t *testing.T) {
	const (
		spaces    = "RFC 9110 §11.4 lets one or more spaces stand between scheme and token"
		ambiguous = "of two Authorization fields, two readers might each choose another"
		notRead   = "a token in a form or query is never read, so there is at most one: that of the header"
		tooLong   = "431 says what is wrong, and our limit for a token is 16 KiB"
		unasked   = 0 // the original was not asked this
	)
	type page struct { // the original's answer, and why ours is better
		original int
		better   string
	}
	open := page{200, ""}
	shut := page{401, "what everybody may see needs no token, so there is none that shuts it"}
	mixed := page{400, notRead}
	long := page{400, "what is no longer than 32 KiB is read"}
	var post page // a variant of POST only
	rows := []struct {
		name      string
		lines     string // of the header, after a ?query, and a form or JSON body that has the token; each ends with ;
		public    page
		original  int
		challenge string
		ours      int
		better    string
	}{
		{"valid", "Authorization: Bearer TOKEN;", open, 200, "", 200, ""},
		{"lower-case scheme", "Authorization: bearer TOKEN;", open, 200, "", 200, ""},
		{"upper-case scheme", "Authorization: BEARER TOKEN;", open, 200, "", 200, ""},
		{"mixed-case scheme", "Authorization: bEaReR TOKEN;", open, 200, "", 200, ""},
		{"lower-case header name", "authorization: Bearer TOKEN;", open, 200, "", 200, ""},
		{"two spaces", "Authorization: Bearer  TOKEN;", shut, 401, "", 200, spaces},
		{"tab", "Authorization: Bearer\tTOKEN;", shut, 401, malformedHeader, 401, ""},
		{"leading space", "Authorization:   Bearer TOKEN;", open, 200, "", 200, ""},
		{"trailing space", "Authorization: Bearer TOKEN  ;", open, 200, "", 200, ""},
		{"no space", "Authorization: BearerTOKEN;", shut, 401, bare, 401, ""},
		{"empty token", "Authorization: Bearer ;", shut, 401, malformedHeader, 401, ""},
		{"scheme only", "Authorization: Bearer;", shut, 401, malformedHeader, 401, ""},
		{"empty header", "Authorization: ;", open, 401, bare, 401, ""},
		{"quoted", `Authorization: Bearer "TOKEN";`, shut, 401, malformedHeader, 401, ""},
		{"comma list", "Authorization: Bearer TOKEN, Bearer TOKEN;", shut, 401, malformedHeader, 401, ""},
		{"trailing word", "Authorization: Bearer TOKEN word;", shut, 401, malformedHeader, 401, ""},
		{"bare token", "Authorization: TOKEN;", open, 401, bare, 401, ""},
		{"Bearer: colon", "Authorization: Bearer: TOKEN;", shut, 401, malformedHeader, 401, ""},
		{"Token scheme", "Authorization: Token TOKEN;", open, 401, bare, 401, ""},
		{"Basic scheme", "Authorization: Basic TOKEN;", open, 401, bare, 401, ""},
		{"Digest", "Authorization: Digest TOKEN;", open, 401, bare, 401, ""},
		{"DPoP scheme", "Authorization: DPoP TOKEN;", open, 401, bare, 401, ""},
		{"Bearerx", "Authorization: Bearerx TOKEN;", shut, 401, bare, 401, ""},
		{"nbsp", "Authorization: Bearer\u00a0TOKEN;", shut, 401, malformedHeader, 401, ""},
		{"padding ==", "Authorization: Bearer TOKEN==;", open, 200, malformed, 401, "base64url without padding (RFC 7515 §2): a token has one spelling"},

		{"two headers same", "Authorization: Bearer TOKEN;Authorization: Bearer TOKEN;", open, 200, doubled, 400, ambiguous},
		{"two headers good,bad", "Authorization: Bearer TOKEN;Authorization: Bearer garbage;", open, 200, doubled, 400, ambiguous},
		{"two headers bad,good", "Authorization: Bearer garbage;Authorization: Bearer TOKEN;", shut, 401, doubled, 400, ambiguous},
		{"two headers Basic,Bearer", "Authorization: Basic dTpw;Authorization: Bearer TOKEN;", open, 401, doubled, 400, ambiguous},
		{"two headers empty,good", "Authorization: ;Authorization: Bearer TOKEN;", open, 401, doubled, 400, ambiguous},

		{"query token", "?access_token=TOKEN;", open, 401, bare, 401, ""},
		{"query and header", "?access_token=TOKEN;Authorization: Bearer TOKEN;", mixed, 200, "", 200, ""},
		{"query garbage and header", "?access_token=garbage;Authorization: Bearer TOKEN;", mixed, 200, "", 200, ""},
		{"query twice", "?access_token=TOKEN&access_token=TOKEN;", mixed, 401, bare, 401, ""},
		{"query empty and header", "?access_token=;Authorization: Bearer TOKEN;", mixed, 200, "", 200, ""},
		{"form token", "form;", post, 401, bare, 401, ""},
		{"form and header", "form;Authorization: Bearer TOKEN;", post, 400, "", 200, notRead},
		{"form and query", "?access_token=TOKEN;form;", post, 400, bare, 401, notRead},
		{"form, query and header", "?access_token=TOKEN;form;Authorization: Bearer TOKEN;", post, 400, "", 200, notRead},
		{"json body access_token and header", "json;Authorization: Bearer TOKEN;", post, 200, "", 200, ""},
		{"cookie token", "Cookie: access_token=TOKEN;", open, 401, bare, 401, ""},
		{"X-Access-Token", "X-Access-Token: TOKEN;", open, 401, bare, 401, ""},
		{"Proxy-Authorization", "Proxy-Authorization: Bearer TOKEN;", open, 401, bare, 401, ""},

		{"garbage of 4000 bytes", "Authorization: Bearer " + strings.Repeat("a", 4000) + ";", shut, 401, malformed, 401, ""},
		{"garbage of 7000 bytes", "Authorization: Bearer " + strings.Repeat("a", 7000) + ";", shut, 401, malformed, 401, ""},
		{"garbage of 7900 bytes", "Authorization: Bearer " + strings.Repeat("a", 7900) + ";", shut, 401, malformed, 401, ""},
		{"garbage of 8000 bytes", "Authorization: Bearer " + strings.Repeat("a", 8000) + ";", shut, 401, malformed, 401, ""},
		{"garbage of 8192 bytes", "Authorization: Bearer " + strings.Repeat("a", 8192) + ";", long, 400, malformed, 401, tooLong},
		{"garbage of 16384 bytes", "Authorization: Bearer " + strings.Repeat("a", 16384) + ";", long, 400, malformed, 401, tooLong},
		{"garbage of 16385 bytes", "Authorization: Bearer " + strings.Repeat("a", 16385) + ";", long, 400,
			`Bearer error="invalid_token", error_description="the token is too large"`, 401, tooLong},
		{"garbage of 65536 bytes", "Authorization: Bearer " + strings.Repeat("a", 65536) + ";", page{400, tooLong}, 400, "", 431, tooLong},
		{"non-auth header of 8192 bytes", "X: " + strings.Repeat("a", 8192) + ";", long, unasked, bare, 401, ""},
		{"non-auth header of 65536 bytes", "X: " + strings.Repeat("a", 65536) + ";", page{400, tooLong}, unasked, "", 431, ""},
	}
	admin := sivalabs().Token(keycloaktest.Token{User: "admin"})
	addr := serve(t, newService(t, sivalabs().Issuer()))
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			query, head, body := variant(row.lines, admin)
			resp := raw(t, addr, "POST /api/messages/archive"+query+" HTTP/1.1\r\n"+head, body)
			assert.Equal(t, row.ours, resp.StatusCode)
			if row.original != unasked {
				compare(t, row.original, row.ours, row.better)
			}
			public := 200
			if row.ours == 431 { // net/http answers that one before any handler
				public = 431
			} else {
				checkRefusal(t, resp, row.challenge, admin)
			}
			if row.public != post {
				compare(t, row.public.original, public, row.public.better)
				resp = raw(t, addr, "GET /api/messages"+query+" HTTP/1.1\r\n"+head, "")
				assert.Equal(t, public, resp.StatusCode, "the public page")
				assert.Empty(t, resp.Header.Get("WWW-Authenticate"))
			}
		})
	}
}

// variant takes the lines of a row apart: the query with its ?, the header, the body.
func variant(lines, token string) (query, head, body string) {
	for line := range strings.SplitSeq(strings.TrimSuffix(strings.ReplaceAll(lines, "TOKEN", token), ";"), ";") {
		contentType := ""
		switch {
		case strings.HasPrefix(line, "?"):
			query = line
			continue
		case line == "form":
			contentType, body = "application/x-www-form-urlencoded", "access_token="+token
		case line == "json":
			contentType, body = "application/json", `{"access_token":"`+token+`"}`
		}
		if contentType != "" {
			line = fmt.Sprintf("Content-Type: %s\r\nContent-Length: %d", contentType, len(body))
		}
		head += line + "\r\n"
	}
	return query, head, body
}

// Methods and paths that no route has: the caller is authenticated before it is told anything. A page of another origin is told nothing either, by no preflight.
// What the original's firewall took for attacks (answered 401, good token or not, and without security headers) is cleaned, and is a path like any other.
func TestReferenceRouting(t *testing.T) {
	rows := []struct {
		method, path    string
		stranger, known int
		allow           string
	}{
		{"GET", "/nope", 401, 404, ""},
		{"GET", "/", 401, 404, ""},
		{"GET", "/api/messages/1", 401, 404, ""},
		{"GET", "/api/messages/", 401, 404, ""},
		{"DELETE", "/api/messages", 401, 405, "GET, HEAD, POST"},
		{"OPTIONS", "/api/messages", 401, 405, "GET, HEAD, POST"},
		{"GET", "/api/messages/archive", 401, 405, "POST"},
		{"POST", "/api/me", 401, 405, "GET, HEAD"},
		{"OPTIONS", "*", 401, 404, ""},
		{"GET", "//nope", 401, 404, ""},
		{"GET", "/./nope", 401, 404, ""},
		{"GET", "/../nope", 401, 404, ""},
		{"GET", "/%2e%2e/nope", 401, 404, ""},
		{"GET", "/nope%0a", 401, 404, ""},
		{"GET", "/api/me;x=y", 401, 404, ""},
		{"GET", "/api//me", 401, 200, ""},
		{"GET", "/api/./me", 401, 200, ""},
		{"GET", "/nope/../api/me", 401, 200, ""},
		{"GET", "/api//messages", 200, 200, ""}, // the public page under another spelling of its path
		{"GET", "/error", 401, 404, ""},         // the original: 500 for those it knows
		{"HEAD", "/api/messages", 200, 200, ""}, // the original: 401 for strangers. A public page's HEAD is as public as its GET (RFC 9110 §9.3.2)
		{"HEAD", "/api/me", 401, 200, ""},
	}
	addr := serve(t, newService(t, sivalabs().Issuer()))
	user := "Authorization: Bearer " + sivalabs().Token(keycloaktest.Token{User: "user"}) + "\r\n"
	const origin = "Origin: http://evil.example\r\nAccess-Control-Request-Method: POST\r\n"
	for _, row := range rows {
		t.Run(row.method+" "+row.path, func(t *testing.T) {
			resp := raw(t, addr, row.method+" "+row.path+" HTTP/1.1\r\n"+origin, "")
			assert.Equal(t, row.stranger, resp.StatusCode)
			if row.stranger == 401 {
				assert.Equal(t, bare, resp.Header.Get("WWW-Authenticate"))
			}
			assert.Empty(t, resp.Header.Get("Allow"), "strangers learn nothing of the routes")
			assert.Equal(t, "DENY", resp.Header.Get("X-Frame-Options"))
			for _, name := range []string{"Access-Control-Allow-Origin", "Set-Cookie", "Server", "Location"} {
				assert.Empty(t, resp.Header.Get(name), name)
			}
			resp = raw(t, addr, row.method+" "+row.path+" HTTP/1.1\r\n"+user+origin, "")
			assert.Equal(t, row.known, resp.StatusCode)
			assert.Equal(t, row.allow, resp.Header.Get("Allow"))
			assert.Equal(t, "DENY", resp.Header.Get("X-Frame-Options"))
			assert.Empty(t, resp.Header.Get("Access-Control-Allow-Origin"))
		})
	}
}

func serve(t *testing.T, s *Service) string {
	t.Helper()
	server := httptest.NewUnstartedServer(s)
	server.Config = s.server()
	server.Start()
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}
