package keycloaktest

import (
	"net/http"

	"github.com/svcauth/svcauth/clientcreds"
	"github.com/svcauth/svcauth/keycloak"
	"github.com/svcauth/svcauth/resourceserver"
)

// Realm is the preset of this realm, for its URLs.
func (s *Server) Realm() keycloak.Realm { return keycloak.Realm{BaseURL: s.URL, Name: s.realm.name} }

// ClientConfig returns the config of a service that fetches tokens as this client, with the secret that the client has now. It panics if there is no such
// client, or if the client has no secret.
func (s *Server) ClientConfig(id string) clientcreds.Config {
	s.test.Helper()
	secret := s.secret(id)
	if secret == "" {
		s.misuse("realm %q has no client %q with a secret %s", s.realm.name, id, whatThereIs(s.withSecret()))
	}
	config := s.Realm().ClientConfig(id, secret)
	config.HTTPClient = s.memoryClient()
	return config
}

// ServerConfig returns the config of a service that accepts this realm's tokens for any of the audiences, which are names of that service.
func (s *Server) ServerConfig(audiences ...string) resourceserver.Config {
	config := s.Realm().ServerConfig(audiences...)
	config.HTTPClient = s.memoryClient()
	return config
}

// memoryClient is nil if the server is reached by the network.
func (s *Server) memoryClient() *http.Client {
	if s.http != nil {
		return nil
	}
	return &http.Client{Transport: s.Transport()}
}
