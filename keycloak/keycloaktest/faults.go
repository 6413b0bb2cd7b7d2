package keycloaktest

import (
	"fmt"
	"strings"
	"time"
)

// maxPaths bounds what Requests remembers: a stray client must not fill the memory of a long test.
const maxPaths = 1024

// SetDown makes every request fail as an unreachable server does: the connection is closed without an answer. SetDown(false) ends that. Tokens can be made and
// keys rotated meanwhile.
func (s *Server) SetDown(down bool) { s.down.Store(down) }

// RotateKeys makes a new signing key, which signs from now on. With keepOld the former ones stay in the key set, as in a Keycloak whose old key is passive;
// without, tokens signed earlier can't be verified any more.
func (s *Server) RotateKeys(keepOld bool) { s.keys.rotate(keepOld) }

// SetSecret gives a client a new secret; the former one is refused at once. It panics if there is no such client.
func (s *Server) SetSecret(clientID, secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.secrets[clientID]; !ok {
		panic(fmt.Sprintf("keycloaktest: realm %q has no client %q", s.realm.name, clientID))
	}
	s.secrets[clientID] = secret
}

func (s *Server) secret(clientID string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.secrets[clientID]
}

// SetTokenLifetime makes the access tokens and ID tokens from now on live that long, cut to seconds, whatever the realm says; 0 gives them the realm's lifespan
// again. Refresh tokens and sessions keep theirs. It panics if lifetime is negative: Token.Lifetime makes tokens that have expired.
func (s *Server) SetTokenLifetime(lifetime time.Duration) {
	if lifetime < 0 {
		panic(fmt.Sprintf("keycloaktest: SetTokenLifetime: want 0 or more, got %v", lifetime))
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

// Requests says how many requests came for a path, or for a URL of this server, those during SetDown included. It counts 1024 paths at most.
func (s *Server) Requests(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests[strings.TrimPrefix(path, s.URL)]
}

func (s *Server) count(path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.requests[path]; known || len(s.requests) < maxPaths {
		s.requests[path]++
	}
}
