package webapp

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestUnknownAddressesAndMethods(t *testing.T) {
	st := newStory(t)
	b := st.browser(t)
	for _, c := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", "/nope", 404, ""},
		{"POST", "/nope", 404, ""},
		{"GET", "/index.html", 404, ""},
		{"GET", "/templates/layout.html", 404, ""},
		{"GET", "/style.css/", 404, ""},
		{"GET", "/%0d%0aX-Injected:%20yes", 404, ""},
		{"GET", "/%00", 404, ""},
		{"GET", "/" + strings.Repeat("a", 10000), 404, ""},
		{"POST", "/", 405, "GET, HEAD"},
		{"DELETE", "/", 405, "GET, HEAD"},
		{"GET", "/messages", 405, "POST"},
		{"PUT", "/messages", 405, "POST"},
		{"GET", "/messages/archive", 405, "POST"},
		{"GET", "/logout", 405, "POST"},
		{"POST", "/login", 405, "GET, HEAD"},
		{"POST", CallbackPath, 405, "GET, HEAD"},
		{"OPTIONS", "/", 405, "GET, HEAD"},
		{"BREW", "/", 405, "GET, HEAD"},
	} {
		v := b.do(http.NewRequest(c.method, st.url+c.path, nil))
		heading := "Page not found"
		if c.status == 405 {
			heading = "That does not work here"
		}
		v.isError(t, c.status, heading)
		assert.Equal(t, c.allow, v.header.Get("Allow"), c.method+" "+c.path)
		assert.Empty(t, v.header.Get("X-Injected"))
	}
	v := b.do(http.NewRequest("HEAD", st.url+"/", nil))
	assert.Equal(t, 200, v.status)
	assert.Empty(t, v.html)
	assert.Nil(t, st.cookie(b), "none of it needs a session")
}

func TestCookiesFromElsewhere(t *testing.T) {
	st := newStory(t)
	for _, value := range []string{"", "x", strings.Repeat("A", 26), strings.Repeat("A", 9000), `"; drop`, "../../etc/passwd"} {
		b := st.browser(t)
		r, err := http.NewRequest("GET", st.url+"/", nil)
		require.NoError(t, err)
		r.Header.Set("Cookie", st.app.cookieName()+"="+value)
		v := b.do(r, nil)
		v.atHome(t, "")
		assert.Contains(t, v.html, "Welcome Guest")
	}
}

func TestHeaders(t *testing.T) {
	st := newStory(t)
	b := st.browser(t)
	b.signIn("user")
	origin := strings.TrimSuffix(st.realm.Issuer(), "/realms/sivalabs")
	for _, path := range []string{"/", "/nope", "/messages", "/style.css", "/icon.svg", CallbackPath} {
		h := b.get(path).header
		assert.Equal(t, "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self' "+origin,
			h.Get("Content-Security-Policy"), path)
		assert.Equal(t, "nosniff", h.Get("X-Content-Type-Options"))
		assert.Equal(t, "DENY", h.Get("X-Frame-Options"))
		assert.Equal(t, "same-origin", h.Get("Referrer-Policy"))
		if !strings.Contains(path, ".") {
			assert.Equal(t, "no-store", h.Get("Cache-Control"), path)
		}
	}
}

func TestStaticFiles(t *testing.T) {
	st := newStory(t)
	b := st.browser(t)
	for path, contentType := range map[string]string{"/style.css": "text/css; charset=utf-8", "/icon.svg": "image/svg+xml"} {
		v := b.get(path)
		assert.Equal(t, 200, v.status)
		assert.Equal(t, contentType, v.header.Get("Content-Type"))
		assert.NotContains(t, strings.ReplaceAll(v.html, "http://www.w3.org/2000/svg", ""), "http", "nothing comes from other sites")
		r, err := http.NewRequest("GET", st.url+path, nil)
		require.NoError(t, err)
		r.Header.Set("If-None-Match", v.header.Get("ETag"))
		assert.Equal(t, 304, b.do(r, nil).status)
	}
}

func TestCrossSitePosts(t *testing.T) {
	st := newStory(t)
	b := st.browser(t)
	b.signIn("admin")
	before := st.messages.calls.Load() + st.archival.calls.Load()
	for _, headers := range []map[string]string{
		{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
		{"Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1:1"},
		{"Origin": "https://evil.example"},
		{"Origin": "null"},
	} {
		for _, path := range []string{"/messages", "/messages/archive", "/logout", "/nope"} {
			r, err := http.NewRequest("POST", st.url+path, strings.NewReader("content=forged"))
			require.NoError(t, err)
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			for name, value := range headers {
				r.Header.Set(name, value)
			}
			b.do(r, nil).isError(t, 403, "This came from another site")
		}
	}
	assert.Equal(t, before, st.messages.calls.Load()+st.archival.calls.Load())
	assert.NotNil(t, st.session(b).person, "still signed in")

	r, err := http.NewRequest("POST", st.url+"/messages/archive", nil)
	require.NoError(t, err)
	r.Header.Set("Origin", st.url)
	b.do(r, nil).atHome(t, "done: All messages are archived.")
}

func TestOneNameOnThisMachine(t *testing.T) {
	st := newStory(t)
	port := st.url[strings.LastIndex(st.url, ":"):]
	for _, c := range []struct{ method, host, to string }{
		{"GET", "localhost" + port, st.url + "/login?a=%2F"},
		{"GET", "[::1]" + port, st.url + "/login?a=%2F"},
		{"POST", "localhost" + port, ""},
		{"GET", "proxy.example", ""}, // whatever a proxy makes of Host, there is no endless redirect
		{"GET", "evil.example\r\n", ""},
	} {
		r := httptest.NewRequest(c.method, "/login?a=%2F", nil)
		r.Host = c.host
		w := httptest.NewRecorder()
		st.app.ServeHTTP(w, r)
		if c.to == "" {
			assert.NotEqual(t, http.StatusTemporaryRedirect, w.Code, c.host)
		} else {
			assert.Equal(t, http.StatusTemporaryRedirect, w.Code, c.host)
			assert.Equal(t, c.to, w.Header().Get("Location"))
		}
	}
}

// TestPagesAreAccessible holds what a machine can check: each control has a name, and ids that are pointed at exist once.
func TestPagesAreAccessible(t *testing.T) {
	st := newStory(t)
	b := st.browser(t)
	b.signIn("admin")
	for _, v := range []view{st.browser(t).get("/"), b.get("/"), b.say(strings.Repeat("x", maxContent+1)), b.get("/nope")} {
		for _, once := range []string{"<main", "<h1", "<header", "<nav", "<footer", `id="main"`} {
			assert.Equal(t, 1, strings.Count(v.html, once), once)
		}
		for _, m := range regexp.MustCompile(`(?:for|aria-labelledby|aria-describedby)="([^"]+)"`).FindAllStringSubmatch(v.html, -1) {
			assert.Equal(t, 1, strings.Count(v.html, ` id="`+m[1]+`"`), m[1])
		}
		assert.NotContains(t, v.html, "ZgotmplZ")
	}
}

func TestBadConfigs(t *testing.T) {
	good := Config{
		BaseURL: "http://localhost:8080", Issuer: "http://localhost:9191/realms/sivalabs", ClientID: "messages-webapp", ClientSecret: secret("x"),
		MessagesURL: "http://localhost:8181", ArchivalURL: "http://localhost:8282",
	}
	_, err := New(good)
	require.NoError(t, err)
	for says, spoil := range map[string]func(*Config){
		"the base URL: it is empty":                           func(c *Config) { c.BaseURL = "" },
		"the base URL: \"http://localhost/app\" has a path":   func(c *Config) { c.BaseURL = "http://localhost/app" },
		"the base URL: \"http://m.example\" is plain http":    func(c *Config) { c.BaseURL = "http://m.example" },
		"the issuer: it is empty":                             func(c *Config) { c.Issuer = "" },
		"the issuer: \"localhost:9191\" is not a base URL":    func(c *Config) { c.Issuer = "localhost:9191" },
		"the issuer: \"http://sso.example/\" is plain http":   func(c *Config) { c.Issuer = "http://sso.example/" },
		"the issuer: \"https://sso.example/?a\" is not":       func(c *Config) { c.Issuer = "https://sso.example/?a" },
		"the URL of messages-service: it can't be parsed":     func(c *Config) { c.MessagesURL = "http://me:hunter2@localhost" },
		"the URL of archival-service: \"ftp://localhost\" is": func(c *Config) { c.ArchivalURL = "ftp://localhost" },
		"the client id is empty":                              func(c *Config) { c.ClientID = "" },
		"the client secret is missing":                        func(c *Config) { c.ClientSecret = nil },
	} {
		c := good
		spoil(&c)
		_, err := New(c)
		require.ErrorContains(t, err, says)
		assert.NotContains(t, err.Error(), "hunter2")
	}
	_, err = New(Config{})
	assert.Error(t, err)
}

func TestGrouped(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 2000: "2,000", 1234567: "1,234,567"} {
		assert.Equal(t, want, grouped(n))
	}
}
