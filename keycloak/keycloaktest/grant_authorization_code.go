package keycloaktest

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// authorizationCode is what a code stands for until the client fetches it.
type authorizationCode struct {
	sessionID string
	request   *authorizationRequest
}

// issueCode gives the request's client a part in the session, and returns where the browser takes the code. It is called with sso.mu held.
func (s *Server) issueCode(us *userSession, request *authorizationRequest, acr string, now time.Time) string {
	part := us.clients[request.client.id]
	if part == nil {
		part = &clientSession{}
		us.clients[request.client.id] = part
	}
	part.acr = acr
	s.sso.use(us, s.realm.lifespans, now)
	code := randomUUID() + "." + us.id + "." + request.client.uuid
	s.sso.codes.put(code, authorizationCode{us.id, request}, now.Add(s.realm.lifespans.code), now)
	return request.succeeded(s.Issuer(), us.id, code)
}

// authorizationCode is the grant of RFC 6749 §4.1.3.
func (s *Server) authorizationCode(w http.ResponseWriter, _ *http.Request, c *client, form url.Values) {
	if !form.Has("code") {
		(&oauthError{http.StatusBadRequest, "invalid_request", "Missing parameter: code"}).write(w)
		return
	}
	session, failed := s.redeem(c, form, s.now())
	if failed != nil {
		failed.write(w)
		return
	}
	s.answer(w, session)
}

// redeem takes a code back. It is good for one attempt, failed ones included.
func (s *Server) redeem(c *client, form url.Values, now time.Time) (session, *oauthError) {
	refuse := func(description string) (session, *oauthError) {
		return session{}, &oauthError{http.StatusBadRequest, "invalid_grant", description}
	}
	s.sso.mu.Lock()
	defer s.sso.mu.Unlock()
	code := form.Get("code")
	given, ok := s.sso.codes.take(code, now)
	if !ok {
		s.sso.revoke(code, s.realm, now)
		return refuse("Code not valid")
	}
	us, request := s.sso.active(given.sessionID, now), given.request
	switch {
	case us == nil:
		return refuse("Code not valid")
	case form.Get("redirect_uri") != request.redirectURI:
		return refuse("Incorrect redirect_uri")
	case c != request.client:
		return refuse("Auth error: Found different client_id in clientSession")
	case us.clients[c.id] == nil:
		return refuse("Code not valid")
	}
	if failed := checkVerifier(request.challenge, request.method, form); failed != nil {
		return session{}, failed
	}
	granted := s.sso.tokensOf(us, c, s.realm, now)
	granted.granted, granted.nonce = request.granted, request.nonce
	return granted, nil
}

// revoke ends the client's part in the session of a code that is used again: somebody else may have it (RFC 6749 §4.1.2). As at Keycloak the code's last two
// parts say whose that is, so codes need not be remembered. It is called with mu held.
func (o *sso) revoke(code string, r *realm, now time.Time) {
	parts := strings.Split(code, ".")
	if len(parts) != 3 {
		return
	}
	us := o.active(parts[1], now)
	if us == nil {
		return
	}
	for id := range us.clients {
		if r.clients[id].uuid == parts[2] {
			delete(us.clients, id)
		}
	}
}

// tokensOf is the session that tokens of a client that has a part in it are made for. It is called with mu held.
func (o *sso) tokensOf(us *userSession, c *client, r *realm, now time.Time) session {
	part := us.clients[c.id]
	made := session{
		client: c, user: us.user, person: true, roles: r.tokenRoles(c, us.user.roles),
		sid: us.id, authTime: us.authTime, acr: part.acr, maxEnd: us.maxEnd,
	}
	made.idleEnd = o.use(us, r.lifespans, now)
	if c.refreshTokens {
		made.refreshID = randomUUID()
		part.refreshID = made.refreshID
	}
	return made
}
