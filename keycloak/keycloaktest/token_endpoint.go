package keycloaktest

import (
	"cmp"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode"
)

// maxForm bounds the body of a token request. Keycloak refuses bodies of 200 kB too.
const maxForm = 128 << 10

// grantTypes has one function for each grant_type that is served. It is called for a client that is authenticated.
var grantTypes = map[string]func(*Server, http.ResponseWriter, *http.Request, *client, url.Values){
	"authorization_code": (*Server).authorizationCode,
	"client_credentials": (*Server).clientCredentials,
	"refresh_token":      (*Server).refreshToken,
}

// tokenResponse is RFC 6749 §5.1 with Keycloak's additions.
type tokenResponse struct {
	AccessToken      string `json:"access_token"`
	ExpiresIn        int    `json:"expires_in"`
	RefreshExpiresIn int    `json:"refresh_expires_in"` // 0: there is no refresh token
	RefreshToken     string `json:"refresh_token,omitempty"`
	TokenType        string `json:"token_type"`
	IDToken          string `json:"id_token,omitempty"`
	NotBeforePolicy  int64  `json:"not-before-policy"`
	SessionState     string `json:"session_state,omitempty"`
	Scope            string `json:"scope"`
}

// token is the token endpoint (RFC 6749 §3.2).
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
	s.rememberForm(form)
	answer := &statusWriter{ResponseWriter: w}
	s.tokenRequest(answer, r, form)
	claimed, _, _ := credentials(r, form)
	s.countAnswer(claimed, answer.status == http.StatusOK)
}

// statusWriter notes the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// tokenRequest checks in Keycloak's order, which decides what a request with two faults is told: realm, grant type, client, repeated parameters, the grant itself.
func (s *Server) tokenRequest(w http.ResponseWriter, r *http.Request, form url.Values) {
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

// answer sends the tokens of a session.
func (s *Server) answer(w http.ResponseWriter, session session) {
	now := s.now()
	claims := s.accessClaims(session, now)
	access := s.sign(s.accessAlgorithm(session.client), nil, claims)
	body := tokenResponse{
		AccessToken:     access,
		ExpiresIn:       int(now.Add(s.lifespan(session, now)).Unix() - now.Unix()),
		TokenType:       "Bearer",
		NotBeforePolicy: s.notBeforePolicy(),
		SessionState:    session.sid,
		Scope:           session.granted.text,
	}
	if session.granted.openid || session.openid {
		algorithm := s.idAlgorithm(session.client)
		body.IDToken = s.sign(algorithm, nil, s.idClaims(session, access, algorithm, now))
	}
	if session.refreshID != "" {
		body.RefreshToken = s.refresh.sign(nil, s.refreshClaims(session, claims["aud"], now))
		body.RefreshExpiresIn = int(session.idleEnd.Unix() - now.Unix())
	}
	noStore(w)
	writeJSON(w, http.StatusOK, body)
}

// accessAlgorithm signs the client's access tokens, idAlgorithm its ID tokens.
func (s *Server) accessAlgorithm(c *client) string {
	return cmp.Or(c.accessAlgorithm, s.realm.algorithm)
}
func (s *Server) idAlgorithm(c *client) string { return cmp.Or(c.idAlgorithm, s.realm.algorithm) }

// scopeParameter is nil if the request has none.
func scopeParameter(form url.Values) *string {
	if !form.Has("scope") {
		return nil
	}
	scope := form.Get("scope")
	return &scope
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
