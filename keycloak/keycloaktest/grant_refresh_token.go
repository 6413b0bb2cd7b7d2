package keycloaktest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// refreshToken is the grant of RFC 6749 §6. As at Keycloak a refresh token may be used again until the session ends, unless the realm has revokeRefreshToken.
func (s *Server) refreshToken(w http.ResponseWriter, _ *http.Request, c *client, form url.Values) {
	var failed *oauthError
	var made session
	now := s.now()
	claims, ok := s.refresh.read(form.Get("refresh_token"))
	requested := scopeParameter(form)
	asked, known := s.realm.grantScopes(c, requested)
	switch {
	case !form.Has("refresh_token"):
		failed = &oauthError{http.StatusBadRequest, "invalid_request", "No refresh token"}
	case !ok:
		failed = &oauthError{http.StatusBadRequest, "invalid_grant", "Invalid refresh token"}
	case claims.Issued < s.notBeforePolicy():
		failed = &oauthError{http.StatusBadRequest, "invalid_grant", "Stale token"}
	case claims.Expiry <= now.Unix():
		failed = &oauthError{http.StatusBadRequest, "invalid_grant", "Token is not active"}
	case claims.Client != c.id:
		failed = &oauthError{http.StatusBadRequest, "invalid_grant", "Invalid refresh token. Token client and authorized client don't match"}
	case !known:
		failed = &oauthError{http.StatusBadRequest, "invalid_scope", "Invalid scopes: " + withoutControls(*requested)}
	default:
		made, failed = s.sso.renew(claims, c, s.realm, now)
	}
	if failed != nil {
		failed.write(w)
		return
	}
	made.granted, made.refreshScope = s.realm.narrow(c, claims.Scope, requested, asked), claims.Scope
	made.openid = slices.Contains(strings.Fields(claims.Scope), "openid")
	s.answer(w, made)
}

// renew finds the session of a refresh token and uses it.
func (o *sso) renew(claims returnedRefresh, c *client, r *realm, now time.Time) (session, *oauthError) {
	refuse := func(description string) (session, *oauthError) {
		return session{}, &oauthError{http.StatusBadRequest, "invalid_grant", description}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	us := o.active(claims.Session, now)
	if us == nil {
		return refuse("Session not active")
	}
	part := us.clients[c.id]
	if part == nil {
		return refuse("Session doesn't have required client")
	}
	if r.rotateRefresh && claims.ID != part.refreshID { // used before: one of two has stolen it (RFC 9700 §4.14.2)
		delete(us.clients, c.id)
		return refuse("Maximum allowed refresh token reuse exceeded")
	}
	made := o.tokensOf(us, c, r, now)
	made.refreshed = true
	return made, nil
}

// narrow gives the scopes of a refresh token, or with a scope parameter those of them that it asks for. Default scopes are always given, and what the token never
// had is passed over without an error.
func (r *realm) narrow(c *client, original string, requested *string, asked granted) granted {
	had := strings.Fields(original)
	names := had
	if requested != nil {
		names = nil
		for _, s := range asked.scopes {
			names = append(names, s.name)
		}
		if asked.openid {
			names = append(names, "openid")
		}
		names = slices.DeleteFunc(names, func(name string) bool { return !slices.Contains(had, name) })
	}
	var text *string
	if len(names) > 0 {
		joined := strings.Join(names, " ")
		text = &joined
	}
	given, _ := r.grantScopes(c, text) // no unknown name: the realm doesn't change
	return given
}
