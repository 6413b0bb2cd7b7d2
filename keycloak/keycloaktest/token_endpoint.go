package keycloaktest

import (
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"
)

// maxForm bounds the body of a token request. Keycloak refuses bodies of 200 kB too.
const maxForm = 128 << 10

// grantTypes has one function for each grant_type that is served. It is called for a client that is authenticated.
var grantTypes = map[string]func(*Server, http.ResponseWriter, *http.Request, *client, url.Values){
	"client_credentials": (*Server).clientCredentials,
}

// tokenResponse is RFC 6749 §5.1 with Keycloak's additions.
type tokenResponse struct {
	AccessToken      string `json:"access_token"`
	ExpiresIn        int    `json:"expires_in"`
	RefreshExpiresIn int    `json:"refresh_expires_in"` // 0: there is no refresh token
	TokenType        string `json:"token_type"`
	IDToken          string `json:"id_token,omitempty"`
	NotBeforePolicy  int    `json:"not-before-policy"`
	Scope            string `json:"scope"`
}

// token checks in Keycloak's order, which decides what a request with two faults is told: realm, grant type, client, repeated parameters, the grant itself.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	if !allowed(w, r, http.MethodPost) {
		return
	}
	form, status := readForm(w, r)
	if status != http.StatusOK {
		if status == http.StatusInternalServerError {
			writeJSON(w, status, map[string]string{"error": "unknown_error", "error_description": "For more on this error consult the server log."})
			return
		}
		writeStatus(w, status)
		return
	}
	if !s.realm.enabled {
		(&oauthError{http.StatusForbidden, "access_denied", "Realm not enabled"}).write(w)
		return
	}
	if !form.Has("grant_type") {
		(&oauthError{http.StatusBadRequest, "invalid_request", "Missing form parameter: grant_type"}).write(w)
		return
	}
	grant, ok := grantTypes[form.Get("grant_type")]
	if !ok {
		(&oauthError{http.StatusBadRequest, "unsupported_grant_type", "Unsupported grant_type"}).write(w)
		return
	}
	c, failed := s.authenticate(r, form)
	if failed != nil {
		failed.write(w)
		return
	}
	for _, values := range form {
		if len(values) > 1 { // RFC 6749 §3.2, for every parameter
			(&oauthError{http.StatusBadRequest, "invalid_request", "duplicated parameter"}).write(w)
			return
		}
	}
	grant(s, w, r, c, form)
}

// clientCredentials is the grant of RFC 6749 §4.4.
func (s *Server) clientCredentials(w http.ResponseWriter, r *http.Request, c *client, form url.Values) {
	var requested *string
	if form.Has("scope") {
		scope := form.Get("scope")
		requested = &scope
	}
	var failed *oauthError
	granted, ok := s.realm.grantScopes(c, requested)
	switch {
	case c.public:
		failed = &oauthError{http.StatusUnauthorized, "unauthorized_client", "Public client not allowed to retrieve service account"}
	case !c.serviceAccounts:
		failed = &oauthError{http.StatusUnauthorized, "unauthorized_client", "Client not enabled to retrieve service account"}
	case !c.account.enabled:
		failed = &oauthError{http.StatusUnauthorized, "invalid_request", "User '" + c.account.name + "' disabled"}
	case !ok:
		failed = &oauthError{http.StatusBadRequest, "invalid_scope", "Invalid scopes: " + withoutControls(*requested)}
	}
	if failed != nil {
		failed.write(w)
		return
	}
	caller := r.RemoteAddr
	if host, _, err := net.SplitHostPort(caller); err == nil {
		caller = host
	}
	s.answer(w, session{client: c, user: c.account, roles: s.realm.tokenRoles(c, c.account.roles), granted: granted, caller: caller})
}

// answer sends the tokens of a session.
func (s *Server) answer(w http.ResponseWriter, session session) {
	now := time.Now()
	access := s.sign(nil, s.accessClaims(session, now))
	body := tokenResponse{
		AccessToken: access,
		ExpiresIn:   int(session.client.lifespan / time.Second),
		TokenType:   "Bearer",
		Scope:       session.granted.text,
	}
	if session.granted.openid {
		body.IDToken = s.sign(nil, s.idClaims(session, access, now))
	}
	noStore(w)
	writeJSON(w, http.StatusOK, body)
}

// readForm reads the body alone: Keycloak takes no parameter from the query. A body of another content type has no parameters; one that can't be decoded is a
// server error, as at Keycloak.
func readForm(w http.ResponseWriter, r *http.Request) (url.Values, int) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxForm))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, http.StatusRequestEntityTooLarge
	case err != nil:
		return nil, http.StatusBadRequest
	}
	contentType := r.Header.Get("Content-Type")
	if contentType == "" {
		return url.Values{}, http.StatusOK
	}
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil || media == "multipart/form-data" {
		return nil, http.StatusInternalServerError
	}
	if media != "application/x-www-form-urlencoded" {
		return url.Values{}, http.StatusOK
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, http.StatusInternalServerError
	}
	return form, http.StatusOK
}

func withoutControls(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, text)
}
