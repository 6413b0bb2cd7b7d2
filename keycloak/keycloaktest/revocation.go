package keycloaktest

import "time"

// SetClientEnabled disables a client, or enables it again, as an administrator does. A disabled one gets no token and can't refresh one, and nobody signs in there;
// access tokens it has pass where only their signature is looked at. It panics if there is no such client.
func (s *Server) SetClientEnabled(clientID string, enabled bool) {
	s.test.Helper()
	s.knownClient(clientID)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.disabled[clientID] = !enabled
}

func (s *Server) enabled(c *client) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.disabled[c.id]
}

// SetNotBefore revokes what was issued before t, cut to seconds, as the not-before policy of a realm does: refresh tokens are refused, userinfo refuses access
// tokens, and the token endpoint tells the time as not-before-policy. Who only looks at a signature doesn't learn of it. The zero time revokes nothing.
func (s *Server) SetNotBefore(t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notBefore = 0
	if !t.IsZero() {
		s.notBefore = t.Unix()
	}
}

// notBeforePolicy is 0 if nothing is revoked.
func (s *Server) notBeforePolicy() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.notBefore
}
