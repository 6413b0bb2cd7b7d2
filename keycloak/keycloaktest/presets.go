package keycloaktest

import (
	"fmt"

	"github.com/svcauth/svcauth/clientcreds"
	"github.com/svcauth/svcauth/keycloak"
)

// Realm is the preset of this realm: Realm().ServerConfig("service") is a resource server that accepts its tokens.
func (s *Server) Realm() keycloak.Realm { return keycloak.Realm{BaseURL: s.URL, Name: s.realm.name} }

// ClientConfig returns the config of a service that fetches tokens as this client, with the secret that the client has now. It panics if there is no such
// client, or if the client has no secret.
func (s *Server) ClientConfig(id string) clientcreds.Config {
	secret := s.secret(id)
	if secret == "" {
		panic(fmt.Sprintf("keycloaktest: realm %q has no client %q with a secret", s.realm.name, id))
	}
	return s.Realm().ClientConfig(id, secret)
}
