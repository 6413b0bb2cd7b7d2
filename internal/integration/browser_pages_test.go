package integration

import (
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// postsFromOtherSites are pages that send forms to messages-webapp, and an admin who clicks there. To browsers 127.0.0.1 is another site than localhost, so the
// cookie stays at home; another port is the same site, so the cookie goes along.
func postsFromOtherSites(t *testing.T, s *stage) {
	trap := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!doctype html><link rel=icon href="data:,"><title>Kittens</title><form method=post action="%s"><input name=content value="From another site"><button>Kittens</button></form>`,
			html.EscapeString(s.webapp.url+r.URL.Path))
	}))
	t.Cleanup(trap.Close)
	v := s.signedIn(t, "admin")
	posted, archivals := s.posted(t), s.messages.log.count(archived)
	for _, site := range []string{trap.URL, strings.Replace(trap.URL, "127.0.0.1", "localhost", 1)} {
		for _, path := range []string{"/messages", "/messages/archive", "/logout"} {
			refused := s.webapp.log.count("a cross-site post was refused", "path="+path, "origin="+site)
			v.open(t, site+path)
			v.click(t, "button")
			v.expectError(t, "status of 403")
			v.reads(t, "h1", "This came from another site")
			v.reads(t, "main", "It was refused, and nothing was changed.")
			s.webapp.logs(t, refused, "a cross-site post was refused", "path="+path, "origin="+site)
		}
	}
	v.picture(t, "cross-site-post")
	v.click(t, homeLink)
	v.reads(t, "h1", "Welcome Ada Admin")
	assert.Equal(t, posted, s.posted(t))
	assert.Equal(t, archivals, s.messages.log.count(archived))
}

func unknownPages(t *testing.T, s *stage) {
	v := s.signedIn(t, "user")
	for _, c := range []struct{ path, status, heading, state string }{
		{"/nope", "404", "Page not found", "page-not-found"},
		{"/messages/%3Cscript%3E", "404", "Page not found", ""},
		{"/messages", "405", "That does not work here", "method-not-allowed"},
		{"/messages/archive", "405", "That does not work here", ""},
		{"/logout", "405", "That does not work here", ""},
	} {
		v.open(t, s.webapp.url+c.path)
		v.expectError(t, "status of "+c.status)
		v.reads(t, ".status", c.status)
		v.reads(t, "h1", c.heading)
		if c.state != "" {
			v.picture(t, c.state)
		}
		v.click(t, homeLink)
		v.reads(t, "h1", "Welcome Uma User") // still signed in
	}
}
