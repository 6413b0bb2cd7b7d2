package keycloaktest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// userinfo is the endpoint of OpenID Connect Core §5.3. It knows the sessions of people who signed in, and service accounts; of a person's token that
// [Server.Token] made it says that there is no session.
func (s *Server) userinfo(w http.ResponseWriter, r *http.Request) {
	if !allowed(w, r, http.MethodGet, http.MethodHead, http.MethodPost) {
		return
	}
	noStore(w)
	token, twice := bearerToken(w, r)
	if twice {
		s.challenge(w, http.StatusBadRequest, "invalid_request", "More than one method used for including an access token")
		return
	}
	if token == "" {
		s.challenge(w, http.StatusUnauthorized, "", "")
		return
	}
	now := s.now()
	claims, ok := s.verify(token, "Bearer")
	c := s.realm.clients[claims.Client]
	switch {
	case !ok || c == nil || claims.Expiry <= now.Unix() || claims.Issued < s.notBeforePolicy():
		s.challenge(w, http.StatusUnauthorized, "invalid_token", "Token verification failed")
		return
	case isLightweight(claims.ID):
		s.challenge(w, http.StatusUnauthorized, "invalid_token", "Lightweight access token not allowed for userinfo endpoint")
		return
	case !s.enabled(c):
		s.challenge(w, http.StatusUnauthorized, "invalid_token", "Client disabled")
		return
	case !slices.Contains(strings.Fields(claims.Scope), "openid"):
		s.challenge(w, http.StatusForbidden, "insufficient_scope", "Missing openid scope")
		return
	}
	u := s.sso.userOf(claims, c, now)
	granted, ok := s.realm.grantScopes(c, &claims.Scope)
	if u == nil || !ok {
		s.challenge(w, http.StatusUnauthorized, "invalid_token", "user_session_not_found")
		return
	}
	session := session{client: c, user: u, roles: s.realm.tokenRoles(c, u.roles), granted: granted}
	body := map[string]any{"sub": u.id}
	session.describe(body)
	session.mapRoles(body, func(m mapper) bool { return m.userinfo })
	w.Header().Add("Cache-Control", "no-cache")
	writeJSON(w, http.StatusOK, body)
}

// userOf finds whose token it is, nil if the session has ended.
func (o *sso) userOf(claims issuedClaims, c *client, now time.Time) *user {
	if claims.Session == "" {
		if c.account != nil && c.account.id == claims.Subject {
			return c.account
		}
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	us := o.active(claims.Session, now)
	if us == nil || us.clients[c.id] == nil || us.user.id != claims.Subject {
		return nil
	}
	return us.user
}

// bearerToken takes the token from the header or from the form (RFC 6750 §2), and says whether both have one.
func bearerToken(w http.ResponseWriter, r *http.Request) (token string, twice bool) {
	scheme, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") {
		token = strings.TrimSpace(rest)
	}
	if r.Method != http.MethodPost {
		return token, false
	}
	form, status := readForm(w, r)
	inForm := form.Get("access_token")
	if status != http.StatusOK || inForm == "" {
		return token, false
	}
	return inForm, token != ""
}

// challenge refuses as RFC 6750 §3 says, without a body.
func (s *Server) challenge(w http.ResponseWriter, status int, code, description string) {
	field := fmt.Sprintf("Bearer realm=%q", s.realm.name)
	if code != "" {
		field += fmt.Sprintf(", error=%q, error_description=%q", code, description)
	}
	w.Header().Set("WWW-Authenticate", field)
	w.Header().Set("Content-Type", "text/plain;charset=utf-8")
	w.WriteHeader(status)
}
