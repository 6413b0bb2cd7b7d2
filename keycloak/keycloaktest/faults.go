package keycloaktest

import "time"

// SetDown makes every request fail as an unreachable server does: the connection is closed without an answer. SetDown(false) ends that. Tokens can be made and
// keys rotated meanwhile. For other troubles, or for one endpoint alone, see [Server.SetTrouble].
func (s *Server) SetDown(down bool) { s.down.Store(down) }

// RotateKeys makes a new signing key of each kind there is, which signs from now on. With keepOld the former ones stay in the key set, as in a Keycloak whose old
// key is passive; without, tokens signed earlier can't be verified any more.
func (s *Server) RotateKeys(keepOld bool) { s.keys.rotate(keepOld) }

// SetTokenLifetime makes the access tokens and ID tokens from now on live that long, cut to seconds, whatever the realm says; 0 gives them the realm's lifespan
// again. Refresh tokens and sessions keep theirs. It panics if lifetime is negative: Token.Lifetime makes tokens that have expired.
func (s *Server) SetTokenLifetime(lifetime time.Duration) {
	s.test.Helper()
	if lifetime < 0 {
		s.misuse("SetTokenLifetime: want 0 or more, got %v", lifetime)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lifetime = lifetime
}

// tokenLifetime is 0 if the realm's lifespan holds.
func (s *Server) tokenLifetime() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lifetime
}

// SetClockSkew sets the server's clock ahead of this machine's, or behind it if skew is negative; 0 ends that. Tokens say when they were issued and when they
// expire by that clock, those of [Server.Token] too, and codes, refresh tokens and sessions expire by it.
func (s *Server) SetClockSkew(skew time.Duration) { s.skew.Store(int64(skew)) }

// now is the server's time.
func (s *Server) now() time.Time { return time.Now().Add(time.Duration(s.skew.Load())) }
