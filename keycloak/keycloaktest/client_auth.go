package keycloaktest

import (
	"crypto/subtle"
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
	id, secret, failed := basicCredentials(r.Header.Get("Authorization"))
	if failed != nil {
		return nil, failed
	}
	if form.Has("client_id") {
		id = form.Get("client_id")
	}
	if form.Has("client_secret") {
		secret = form.Get("client_secret")
	}
	c := s.realm.clients[id]
	if c == nil || !c.enabled {
		return nil, errUnknownClient
	}
	if !c.public {
		want := s.secret(id)
		if want == "" || subtle.ConstantTimeCompare([]byte(secret), []byte(want)) != 1 {
			return nil, errWrongSecret
		}
	}
	if c.bearerOnly {
		return nil, errBearerOnly
	}
	return c, nil
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
