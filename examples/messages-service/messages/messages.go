// Package messages is the service that messages-service runs: a list of messages that everybody may read, and that callers add to according to their tokens.
package messages

import (
	"cmp"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/svcauth/svcauth/keycloak"
	"github.com/svcauth/svcauth/resourceserver"
)

// Config says whose tokens the service accepts. The zero value is refused by New.
type Config struct {
	Issuer            string
	Audience          string // this service's name in the tokens' aud
	SkipAudienceCheck bool   // instead of Audience: accept tokens for any service, while the realm has no audience mappers yet
	Logger            *slog.Logger
}

// Service is the service as an http.Handler. Make it with New; it may be used concurrently.
type Service struct {
	handler  http.Handler
	logger   *slog.Logger
	messages *store
}

// New makes the service. It does no I/O, so the issuer may be down; its errors name what is wrong with c.
func New(c Config) (*Service, error) {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
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
				"Add mapper, By configuration, Audience) with Included Client Audience messages-service; then leave out -skip-audience-check and -audience \"\"")
	}

	s := &Service{logger: c.Logger, messages: newStore()}
	routes := auth.NewMux() // what has no route here is refused: 401 for strangers, 404 or 405 for callers with a valid token
	routes.Public("GET /api/messages", http.HandlerFunc(s.list))
	routes.HandleFunc("POST /api/messages", s.create) // any valid token
	routes.HandleFunc("POST /api/messages/archive", s.archive, resourceserver.AnyRole("ADMIN", "ADMIN_JOB"))
	routes.HandleFunc("GET /api/me", s.me)
	s.handler = withSecurityHeaders(routes)
	return s, nil
}

// ServeHTTP implements http.Handler.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

func (s *Service) list(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, s.messages.list())
}

// create adds a message. Its author is who the token says: whatever else the body claims is not read.
func (s *Service) create(w http.ResponseWriter, r *http.Request) {
	content, refused := readContent(w, r)
	if refused != nil {
		refused.write(w)
		return
	}
	caller, _ := resourceserver.PrincipalFrom(r.Context())
	message := s.messages.add(content, nameOf(caller))
	w.Header().Set("Location", "/api/messages#"+strconv.FormatInt(message.ID, 10)) // messages have no pages of their own: the list is where it is found
	writeJSON(w, http.StatusCreated, message)
}

// archive only says that it archives: the list stays as it is, so that the demo goes on having something to show.
func (s *Service) archive(w http.ResponseWriter, r *http.Request) {
	caller, _ := resourceserver.PrincipalFrom(r.Context())
	s.logger.Info("Archiving all messages", "caller", nameOf(caller))
	writeJSON(w, http.StatusOK, map[string]string{"status": "success"})
}

// me tells callers who they are. It must never answer with the token itself: answers end up in logs and browsers.
func (s *Service) me(w http.ResponseWriter, r *http.Request) {
	caller, _ := resourceserver.PrincipalFrom(r.Context())
	writeJSON(w, http.StatusOK, struct {
		Subject  string   `json:"subject"`
		Username string   `json:"username"`
		Email    string   `json:"email"`
		Name     string   `json:"name"`
		Client   string   `json:"client"`
		Issuer   string   `json:"issuer"`
		Roles    []string `json:"roles"`
		Scopes   []string `json:"scopes"`
	}{
		Subject:  caller.Subject,
		Username: caller.Username,
		Email:    caller.Claims.String("email"),
		Name:     caller.Claims.String("name"),
		Client:   caller.ClientID,
		Issuer:   caller.Issuer,
		Roles:    append([]string{}, caller.Roles...), // [] rather than null
		Scopes:   append([]string{}, caller.Scopes...),
	})
}

// nameOf is what a caller is called. Some tokens, such as Keycloak's lightweight ones, name only the client.
func nameOf(caller *resourceserver.Principal) string {
	return cmp.Or(caller.Username, caller.ClientID)
}
