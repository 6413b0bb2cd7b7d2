// Package archival is the service that archival-service runs: it asks messages-service to archive, with a token of its own.
package archival

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/svcauth/svcauth/clientcreds"
	"github.com/svcauth/svcauth/keycloak"
	"github.com/svcauth/svcauth/resourceserver"
)

// Config says whose tokens the service accepts, who it is as a client, and where messages-service is. The zero value is refused by New.
type Config struct {
	Issuer            string
	Audience          string // this service's name in the tokens' aud
	SkipAudienceCheck bool   // instead of Audience: accept tokens for any service, while the realm has no audience mappers yet
	ClientID          string
	ClientSecret      clientcreds.Secret
	MessagesURL       string        // base URL of messages-service
	Interval          time.Duration // from the end of one run of the job to the start of the next
	Logger            *slog.Logger
}

// Service is the service as an http.Handler, and its job, which Serve starts. Make it with New; it may be used concurrently.
type Service struct {
	handler    http.Handler
	client     *http.Client // carries the service's own token
	archiveURL string
	interval   time.Duration
	logger     *slog.Logger
}

// New makes the service. It does no I/O, so the issuer and messages-service may be down; its errors name what is wrong with c.
func New(c Config) (*Service, error) {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Interval <= 0 {
		return nil, errors.New("the interval is not positive")
	}
	messages, err := parseBaseURL(c.MessagesURL)
	if err != nil {
		return nil, fmt.Errorf("the URL of messages-service: %w", err)
	}

	// The client half: a token of this service's own, for messages-service and nobody else.
	source, err := clientcreds.New(clientcreds.Config{
		Issuer:   c.Issuer,
		ClientID: c.ClientID,
		Auth:     clientcreds.SecretBasic{Secret: c.ClientSecret},
		Scopes:   []string{"openid", "profile"},
		Origins:  []string{messages.Scheme + "://" + messages.Host},
		Logger:   c.Logger,
	})
	if err != nil {
		return nil, err
	}

	// The server half: the tokens of those who call this service.
	tokens := resourceserver.Config{
		Issuer:            c.Issuer,
		SkipAudienceCheck: c.SkipAudienceCheck,
		Roles:             keycloak.RealmRoles,
		Logger:            c.Logger,
	}
	if c.Audience != "" {
		tokens.Audiences = []string{c.Audience}
	}
	auth, err := resourceserver.New(tokens)
	if err != nil {
		return nil, err
	}
	if c.SkipAudienceCheck {
		c.Logger.Warn("the audience check is off: tokens that the issuer made for any other service are accepted",
			"mend", "in Keycloak, give each client that calls this service an Audience mapper (Clients, the client, Client scopes, its dedicated scope, "+
				"Add mapper, By configuration, Audience) with Included Client Audience archival-service; then leave out -skip-audience-check and -audience \"\"")
	}

	s := &Service{
		client: source.Client(&http.Client{
			Timeout: 10 * time.Second, // the wait for a token included
			// A redirected POST may become a GET: some login page's 200 must not pass for an archive.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}),
		archiveURL: messages.JoinPath("api/messages/archive").String(),
		interval:   c.Interval,
		logger:     c.Logger,
	}
	routes := auth.NewMux() // what has no route here is refused: 401 for strangers, 404 or 405 for callers with a valid token
	routes.HandleFunc("POST /api/messages/archive", s.archiveNow, resourceserver.Role("ADMIN"))
	s.handler = withSecurityHeaders(routes)
	return s, nil
}

// ServeHTTP implements http.Handler.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// archiveNow does for an admin what the job does. It does not pass the admin's token on: that one is for this service, and messages-service trusts this service
// as itself.
func (s *Service) archiveNow(w http.ResponseWriter, r *http.Request) {
	if err := s.archive(r.Context()); err != nil { // the log has the cause
		writeProblem(w, http.StatusBadGateway, "messages-service did not archive: try again later")
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{"status": "success"})
}

func parseBaseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.User != nil: // not echoed: there may be a password in it
		return nil, errors.New("it can't be parsed, or has user information in it: want http://host:port")
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || strings.Contains(text, "#"):
		return nil, fmt.Errorf("%q is not the base URL of a service: want http://host:port", text)
	}
	return u, nil
}
