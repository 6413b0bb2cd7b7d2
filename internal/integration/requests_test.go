package integration

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestBadRequests: whatever callers send, the answer says what is wrong with it, and the services go on.
func TestBadRequests(t *testing.T) {
	onEachIssuer(t, func(t *testing.T, one issuer) {
		m := messages(t, one.URL(sivalabs), "")
		a := archival(t, one.URL(sivalabs), m.url, "-interval", "1h")
		token := person(t, one, sivalabs, "admin").Access
		const json = "application/json"
		message := func(content string) string { return `{"content":"` + content + `"}` }

		for _, c := range []struct {
			name, request, contentType, body string
			want                             int
			detail                           string // in the body
		}{
			{"a message", "POST /api/messages", json, message("hello"), 201, `"createdBy":"admin"`},
			{"a message with an author", "POST /api/messages", json, `{"content":"hello","createdBy":"somebody else"}`, 201, `"createdBy":"admin"`},
			{"no content", "POST /api/messages", json, `{}`, 400, "content is missing"},
			{"empty content", "POST /api/messages", json, message(""), 400, "content is empty"},
			{"blank content", "POST /api/messages", json, message("  "), 400, "content is empty"},
			{"content null", "POST /api/messages", json, `{"content":null}`, 400, "content is not a string"},
			{"content number", "POST /api/messages", json, `{"content":5}`, 400, "content is not a string"},
			{"content twice", "POST /api/messages", json, `{"content":"a","content":"b"}`, 400, "content stands twice"},
			{"content upper case", "POST /api/messages", json, `{"CONTENT":"a"}`, 400, "content is missing"},
			{"long content", "POST /api/messages", json, message(strings.Repeat("x", 2001)), 400, "2000 characters"},
			{"null", "POST /api/messages", json, `null`, 400, "not a JSON object"},
			{"array", "POST /api/messages", json, `["a"]`, 400, "not a JSON object"},
			{"string", "POST /api/messages", json, `"a"`, 400, "not a JSON object"},
			{"no body", "POST /api/messages", json, ``, 400, "the body is empty"},
			{"broken JSON", "POST /api/messages", json, `{"content":"a`, 400, "not one JSON value"},
			{"something after the JSON", "POST /api/messages", json, message("a") + "x", 400, "not one JSON value"},
			{"deep", "POST /api/messages", json, strings.Repeat("[", 20000), 400, "not one JSON value"},
			{"not UTF-8", "POST /api/messages", json, message("\xff"), 400, "UTF-8"},
			{"text", "POST /api/messages", "text/plain", message("a"), 415, "application/json"},
			{"no content type", "POST /api/messages", "", message("a"), 415, "application/json"},
			{"form", "POST /api/messages", "application/x-www-form-urlencoded", "content=a", 415, "application/json"},
			{"a megabyte", "POST /api/messages", json, message(strings.Repeat("x", 1<<20)), 413, "65536 bytes"},
			{"unknown path", "GET /nope", "", "", 404, `"status":404`},
			{"wrong method", "DELETE /api/messages", "", "", 405, `"status":405`},
		} {
			t.Run(c.name, func(t *testing.T) {
				method, path, _ := strings.Cut(c.request, " ")
				request, err := http.NewRequestWithContext(t.Context(), method, m.url+path, strings.NewReader(c.body))
				require.NoError(t, err)
				request.Header.Set("Authorization", "Bearer "+token)
				if c.contentType != "" {
					request.Header.Set("Content-Type", c.contentType)
				}
				got := do(t, request)
				assert.Equal(t, c.want, got.status, "%s", got)
				assert.Contains(t, string(got.body), c.detail)
				wantType := json
				if c.want/100 != 2 {
					wantType = "application/problem+json"
				}
				assert.Equal(t, wantType, got.header.Get("Content-Type"))
				assert.NotContains(t, string(got.body), token)
			})
		}
		for _, p := range []*program{m, a} {
			for _, c := range []struct {
				name, field string
				values      []string
				want        int
			}{
				{"two tokens", "Authorization", []string{"Bearer " + token, "Bearer " + token}, 400},
				{"another scheme", "Authorization", []string{"Basic YTpi"}, 401},
				{"no token", "Authorization", []string{"Bearer"}, 401},
				{"a token and more", "Authorization", []string{"Bearer " + token + " more"}, 401},
				{"a token of 20 kB", "Authorization", []string{"Bearer " + strings.Repeat("x", 20<<10)}, 401},
				{"a token of 1 MB", "Authorization", []string{"Bearer " + strings.Repeat("x", 1<<20)}, 431},
				{"another header of 1 MB", "X-Long", []string{strings.Repeat("x", 1<<20)}, 431},
			} {
				t.Run(p.name+", "+c.name, func(t *testing.T) {
					request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+"/api/messages/archive", nil)
					require.NoError(t, err)
					request.Header[c.field] = c.values
					got, err := try(request)
					if c.want == 431 && err != nil { // the service answers and closes while the rest is still being written; the answer may get lost
						return
					}
					require.NoError(t, err)
					assert.Equal(t, c.want, got.status, "%s", got)
				})
			}
			got := archive(t, p, token) // still there
			assert.Equal(t, http.StatusOK, got.status, "%s", got)
		}
	})
}
