package clientcreds

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseScope(t *testing.T) {
	for _, tt := range []struct {
		raw  string
		want []string
	}{
		{`"openid profile"`, []string{"openid", "profile"}},
		{`" openid  profile "`, []string{"openid", "profile"}},
		{`["openid","profile"]`, []string{"openid", "profile"}},
		{`""`, []string{}}, // said to be none
		{`[]`, []string{}},
		{``, nil}, {`null`, nil}, {`5`, nil}, {`{}`, nil}, {`[5]`, nil}, // not said
	} {
		got := parseScope(json.RawMessage(tt.raw))
		assert.Equal(t, tt.want, got, tt.raw)
	}
}

func TestMissingScopes(t *testing.T) {
	for _, tt := range []struct{ declared, granted, want []string }{
		{[]string{"a", "b"}, nil, nil}, // not said: as asked for
		{[]string{"a", "b"}, []string{"b", "c", "a"}, nil},
		{[]string{"b", "a", "b"}, []string{}, []string{"b", "a"}},
		{[]string{"A"}, []string{"a"}, []string{"A"}}, // case counts, RFC 6749 §3.3
		{nil, []string{"a"}, nil},
	} {
		assert.Equal(t, tt.want, missingScopes(tt.declared, tt.granted), "%v of %v", tt.granted, tt.declared)
	}
}

func TestScopesThatWereNotGrantedAreSaidOncePerChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		var fetches []Fetch
		granted := `"openid"`
		issuer := &script{}
		issuer.next = func(n int, r *http.Request) (*http.Response, error) {
			if granted == "" {
				return reply(503, "")
			}
			return reply(200, fmt.Sprintf(`{"access_token":"t%d","expires_in":60,"scope":%s}`, n, granted))
		}
		source := newTestSource(t, issuer, func(c *Config) {
			c.Scopes = []string{"openid", "orders:write"}
			c.Logger = slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelInfo}))
			c.OnFetch = func(_ context.Context, f Fetch) { fetches = append(fetches, f) }
		})
		said := func() (about []string) {
			t.Helper()
			time.Sleep(time.Minute)
			_, _ = source.Token()
			for line := range strings.Lines(out.String()) {
				if strings.Contains(line, "scopes were not granted") || strings.Contains(line, "declared scopes are granted") {
					about = append(about, line)
				}
			}
			out.Reset()
			return about
		}
		first := said()
		require.Len(t, first, 1)
		assert.Contains(t, first[0], "level=WARN")
		assert.Contains(t, first[0], "missing=[orders:write]")
		assert.Contains(t, first[0], "client_id=archival-service")
		assert.Empty(t, said(), "the same again is not news")
		granted = ""
		assert.Empty(t, said(), "nor is a failure")
		granted = `"openid"`
		assert.Empty(t, said(), "nor the same after a failure")
		assert.Equal(t, []string{"openid"}, source.Status().GrantedScopes)
		assert.Equal(t, []string{"orders:write"}, source.Status().MissingScopes)
		assert.Contains(t, source.Status().String(), "granted_scopes=[openid] missing_scopes=[orders:write]")
		assert.Equal(t, []string{"orders:write"}, fetches[len(fetches)-1].MissingScopes)
		granted = `"other"`
		if now := said(); assert.Len(t, now, 1, "more is missing") {
			assert.Contains(t, now[0], `missing="[openid orders:write]"`)
		}
		granted = `"orders:write openid email"`
		if now := said(); assert.Len(t, now, 1) {
			assert.Contains(t, now[0], "level=INFO")
		}
		assert.Empty(t, source.Status().MissingScopes)
		granted = `null`
		assert.Empty(t, said())
		assert.Nil(t, source.Status().GrantedScopes)
	})
}

// TestManyGrantedScopesAreCutShort holds that an issuer's answer does not decide how long a status is when it is printed.
func TestManyGrantedScopesAreCutShort(t *testing.T) {
	issuer := &script{next: func(int, *http.Request) (*http.Response, error) {
		return reply(200, `{"access_token":"t","expires_in":60,"scope":"`+strings.Repeat("orders:write ", 1000)+`"}`)
	}}
	source := newTestSource(t, issuer)
	_, err := source.Token()
	require.NoError(t, err)
	assert.Contains(t, source.Status().String(), "orders:write")
	assert.Less(t, len(source.Status().String()), 1000)
}
