// Package webapp is the app that messages-webapp runs: pages on which people read messages, sign in at the issuer, post, and archive.
//
// The app decides nothing about permission. It calls the services with the token of the person who is signed in, and shows what they answered.
package webapp

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"

	"github.com/svcauth/svcauth/clientcreds"
)

// Config says where the app is reached, who it is as a client of the issuer, and where the services are. The zero value is refused by New.
type Config struct {
	BaseURL      string // as browsers see the app: scheme, host and port. With https, cookies are Secure
	Issuer       string
	ClientID     string
	ClientSecret clientcreds.Secret // read for every token request
	MessagesURL  string             // base URL of messages-service
	ArchivalURL  string             // base URL of archival-service
	Logger       *slog.Logger
}

// CallbackPath is where the issuer sends people back to. It stands in the realm as a redirect URI, under the base URL.
const CallbackPath = "/login/oauth2/code/messages-webapp"

// App is the app as an http.Handler. Make it with New; it may be used concurrently.
type App struct {
	handler  http.Handler
	base     *url.URL
	provider *provider
	people   *store // the sessions of those who signed in
	guests   *store // apart, so that strangers in any number sign nobody out
	services *http.Client
	messages string // URL
	archive  string // URL
	logger   *slog.Logger
}

// New makes the app. It does no I/O, so the issuer and the services may be down; its errors name what is wrong with c.
func New(c Config) (*App, error) {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	urls := map[string]*url.URL{}
	for name, text := range map[string]string{
		"base URL": c.BaseURL, "issuer": c.Issuer, "URL of messages-service": c.MessagesURL, "URL of archival-service": c.ArchivalURL,
	} {
		u, err := parseURL(text)
		if err != nil {
			return nil, fmt.Errorf("the %s: %w", name, err)
		}
		urls[name] = u
	}
	switch base := urls["base URL"]; {
	case base.Path != "" && base.Path != "/":
		return nil, fmt.Errorf("the base URL: %q has a path: the app needs a host of its own", c.BaseURL)
	case c.ClientID == "":
		return nil, errors.New("the client id is empty")
	case c.ClientSecret == nil:
		return nil, errors.New("the client secret is missing")
	}
	base := &url.URL{Scheme: urls["base URL"].Scheme, Host: urls["base URL"].Host}
	a := &App{
		base:     base,
		provider: newProvider(c, base.JoinPath(CallbackPath).String()),
		people:   newStore(maxPeople, personIdle, personLifetime),
		guests:   newStore(maxGuests, guestIdle, 0),
		services: newServiceClient(),
		messages: urls["URL of messages-service"].JoinPath("api/messages").String(),
		archive:  urls["URL of archival-service"].JoinPath("api/messages/archive").String(),
		logger:   c.Logger,
	}
	routes := http.NewServeMux()
	routes.HandleFunc("GET /{$}", a.home)
	routes.HandleFunc("POST /messages", a.postMessage)
	routes.HandleFunc("POST /messages/archive", a.archiveMessages)
	routes.HandleFunc("GET /login", a.signIn)
	routes.HandleFunc("GET "+CallbackPath, a.finishSignIn)
	routes.HandleFunc("POST /logout", a.signOut) // no GET: a picture on any page could sign people out
	routes.HandleFunc("GET /style.css", serveStatic("style.css", "text/css; charset=utf-8"))
	routes.HandleFunc("GET /icon.svg", serveStatic("icon.svg", "image/svg+xml"))

	sameOrigin := http.NewCrossOriginProtection()
	if err := sameOrigin.AddTrustedOrigin(base.String()); err != nil { // a proxy may have changed Host
		return nil, fmt.Errorf("the base URL: %w", err)
	}
	sameOrigin.SetDenyHandler(http.HandlerFunc(a.crossSite))
	a.handler = a.withSecurityHeaders(a.onOneName(sameOrigin.Handler(a.withErrorPages(routes))))
	return a, nil
}

// ServeHTTP implements http.Handler.
func (a *App) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.handler.ServeHTTP(w, r) }
