package keycloaktest

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
)

var (
	errUnknownClient = &oauthError{http.StatusUnauthorized, "invalid_client", "Invalid client or Invalid client credentials"}
	errWrongSecret   = &oauthError{http.StatusUnauthorized, "unauthorized_client", "Invalid client or Invalid client credentials"}
	errUndecodable   = &oauthError{http.StatusBadRequest, "unauthorized_client", "Unexpected error when authenticating client"}
	errBearerOnly    = &oauthError{http.StatusBadRequest, "invalid_client", "Bearer-only not allowed"}
)

// authenticate finds the client of a request by client_secret_basic or client_secret_post (RFC 6749 §2.3.1). As at Keycloak, what the form has overrides the
// header, a disabled client is unknown, and a public client needs no secret.
func (s *Server) authenticate(r *http.Request, form url.Values) (*client, *oauthError) {
	id, secret, failed := credentials(r, form)
	if failed != nil {
		return nil, failed
	}
	c := s.realm.clients[id]
	switch {
	case c == nil || !s.enabled(c):
		return nil, errUnknownClient
	case !c.public && !s.proves(id, secret):
		return nil, errWrongSecret
	case c.bearerOnly:
		return nil, errBearerOnly
	}
	return c, nil
}

func credentials(r *http.Request, form url.Values) (id, secret string, failed *oauthError) {
	id, secret, failed = basicCredentials(r.Header.Get("Authorization"))
	if failed != nil {
		return "", "", failed
	}
	if form.Has("client_id") {
		id = form.Get("client_id")
	}
	if form.Has("client_secret") {
		secret = form.Get("client_secret")
	}
	return id, secret, nil
}

// basicCredentials reads an Authorization field. One that isn't well-formed Basic counts as none; one that isn't form-encoded is an error of its own.
func basicCredentials(field string) (id, secret string, failed *oauthError) {
	scheme, rest, _ := strings.Cut(field, " ")
	if !strings.EqualFold(scheme, "Basic") {
		return "", "", nil
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(rest))
	if err != nil {
		return "", "", nil
	}
	id, secret, ok := strings.Cut(string(raw), ":")
	if !ok {
		return "", "", nil
	}
	if id, err = url.QueryUnescape(id); err != nil {
		return "", "", errUndecodable
	}
	if secret, err = url.QueryUnescape(secret); err != nil {
		return "", "", errUndecodable
	}
	return id, secret, nil
}
