package resourceserver_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	rs "github.com/svcauth/svcauth/resourceserver"
)

// TestIssuersOnTheWire holds that what proxies and frameworks do to an answer costs nobody the keys, and that a redirect is not followed but told.
func TestIssuersOnTheWire(t *testing.T) {
	var many []string
	for n := range 100 {
		many = append(many, changed(keyFor("EdDSA/other").PublicJWK("sig"), map[string]any{"kid": fmt.Sprint("k", n%50)}))
	}
	key := string(keyFor("EdDSA").PublicJWK("sig"))
	own := changed([]byte(key), map[string]any{"kid": "k7"})
	set := func(keys ...string) string { return `{"keys":[` + strings.Join(keys, ",") + `]}` }
	for name, c := range map[string]struct {
		serve func(http.ResponseWriter, *http.Request, string)
		keys  string
		kid   any
		fault string // in the log; empty: the token passes
	}{
		"text/plain":            {plainly("text/plain"), set(key), keyFor("EdDSA").ID(), ""},
		"no content type":       {plainly(""), set(key), keyFor("EdDSA").ID(), ""},
		"in chunks":             {inChunks, set(key), keyFor("EdDSA").ID(), ""},
		"compressed":            {compressed, set(key), keyFor("EdDSA").ID(), ""},
		"a hundred keys":        {plainly("application/jwk-set+json"), set(append(many, key)...), keyFor("EdDSA").ID(), ""},
		"three keys of one kid": {plainly("application/json"), set(append(many, own)...), "k7", ""},
		"a token without a kid": {plainly("application/json"), set(many[0], own), nil, ""},
		"keys behind a redirect": {func(w http.ResponseWriter, r *http.Request, text string) {
			if strings.HasSuffix(r.URL.Path, "/keys") {
				http.Redirect(w, r, "/elsewhere", http.StatusFound)
				return
			}
			_, _ = io.WriteString(w, text)
		}, set(key), keyFor("EdDSA").ID(), "status 302, a redirect, which is never followed: set JWKSURL"},
		"metadata behind a redirect": {func(w http.ResponseWriter, r *http.Request, _ string) {
			http.Redirect(w, r, "/elsewhere", http.StatusMovedPermanently)
		}, set(key), keyFor("EdDSA").ID(), "status 301, a redirect, which is never followed: set Issuer"},
	} {
		t.Run(name, func(t *testing.T) {
			var issuer string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch r.URL.Path {
				case "/a/b/.well-known/openid-configuration":
					c.serve(w, r, `{"issuer":"`+issuer+`","jwks_uri":"`+issuer+`/keys"}`)
				case "/a/b/keys", "/elsewhere":
					c.serve(w, r, c.keys)
				default:
					http.NotFound(w, r)
				}
			}))
			defer server.Close()
			issuer = server.URL + "/a/b"
			var book logBook
			auth := newAuth(t, rs.Config{Issuer: issuer, Audiences: []string{audience}, Logger: book.logger()})
			_, err := auth.Verify(t.Context(), sign(keyFor("EdDSA"), map[string]any{"kid": c.kid}, good(claims{"iss": issuer})))
			if c.fault == "" {
				require.NoError(t, err, book.text())
				return
			}
			require.ErrorIs(t, err, rs.ErrKeysUnavailable)
			assert.Contains(t, book.text(), c.fault)
		})
	}
}

func plainly(contentType string) func(http.ResponseWriter, *http.Request, string) {
	return func(w http.ResponseWriter, _ *http.Request, text string) {
		w.Header()["Content-Type"] = []string{contentType}
		_, _ = io.WriteString(w, text)
	}
}

func inChunks(w http.ResponseWriter, _ *http.Request, text string) {
	for ; text != ""; text = text[min(len(text), 10):] {
		_, _ = io.WriteString(w, text[:min(len(text), 10)])
		w.(http.Flusher).Flush()
	}
}

func compressed(w http.ResponseWriter, r *http.Request, text string) {
	if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		http.Error(w, "gzip only", http.StatusNotAcceptable)
		return
	}
	w.Header().Set("Content-Encoding", "gzip")
	z := gzip.NewWriter(w)
	_, _ = io.WriteString(z, text)
	_ = z.Close()
}
