package webapp

import (
	"bytes"
	"context"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/svcauth/svcauth/examples/archival-service/archival"
	"github.com/svcauth/svcauth/examples/messages-service/messages"
	"github.com/svcauth/svcauth/examples/realm"
	"github.com/svcauth/svcauth/keycloak/keycloaktest"
)

// story is the realm, both services and the app, each at its own address.
type story struct {
	realm    *keycloaktest.Server
	messages *backend
	archival *backend
	app      *App
	url      string
	log      *logBuffer // of all of them
}

func newStory(t *testing.T) *story {
	t.Helper()
	st := &story{log: &logBuffer{}}
	// Loopback redirect URIs without a port allow any (RFC 8252 §7.3).
	st.realm = keycloaktest.NewServer(keycloaktest.Config{RealmJSON: bytes.ReplaceAll(realm.JSON, []byte("http://localhost:8080"), []byte("http://127.0.0.1"))})
	t.Cleanup(st.realm.Close)
	logger := slog.New(slog.NewTextHandler(st.log, nil))

	m, err := messages.New(messages.Config{Issuer: st.realm.Issuer(), Audience: "messages-service", Logger: logger})
	require.NoError(t, err)
	st.messages = newBackend(t, m)
	a, err := archival.New(archival.Config{
		Issuer: st.realm.Issuer(), Audience: "archival-service", ClientID: "archival-service", ClientSecret: secret("archival-service-demo-secret"),
		MessagesURL: st.messages.URL, Interval: 1, Logger: logger,
	})
	require.NoError(t, err)
	st.archival = newBackend(t, a)

	server := httptest.NewUnstartedServer(nil)
	st.url = "http://" + server.Listener.Addr().String()
	st.app, err = New(Config{
		BaseURL: st.url, Issuer: st.realm.Issuer(), ClientID: "messages-webapp", ClientSecret: secret("messages-webapp-demo-secret"),
		MessagesURL: st.messages.URL, ArchivalURL: st.archival.URL, Logger: logger,
	})
	require.NoError(t, err)
	server.Config.Handler = st.app
	server.Start()
	t.Cleanup(server.Close)
	return st
}

func secret(text string) func(context.Context) ([]byte, error) {
	return func(context.Context) ([]byte, error) { return []byte(text), nil }
}

// backend is a service whose answers a test may take over.
type backend struct {
	URL     string
	service http.Handler
	instead atomic.Pointer[http.HandlerFunc]
	calls   atomic.Int32
}

func newBackend(t *testing.T, service http.Handler) *backend {
	t.Helper()
	b := &backend{service: service}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.calls.Add(1)
		if h := b.instead.Load(); h != nil {
			(*h)(w, r)
			return
		}
		b.service.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	b.URL = server.URL
	return b
}

func (b *backend) answer(h http.HandlerFunc) { b.instead.Store(&h) }

func (b *backend) status(status int) {
	b.answer(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
}

// down closes each connection without an answer.
func (b *backend) down() {
	b.answer(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
}

func (b *backend) up() { b.instead.Store(nil) }

// browser keeps cookies and follows redirects, as a person's does.
type browser struct {
	t      *testing.T
	url    string
	client *http.Client
}

func (st *story) browser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &browser{t, st.url, &http.Client{Jar: jar}}
}

// view is a page as it arrived in the end.
type view struct {
	status int
	header http.Header
	url    *url.URL
	html   string
}

func (b *browser) do(r *http.Request, err error) view {
	b.t.Helper()
	require.NoError(b.t, err)
	resp, err := b.client.Do(r)
	require.NoError(b.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(b.t, err)
	return view{resp.StatusCode, resp.Header, resp.Request.URL, string(body)}
}

func (b *browser) get(path string) view {
	b.t.Helper()
	return b.do(http.NewRequest("GET", b.absolute(path), nil))
}

func (b *browser) post(path string, form url.Values) view {
	b.t.Helper()
	r, err := http.NewRequest("POST", b.absolute(path), strings.NewReader(form.Encode()))
	if err == nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", b.url)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	return b.do(r, err)
}

func (b *browser) absolute(path string) string {
	if strings.HasPrefix(path, "/") {
		return b.url + path
	}
	return path
}

func (b *browser) say(text string) view {
	b.t.Helper()
	return b.post("/messages", url.Values{"content": {text}})
}

// signIn goes through the issuer's login page and ends at home.
func (b *browser) signIn(user string) view {
	b.t.Helper()
	return b.password(b.get("/login"), user)
}

// password fills in the issuer's login page.
func (b *browser) password(login view, user string) view {
	b.t.Helper()
	form := regexp.MustCompile(`id="kc-form-login"[^>]* action="([^"]+)"`).FindStringSubmatch(login.html)
	require.NotNil(b.t, form, "no login page: %d %s", login.status, login.html)
	r, err := http.NewRequest("POST", html.UnescapeString(form[1]), strings.NewReader(url.Values{"username": {user}, "password": {user + "-demo-password"}}.Encode()))
	if err == nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return b.do(r, err)
}

// stopBefore makes the browser not follow redirects to the path.
func (b *browser) stopBefore(path string) {
	b.client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), b.url+path) {
			return http.ErrUseLastResponse
		}
		return nil
	}
}

// follow goes on where stopBefore stopped.
func (b *browser) follow(v view) view {
	b.t.Helper()
	b.client.CheckRedirect = nil
	return b.get(v.header.Get("Location"))
}

func (st *story) cookie(b *browser) *http.Cookie {
	u, err := url.Parse(st.url)
	require.NoError(b.t, err)
	for _, c := range b.client.Jar.Cookies(u) {
		if c.Name == st.app.cookieName() {
			return c
		}
	}
	return nil
}

// session is the one that the browser's cookie names, or nil.
func (st *story) session(b *browser) *session {
	b.t.Helper()
	c := st.cookie(b)
	if c == nil {
		return nil
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.AddCookie(c)
	return st.app.session(r)
}

var (
	flashPattern = regexp.MustCompile(`<p class="flash (\w+)" role="(alert|status)">([^<]*)</p>`)
	formPattern  = regexp.MustCompile(`(?s)<textarea[^>]*>\n(.*?)</textarea>`)
)

// said is what the page tells about the last action, with its kind.
func (v view) said() string {
	var all []string
	for _, m := range flashPattern.FindAllStringSubmatch(v.html, -1) {
		all = append(all, m[1]+": "+html.UnescapeString(m[3]))
	}
	return strings.Join(all, "\n")
}

// typed is what stands in the form.
func (v view) typed() string {
	m := formPattern.FindStringSubmatch(v.html)
	if m == nil {
		return "no form"
	}
	return html.UnescapeString(m[1])
}

// atHome holds that the page is the home page, and that it says text.
func (v view) atHome(t *testing.T, text string) {
	t.Helper()
	assert.Equal(t, 200, v.status)
	assert.Equal(t, "/", v.url.Path)
	assert.Equal(t, text, v.said())
}

// isError holds that the page is an error page with a way home.
func (v view) isError(t *testing.T, status int, heading string) {
	t.Helper()
	assert.Equal(t, status, v.status)
	assert.Contains(t, v.html, `<h1 id="heading">`+heading+`</h1>`)
	assert.Contains(t, v.html, `href="/">Back to the messages</a>`)
	assert.Equal(t, "text/html; charset=utf-8", v.header.Get("Content-Type"))
}

// logBuffer is a log that may be read while it is written.
type logBuffer struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
