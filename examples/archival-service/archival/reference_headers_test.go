package archival

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/svcauth/svcauth/keycloak/keycloaktest"
)

// Header variants, sent over a raw connection with an admin's token TOKEN to POST /api/messages/archive: the status of the original, our answer, and why it is
// better where it is another.
func TestReferenceHeaders(t *testing.T) {
	const (
		spaces    = "RFC 9110 §11.4 lets one or more spaces stand between scheme and token"
		ambiguous = "of two Authorization fields, two readers might each choose another"
		notRead   = "a token in a form or query is never read, so there is at most one: that of the header"
		tooLong   = "431 says what is wrong, and our limit for a token is 16 KiB"
	)
	rows := []struct {
		name     string
		lines    string // of the header, after a ?query, and a form or JSON body that has the token; each ends with ;
		original int
		ours     outcome
		better   string
	}{
		{"valid", "Authorization: Bearer TOKEN;", 200, success, ""},
		{"lower-case scheme", "Authorization: bearer TOKEN;", 200, success, ""},
		{"upper-case scheme", "Authorization: BEARER TOKEN;", 200, success, ""},
		{"mixed-case scheme", "Authorization: bEaReR TOKEN;", 200, success, ""},
		{"lower-case header name", "authorization: Bearer TOKEN;", 200, success, ""},
		{"two spaces", "Authorization: Bearer  TOKEN;", 401, success, spaces},
		{"tab", "Authorization: Bearer\tTOKEN;", 401, malformedHeader, ""},
		{"leading space", "Authorization:   Bearer TOKEN;", 200, success, ""},
		{"trailing space", "Authorization: Bearer TOKEN  ;", 200, success, ""},
		{"no space", "Authorization: BearerTOKEN;", 401, stranger, ""},
		{"empty token", "Authorization: Bearer ;", 401, malformedHeader, ""},
		{"scheme only", "Authorization: Bearer;", 401, malformedHeader, ""},
		{"empty header", "Authorization: ;", 401, stranger, ""},
		{"quoted", `Authorization: Bearer "TOKEN";`, 401, malformedHeader, ""},
		{"comma list", "Authorization: Bearer TOKEN, Bearer TOKEN;", 401, malformedHeader, ""},
		{"trailing word", "Authorization: Bearer TOKEN word;", 401, malformedHeader, ""},
		{"bare token", "Authorization: TOKEN;", 401, stranger, ""},
		{"Bearer: colon", "Authorization: Bearer: TOKEN;", 401, malformedHeader, ""},
		{"Token scheme", "Authorization: Token TOKEN;", 401, stranger, ""},
		{"Basic scheme", "Authorization: Basic TOKEN;", 401, stranger, ""},
		{"Digest", "Authorization: Digest TOKEN;", 401, stranger, ""},
		{"DPoP scheme", "Authorization: DPoP TOKEN;", 401, stranger, ""},
		{"Bearerx", "Authorization: Bearerx TOKEN;", 401, stranger, ""},
		{"nbsp", "Authorization: Bearer\u00a0TOKEN;", 401, malformedHeader, ""},
		{"padding ==", "Authorization: Bearer TOKEN==;", 200, malformed, "base64url without padding (RFC 7515 §2): a token has one spelling"},

		{"two headers same", "Authorization: Bearer TOKEN;Authorization: Bearer TOKEN;", 200, doubled, ambiguous},
		{"two headers good,bad", "Authorization: Bearer TOKEN;Authorization: Bearer garbage;", 200, doubled, ambiguous},
		{"two headers bad,good", "Authorization: Bearer garbage;Authorization: Bearer TOKEN;", 401, doubled, ambiguous},
		{"two headers Basic,Bearer", "Authorization: Basic dTpw;Authorization: Bearer TOKEN;", 401, doubled, ambiguous},
		{"two headers empty,good", "Authorization: ;Authorization: Bearer TOKEN;", 401, doubled, ambiguous},

		{"query token", "?access_token=TOKEN;", 401, stranger, ""},
		{"query and header", "?access_token=TOKEN;Authorization: Bearer TOKEN;", 200, success, ""},
		{"query garbage and header", "?access_token=garbage;Authorization: Bearer TOKEN;", 200, success, ""},
		{"query twice", "?access_token=TOKEN&access_token=TOKEN;", 401, stranger, ""},
		{"query empty and header", "?access_token=;Authorization: Bearer TOKEN;", 200, success, ""},
		{"form token", "form;", 401, stranger, ""},
		{"form and header", "form;Authorization: Bearer TOKEN;", 400, success, notRead},
		{"form and query", "?access_token=TOKEN;form;", 400, stranger, notRead},
		{"form, query and header", "?access_token=TOKEN;form;Authorization: Bearer TOKEN;", 400, success, notRead},
		{"json body access_token and header", "json;Authorization: Bearer TOKEN;", 200, success, ""},
		{"cookie token", "Cookie: access_token=TOKEN;", 401, stranger, ""},
		{"X-Access-Token", "X-Access-Token: TOKEN;", 401, stranger, ""},
		{"Proxy-Authorization", "Proxy-Authorization: Bearer TOKEN;", 401, stranger, ""},

		{"garbage of 4000 bytes", "Authorization: Bearer " + strings.Repeat("a", 4000) + ";", 401, malformed, ""},
		{"garbage of 7000 bytes", "Authorization: Bearer " + strings.Repeat("a", 7000) + ";", 401, malformed, ""},
		{"garbage of 7900 bytes", "Authorization: Bearer " + strings.Repeat("a", 7900) + ";", 401, malformed, ""},
		{"garbage of 8000 bytes", "Authorization: Bearer " + strings.Repeat("a", 8000) + ";", 401, malformed, ""},
		{"garbage of 8192 bytes", "Authorization: Bearer " + strings.Repeat("a", 8192) + ";", 400, malformed, tooLong},
		{"garbage of 16384 bytes", "Authorization: Bearer " + strings.Repeat("a", 16384) + ";", 400, malformed, tooLong},
		{"garbage of 16385 bytes", "Authorization: Bearer " + strings.Repeat("a", 16385) + ";", 400, tooLarge, tooLong},
		{"garbage of 65536 bytes", "Authorization: Bearer " + strings.Repeat("a", 65536) + ";", 400, headerTooLarge, tooLong},
	}
	messages := newMessagesService(t, 200)
	s, _ := newService(t, sivalabs().Issuer(), messages.URL)
	server := httptest.NewUnstartedServer(s)
	server.Config = s.server()
	server.Start()
	t.Cleanup(server.Close)
	admin := sivalabs().Token(keycloaktest.Token{User: "admin"})
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			compare(t, row.original, row.ours, row.better)
			_, before := messages.seen()
			resp := sendRaw(t, server.Listener.Addr().String(), row.lines, admin)
			row.ours.check(t, resp)
			_, after := messages.seen()
			require.Equal(t, row.ours == success, after == before+1, "what is refused goes no further")
		})
	}
}

// sendRaw sends a variant over a connection of its own, as no client library would.
func sendRaw(t *testing.T, addr, lines, token string) *http.Response {
	t.Helper()
	query, head, body := "", "", ""
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
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	_, err = io.WriteString(conn, "POST /api/messages/archive"+query+" HTTP/1.1\r\n"+head+"Host: localhost\r\nConnection: close\r\n\r\n"+body)
	require.NoError(t, err)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	return resp
}
