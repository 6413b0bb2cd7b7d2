package messages

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/svcauth/svcauth/keycloak/keycloaktest"
)

// Bodies of POST /api/messages with the token of a user. Where the original answered 200 we answer 201: a message was created. Whatever the body says, the
// author is the user.
func TestReferenceBodies(t *testing.T) {
	const (
		created  = "201 says that something was created"
		ignored  = "id, createdBy and createdAt are the server's to say, so what a body has there is not read"
		loose    = "what is stored is what was sent, or nothing is"
		noAccept = "RFC 9110 §12.5.1 lets a server disregard Accept; the original had stored the message by then and refused only to show it"
	)
	const j = "application/json"
	rows := []struct {
		name, contentType, body string
		original, ours          int
		better                  string
		detail                  string // part of it, or the content of the message that is created
	}{
		{"valid", j, `{"content":"hello","createdBy":"golden"}`, 200, 201, created, "hello"},
		{"empty content", j, `{"content":"","createdBy":"x"}`, 400, 400, "", "content is empty"},
		{"blank content", j, `{"content":"  ","createdBy":"x"}`, 200, 400, "a message of nothing is a mistake", "content is empty"},
		{"blank content, other spaces", j, `{"content":"\t\u00a0\n\u3000"}`, 200, 400, "a message of nothing is a mistake", "content is empty"},
		{"no createdBy", j, `{"content":"a"}`, 400, 201, ignored, "a"},
		{"empty object", j, `{}`, 400, 400, "", "content is missing"},
		{"null", j, `null`, 400, 400, "", "not a JSON object"},
		{"array", j, `[]`, 400, 400, "", "not a JSON object"},
		{"string", j, `"hello"`, 400, 400, "", "not a JSON object"},
		{"no body", j, ``, 400, 400, "", "the body is empty"},
		{"white space", j, " \n", 400, 400, "", "the body is empty"},
		{"broken JSON", j, `{"content":`, 400, 400, "", "not one JSON value"},
		{"trailing garbage", j, `{"content":"a","createdBy":"b"} x`, 200, 400, loose, "not one JSON value"},
		{"second object", j, `{"content":"a"}{"content":"b"}`, 200, 400, loose, "not one JSON value"},
		{"trailing comma", j, `{"content":"a",}`, 400, 400, "", "not one JSON value"},
		{"byte order mark", j, "\ufeff" + `{"content":"a"}`, 200, 400, "RFC 8259 §8.1 forbids it", "not one JSON value"},
		{"unknown field", j, `{"content":"a","createdBy":"b","x":{"content":"inner"}}`, 200, 201, created, "a"},
		{"id and createdAt given", j, `{"id":7,"content":"a","createdBy":"b","createdAt":"2020-01-01T00:00:00Z"}`, 200, 201, created, "a"},
		{"bad createdAt", j, `{"content":"a","createdBy":"b","createdAt":"soon"}`, 400, 201, ignored, "a"},
		{"createdAt epoch number", j, `{"content":"a","createdBy":"b","createdAt":1700000000}`, 200, 201, created, "a"},
		{"id is text", j, `{"id":"x","content":"a","createdBy":"b"}`, 400, 201, ignored, "a"},
		{"content number", j, `{"content":5,"createdBy":"b"}`, 200, 400, loose, "content is not a string"},
		{"content object", j, `{"content":{},"createdBy":"b"}`, 400, 400, "", "content is not a string"},
		{"content null", j, `{"content":null,"createdBy":"b"}`, 400, 400, "", "content is not a string"},
		{"duplicate key", j, `{"content":"a","content":"b","createdBy":"c"}`, 200, 400, loose, "content stands twice"},
		{"duplicate key, escaped", j, `{"content":"a","\u0063ontent":"b"}`, 200, 400, loose, "content stands twice"},
		{"upper-case key", j, `{"Content":"a","createdBy":"b"}`, 400, 400, "", "content is missing"},
		{"unicode", j, `{"content":"héllo ☃ <script>","createdBy":"c"}`, 200, 201, created, "héllo ☃ <script>"},
		{"invalid utf8", j, "{\"content\":\"a\xff\",\"createdBy\":\"c\"}", 400, 400, "", "not valid UTF-8"},
		{"deep nesting 2000", j, `{"content":` + strings.Repeat("[", 2000) + strings.Repeat("]", 2000) + `}`, 400, 400, "", "content is not a string"},
		{"2000 characters", j, `{"content":"` + strings.Repeat("é", 2000) + `"}`, 200, 201, created, strings.Repeat("é", 2000)},
		{"2001 characters", j, `{"content":"` + strings.Repeat("é", 2001) + `"}`, 200, 400, "memory is bounded", "content has more than 2000 characters"},
		{"1 MB content", j, `{"content":"` + strings.Repeat("x", 1<<20) + `"}`, 200, 413, "memory is bounded", "more than 65536 bytes"},

		{"text/plain", "text/plain", `{"content":"a"}`, 415, 415, "", "Content-Type: application/json"},
		{"no content type", "", `{"content":"a"}`, 415, 415, "", "Content-Type: application/json"},
		{"form", "application/x-www-form-urlencoded", `content=a`, 415, 415, "", "Content-Type: application/json"},
		{"malformed content type", "application/json; charset", `{"content":"a"}`, 415, 415, "", "Content-Type: application/json"},
		{"charset utf-8", "application/json; charset=UTF-8", `{"content":"hello"}`, 200, 201, created, "hello"},
		{"charset latin1", "application/json; charset=iso-8859-1", `{"content":"hello"}`, 200, 415, "JSON is UTF-8 (RFC 8259 §8.1)", "UTF-8"},
		{"application/problem+json", "application/problem+json", `{"content":"hello"}`, 200, 201, created, "hello"},
		{"text/x+json", "text/x+json", `{"content":"hello"}`, 415, 415, "", "Content-Type: application/json"},
		{"Accept xml", j + "\nAccept: application/xml", `{"content":"hello"}`, 406, 201, noAccept, "hello"},
		{"Accept html", j + "\nAccept: text/html", `{"content":"hello"}`, 406, 201, noAccept, "hello"},
		{"broken JSON, Accept html", j + "\nAccept: text/html", `{`, 400, 400, "", "not one JSON value"},
	}
	s := newService(t, sivalabs().Issuer())
	user := sivalabs().Token(keycloaktest.Token{User: "user"})
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			compare(t, row.original, row.ours, row.better)
			before := len(s.messages.list())
			contentType, accept, _ := strings.Cut(row.contentType, "\nAccept: ")
			r := httptest.NewRequest("POST", "/api/messages", strings.NewReader(row.body))
			r.Header.Set("Authorization", "Bearer "+user)
			if contentType != "" {
				r.Header.Set("Content-Type", contentType)
			}
			if accept != "" {
				r.Header.Set("Accept", accept)
			}
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)

			require.Equal(t, row.ours, w.Code, w.Body)
			var answer struct{ Detail, Content, CreatedBy string }
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &answer))
			if row.ours == 201 {
				assert.Equal(t, row.detail, answer.Content)
				assert.Equal(t, "user", answer.CreatedBy)
				assert.Regexp(t, `^/api/messages#\d+$`, w.Header().Get("Location"))
				assert.Len(t, s.messages.list(), before+1)
				return
			}
			assert.Contains(t, answer.Detail, row.detail)
			assert.Empty(t, w.Header().Get("WWW-Authenticate"), "there is nothing wrong with the token")
			assert.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
			assert.Len(t, s.messages.list(), before, "what was refused is not stored")
			if row.ours == 415 {
				assert.Equal(t, "application/json, application/*+json", w.Header().Get("Accept"))
			}
		})
	}
}

// The rows of the same table that are about who sends a body, or about other routes. What is refused says so in a problem, whatever the client accepts.
func TestReferenceRequests(t *testing.T) {
	const (
		hello   = `{"content":"hello","createdBy":"golden"}`
		noRoles = "a token without realm_access is a good token without roles; the original failed on it"
	)
	user, admin := sivalabs().Token(keycloaktest.Token{User: "user"}), sivalabs().Token(keycloaktest.Token{User: "admin"})
	nobody := sivalabs().Token(keycloaktest.Token{Client: "archival-service", Roles: []string{}})
	s := newService(t, sivalabs().Issuer())
	for _, row := range []struct {
		name, token, method, path, accept, body string
		original                                int
		challenge                               string
		ours                                    int
		better                                  string
	}{
		{"valid, no token", "", "POST", "/api/messages", "*/*", hello, 401, bare, 401, ""},
		{"valid with svc_no_realm_access", nobody, "POST", "/api/messages", "*/*", hello, 401, "", 201, noRoles},
		{"404 Accept html", user, "GET", "/nope", "text/html", "", 404, "", 404, ""},
		{"401 Accept json", "", "POST", "/api/messages/archive", "application/json", "", 401, bare, 401, ""},
		{"archive with body", admin, "POST", "/api/messages/archive", "*/*", hello, 200, "", 200, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			compare(t, row.original, row.ours, row.better)
			r := httptest.NewRequest(row.method, row.path, strings.NewReader(row.body))
			r.Header = map[string][]string{"Accept": {row.accept}, "Content-Type": {"application/json"}}
			if row.token != "" {
				r.Header.Set("Authorization", "Bearer "+row.token)
			}
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			assert.Equal(t, row.ours, w.Code)
			checkRefusal(t, w.Result(), row.challenge, row.token)
		})
	}
}

func TestAmbiguousContentTypeIsRefused(t *testing.T) {
	r := httptest.NewRequest("POST", "/api/messages", strings.NewReader(`{"content":"hello"}`))
	r.Header = map[string][]string{
		"Authorization": {"Bearer " + sivalabs().Token(keycloaktest.Token{User: "user"})}, "Content-Type": {"application/json", "text/plain"},
	}
	w := httptest.NewRecorder()
	newService(t, sivalabs().Issuer()).ServeHTTP(w, r)
	assert.Equal(t, 415, w.Code)
}

func TestHalfASurrogatePairIsRefused(t *testing.T) {
	s := newService(t, sivalabs().Issuer())
	for content, want := range map[string]string{ // in JSON: the content, empty if it is refused
		`\ud800`: "", `a\uDFFFb`: "", `\ud83d\ud83d\ude00`: "", `\ud83d\ude00\ude00`: "", `\\\ud800`: "", `\ud83d\n\ude00`: "",
		`\ud83d\uDE00`: "😀", `\\ud800`: `\ud800`, `\ufffd�`: "��", `\ud7ff\ue000`: "\ud7ff\ue000",
	} {
		r := httptest.NewRequest("POST", "/api/messages", strings.NewReader(`{"content":"`+content+`"}`))
		r.Header = map[string][]string{
			"Authorization": {"Bearer " + sivalabs().Token(keycloaktest.Token{User: "user"})}, "Content-Type": {"application/json"},
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		var answer struct{ Detail, Content string }
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &answer))
		assert.Equal(t, want, answer.Content, content)
		if want == "" {
			assert.Equal(t, 400, w.Code, content)
			assert.Contains(t, answer.Detail, "not valid Unicode", content)
		}
	}
}

func TestCompressedBodyIsRefused(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	must(z.Write([]byte(`{"content":"hello"}`)))
	require.NoError(t, z.Close())
	r := httptest.NewRequest("POST", "/api/messages", &b)
	r.Header = map[string][]string{
		"Authorization": {"Bearer " + sivalabs().Token(keycloaktest.Token{User: "user"})}, "Content-Type": {"application/json"}, "Content-Encoding": {"gzip"},
	}
	w := httptest.NewRecorder()
	newService(t, sivalabs().Issuer()).ServeHTTP(w, r)
	assert.Equal(t, 415, w.Code)
}

func FuzzContentOf(f *testing.F) {
	for _, seed := range []string{`{"content":"a"}`, `{"content":"a","content":"b"}`, `[]`, `{"a":{"content":1},"content":"\ud83d\ude00"}`, `{"content":"\ud800"}`, `{"content":"a",}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		content, refused := contentOf(body)
		var whole map[string]json.RawMessage
		err := json.Unmarshal(body, &whole)
		if refused == nil {
			require.NoError(t, err, "what is taken is a JSON object")
			var again string
			require.NoError(t, json.Unmarshal(whole["content"], &again))
			assert.Equal(t, again, content)
		} else {
			assert.Equal(t, 400, refused.status)
			assert.NotEmpty(t, refused.detail)
		}
	})
}
