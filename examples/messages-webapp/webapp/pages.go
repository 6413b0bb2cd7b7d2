package webapp

import (
	"bytes"
	"embed"
	"encoding/hex"
	"html/template"
	"net/http"
	"strconv"
)

//go:embed templates style.css icon.svg
var files embed.FS

// pages are the templates by name, each within the layout.
var pages = map[string]*template.Template{"home": parsePage("home"), "error": parsePage("error")}

func parsePage(name string) *template.Template {
	return template.Must(template.ParseFS(files, "templates/layout.html", "templates/"+name+".html"))
}

// page is what every page shows. Content is the page's own part.
type page struct {
	Title    string
	SignedIn bool
	Name     string
	Flashes  []flash
	Content  any
}

// problem is what an error page says.
type problem struct {
	Status    int
	Heading   string
	Text      string
	TrySignIn bool
}

// render answers with a page. It is made in memory first, so that no half page goes out under a good status.
func (a *App) render(w http.ResponseWriter, s *session, status int, name string, p page) {
	if s != nil && s.person != nil {
		p.SignedIn, p.Name = true, s.person.shownName()
	}
	var body bytes.Buffer
	if err := pages[name].ExecuteTemplate(&body, "layout", p); err != nil {
		a.logger.Error("a page can't be made", "page", name, "error", err)
		http.Error(w, "This page can't be shown.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(body.Len()))
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // the browser may be gone; nobody is left to tell
}

// errorPage says what is wrong, and shows a way home.
func (a *App) errorPage(w http.ResponseWriter, r *http.Request, status int, heading, text string) {
	a.render(w, a.session(r), status, "error", page{Title: heading, Content: problem{Status: status, Heading: heading, Text: text}})
}

// signInPage is errorPage with a button to try again, for those who are not signed in yet.
func (a *App) signInPage(w http.ResponseWriter, r *http.Request, status int, heading, text string) {
	s := a.session(r)
	a.render(w, s, status, "error", page{Title: heading, Content: problem{Status: status, Heading: heading, Text: text, TrySignIn: s == nil || s.person == nil}})
}

// withErrorPages answers requests that fit no route with pages of ours instead of the router's bare lines.
func (a *App) withErrorPages(routes *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refusal, pattern := routes.Handler(r)
		if pattern != "" {
			routes.ServeHTTP(w, r)
			return
		}
		answer := discarded{header: http.Header{}}
		refusal.ServeHTTP(&answer, r)
		if answer.status == http.StatusMethodNotAllowed {
			w.Header().Set("Allow", answer.header.Get("Allow"))
			a.errorPage(w, r, http.StatusMethodNotAllowed, "That does not work here", "This address can't be opened that way. Use the buttons on the home page.")
			return
		}
		a.errorPage(w, r, http.StatusNotFound, "Page not found", "There is nothing at this address. It may be mistyped, or the page is gone.")
	})
}

// discarded is an answer of which only status and header matter.
type discarded struct {
	header http.Header
	status int
}

func (d *discarded) Header() http.Header         { return d.header }
func (d *discarded) Write(p []byte) (int, error) { return len(p), nil }
func (d *discarded) WriteHeader(status int)      { d.status = status }

// serveStatic serves one embedded file. Browsers may keep it, and ask each time whether it is still the same.
func serveStatic(name, contentType string) http.HandlerFunc {
	data, err := files.ReadFile(name)
	if err != nil {
		panic("webapp: " + err.Error()) // can't happen: it is embedded
	}
	tag := `"` + hex.EncodeToString(hash256(data)[:8]) + `"`
	return func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-cache")
		h.Set("ETag", tag)
		if r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		h.Set("Content-Type", contentType)
		h.Set("Content-Length", strconv.Itoa(len(data)))
		_, _ = w.Write(data)
	}
}
