package keycloaktest

import (
	"net"
	"net/http"
	"net/url"
)

// clientCredentials is the grant of RFC 6749 §4.4.
func (s *Server) clientCredentials(w http.ResponseWriter, r *http.Request, c *client, form url.Values) {
	requested := scopeParameter(form)
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
