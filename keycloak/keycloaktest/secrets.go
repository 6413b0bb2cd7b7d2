package keycloaktest

import (
	"slices"
	"time"
)

// secret is a client's, with the one before it where that still counts.
type secret struct {
	current, former string
	formerEnds      time.Time
}

// SetSecret gives a client a new secret; the former ones are refused at once. It panics if there is no such client.
func (s *Server) SetSecret(clientID, newSecret string) {
	s.test.Helper()
	s.replaceSecret(clientID, newSecret, 0)
}

// RotateSecret gives a client a new secret, which it returns. The former one is good until overlap is over, as in a Keycloak with a policy for client secret
// rotation. It panics if there is no such client, or if overlap is negative.
func (s *Server) RotateSecret(clientID string, overlap time.Duration) string {
	s.test.Helper()
	if overlap < 0 {
		s.misuse("RotateSecret: want an overlap of 0 or more, got %v", overlap)
	}
	newSecret := randomText(24)
	s.replaceSecret(clientID, newSecret, overlap)
	return newSecret
}

func (s *Server) replaceSecret(clientID, newSecret string, overlap time.Duration) {
	s.test.Helper()
	s.knownClient(clientID)
	s.mu.Lock()
	defer s.mu.Unlock()
	one := secret{current: newSecret}
	if overlap > 0 {
		one.former, one.formerEnds = s.secrets[clientID].current, s.now().Add(overlap)
	}
	s.secrets[clientID] = one
}

// knownClient panics if there is no such client.
func (s *Server) knownClient(id string) {
	s.test.Helper()
	if s.realm.clients[id] == nil {
		s.noClient(id)
	}
}

// secret is the one that the client has now.
func (s *Server) secret(clientID string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.secrets[clientID].current
}

// withSecret are the clients that have one.
func (s *Server) withSecret() []string {
	return slices.DeleteFunc(slices.Clone(s.realm.clientIDs), func(id string) bool { return s.secret(id) == "" })
}

// proves says whether given is a secret of the client. A client that has none can't prove anything.
func (s *Server) proves(clientID, given string) bool {
	s.mu.Lock()
	one := s.secrets[clientID]
	s.mu.Unlock()
	return one.current != "" && sameSecret(given, one.current) ||
		one.former != "" && s.now().Before(one.formerEnds) && sameSecret(given, one.former)
}
