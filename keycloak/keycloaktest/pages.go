package keycloaktest

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"net/http"
)

// The pages are our own. Form fields, their names and the IDs of what a browser test looks for are those of Keycloak's: username, password, kc-login,
// kc-page-title, input-error-username, kc-error-message, kc-logout.
var (
	//go:embed pages.html
	pagesHTML string
	pages     = template.Must(template.New("").Parse(pagesHTML))
)

type loginPage struct {
	Title          string // of the realm
	Action         string
	Username       string
	EmailLogin     bool
	Reauthenticate bool   // Username is who must give the password
	Wrong          string // about what was filled in
	Notice         string
	Warning        string
}

type messagePage struct {
	Title, Heading, ID, Message string
}

type confirmPage struct {
	Title, Action, Code string
}

func (s *Server) errorPage(w http.ResponseWriter, status int, message string) {
	s.page(w, status, "message", messagePage{s.realm.title, "We are sorry...", "kc-error-message", message})
}

func (s *Server) page(w http.ResponseWriter, status int, name string, data any) {
	var buffer bytes.Buffer
	if err := pages.ExecuteTemplate(&buffer, name, data); err != nil {
		panic(fmt.Sprintf("keycloaktest: page %s: %v", name, err)) // can't happen: the templates name only members that are there
	}
	header := w.Header()
	header.Set("Content-Type", "text/html;charset=utf-8")
	header.Set("Content-Language", "en")
	header.Set("Content-Security-Policy", "frame-src 'self'; frame-ancestors 'self'; object-src 'none';")
	w.WriteHeader(status)
	w.Write(buffer.Bytes())
}
