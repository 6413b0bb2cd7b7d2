package messages

import (
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/svcauth/svcauth/keycloak/keycloaktest"
)

// Header variants, sent over a raw connection with an admin's token TOKEN. The public route answers 200 to each of them but those that are too long:
// it looks at no header, where the original refused every malformed one.
func TestReferenceHeaders(t *testing.T) {
	const (
		archive = "POST /api/messages/archive HTTP/1.1\r\n"
		form    = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: "
	)
	admin := sivalabs().Token(keycloaktest.Token{User: "admin"})
	const spaces = "RFC 9110 §11.4 lets one or more spaces stand between scheme and token"
	const ambiguous = "of two Authorization fields, two readers might each choose another"
	const notRead = "a token in a form or query is never read, so there is only one: that of the header"
	const tooLong = "431 says what is wrong, and our limit for a token is 16 KiB"
	rows := []struct {
		name      string
		lines     string // of the header; each ends with ;
		original  int
		challenge string
		ours      int
		better    string
	}{
		{"valid", "Authorization: Bearer TOKEN;", 200, "", 200, ""},
		{"lower-case scheme", "Authorization: bearer TOKEN;", 200, "", 200, ""},
		{"upper-case scheme", "Authorization: BEARER TOKEN;", 200, "", 200, ""},
		{"mixed-case scheme", "Authorization: bEaReR TOKEN;", 200, "", 200, ""},
		{"lower-case header name", "authorization: Bearer TOKEN;", 200, "", 200, ""},
		{"two spaces", "Authorization: Bearer  TOKEN;", 401, "", 200, spaces},
		{"tab", "Authorization: Bearer\tTOKEN;", 401, malformedHeader, 401, ""},
		{"leading space", "Authorization:   Bearer TOKEN;", 200, "", 200, ""},
		{"trailing space", "Authorization: Bearer TOKEN  ;", 200, "", 200, ""},
		{"no space", "Authorization: BearerTOKEN;", 401, bare, 401, ""},
		{"empty token", "Authorization: Bearer ;", 401, malformedHeader, 401, ""},
		{"scheme only", "Authorization: Bearer;", 401, malformedHeader, 401, ""},
		{"empty header", "Authorization: ;", 401, bare, 401, ""},
		{"quoted", `Authorization: Bearer "TOKEN";`, 401, malformedHeader, 401, ""},
		{"comma list", "Authorization: Bearer TOKEN, Bearer TOKEN;", 401, malformedHeader, 401, ""},
		{"trailing word", "Authorization: Bearer TOKEN word;", 401, malformedHeader, 401, ""},
		{"bare token", "Authorization: TOKEN;", 401, bare, 401, ""},
		{"Bearer: colon", "Authorization: Bearer: TOKEN;", 401, malformedHeader, 401, ""},
		{"Token scheme", "Authorization: Token TOKEN;", 401, bare, 401, ""},
		{"Basic scheme", "Authorization: Basic TOKEN;", 401, bare, 401, ""},
		{"Digest", "Authorization: Digest TOKEN;", 401, bare, 401, ""},
		{"DPoP scheme", "Authorization: DPoP TOKEN;", 401, bare, 401, ""},
		{"Bearerx", "Authorization: Bearerx TOKEN;", 401, bare, 401, ""},
		{"nbsp", "Authorization: Bearer\u00a0TOKEN;", 401, malformedHeader, 401, ""},
		{"padding ==", "Authorization: Bearer TOKEN==;", 200, malformed, 401, "base64url without padding (RFC 7515 §2): a token has one spelling"},

		{"two headers same", "Authorization: Bearer TOKEN;Authorization: Bearer TOKEN;", 200, doubled, 400, ambiguous},
		{"two headers good,bad", "Authorization: Bearer TOKEN;Authorization: Bearer garbage;", 200, doubled, 400, ambiguous},
		{"two headers bad,good", "Authorization: Bearer garbage;Authorization: Bearer TOKEN;", 401, doubled, 400, ambiguous},
		{"two headers Basic,Bearer", "Authorization: Basic dTpw;Authorization: Bearer TOKEN;", 401, doubled, 400, ambiguous},
		{"two headers empty,good", "Authorization: ;Authorization: Bearer TOKEN;", 401, doubled, 400, ambiguous},

		{"query token", "?access_token=TOKEN", 401, bare, 401, ""},
		{"query and header", "?access_token=TOKEN;Authorization: Bearer TOKEN;", 200, "", 200, ""},
		{"query garbage and header", "?access_token=garbage;Authorization: Bearer TOKEN;", 200, "", 200, ""},
		{"query twice", "?access_token=TOKEN&access_token=TOKEN", 401, bare, 401, ""},
		{"query empty and header", "?access_token=;Authorization: Bearer TOKEN;", 200, "", 200, ""},
		{"form token", "form", 401, bare, 401, ""},
		{"form and header", "form;Authorization: Bearer TOKEN;", 400, "", 200, notRead},
		{"form, query and header", "?access_token=TOKEN;form;Authorization: Bearer TOKEN;", 400, "", 200, notRead},
		{"cookie token", "Cookie: access_token=TOKEN;", 401, bare, 401, ""},
		{"X-Access-Token", "X-Access-Token: TOKEN;", 401, bare, 401, ""},
		{"Proxy-Authorization", "Proxy-Authorization: Bearer TOKEN;", 401, bare, 401, ""},

		{"garbage of 4000 bytes", "Authorization: Bearer " + strings.Repeat("a", 4000) + ";", 401, malformed, 401, ""},
		{"garbage of 8000 bytes", "Authorization: Bearer " + strings.Repeat("a", 8000) + ";", 401, malformed, 401, ""},
		{"garbage of 8192 bytes", "Authorization: Bearer " + strings.Repeat("a", 8192) + ";", 400, malformed, 401, tooLong},
		{"garbage of 16385 bytes", "Authorization: Bearer " + strings.Repeat("a", 16385) + ";", 400,
			`Bearer error="invalid_token", error_description="the token is too large"`, 401, tooLong},
		{"garbage of 65536 bytes", "Authorization: Bearer " + strings.Repeat("a", 65536) + ";", 400, "", 431, tooLong},
		{"non-auth header of 65536 bytes", "X: " + strings.Repeat("a", 65536) + ";", 400, "", 431, tooLong},
	}
	addr := serve(t, newService(t, sivalabs().Issuer()))
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			compare(t, row.original, row.ours, row.better)
			request, public := archive, "GET /api/messages HTTP/1.1\r\n"
			head, body := strings.ReplaceAll(row.lines, "TOKEN", admin), ""
			if strings.HasPrefix(head, "?") {
				query, rest, _ := strings.Cut(head, ";")
				request, public = strings.Replace(request, " HTTP", query+" HTTP", 1), strings.Replace(public, " HTTP", query+" HTTP", 1)
				head = rest
			}
			if rest, ok := strings.CutPrefix(head, "form"); ok {
				body = "access_token=" + admin
				request += form + strconv.Itoa(len(body)) + "\r\n"
				head = strings.TrimPrefix(rest, ";")
			}
			head = strings.ReplaceAll(head, ";", "\r\n")

			resp := raw(t, addr, request+head, body)
			assert.Equal(t, row.ours, resp.StatusCode)
			if row.ours != 431 { // net/http answers that one before any handler
				checkRefusal(t, resp, row.challenge, admin)
			}
			want := 200
			if row.ours == 431 {
				want = 431
			}
			assert.Equal(t, want, raw(t, addr, public+head, "").StatusCode, "the public route")
		})
	}
}

// Methods and paths that no route has: the caller is authenticated before it is told anything.
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
		{"GET", "/%2e%2e/nope", 401, 404, ""},
		{"HEAD", "/api/messages", 200, 200, ""}, // the original: 401 for strangers. A public page's HEAD is as public as its GET (RFC 9110 §9.3.2)
		{"HEAD", "/api/me", 401, 200, ""},
	}
	addr := serve(t, newService(t, sivalabs().Issuer()))
	user := "Authorization: Bearer " + sivalabs().Token(keycloaktest.Token{User: "user"}) + "\r\n"
	for _, row := range rows {
		t.Run(row.method+" "+row.path, func(t *testing.T) {
			resp := raw(t, addr, row.method+" "+row.path+" HTTP/1.1\r\n", "")
			assert.Equal(t, row.stranger, resp.StatusCode)
			if row.stranger == 401 {
				assert.Equal(t, bare, resp.Header.Get("WWW-Authenticate"))
			}
			assert.Empty(t, resp.Header.Get("Allow"), "strangers learn nothing of the routes")
			resp = raw(t, addr, row.method+" "+row.path+" HTTP/1.1\r\n"+user, "")
			assert.Equal(t, row.known, resp.StatusCode)
			assert.Equal(t, row.allow, resp.Header.Get("Allow"))
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
