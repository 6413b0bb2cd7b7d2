package integration

import (
	"testing"
	"time"

	"github.com/svcauth/svcauth/keycloak/keycloaktest"
)

// embedded is one keycloaktest.Server for each realm. It is written once.
type embedded map[string]*keycloaktest.Server

func newEmbedded() (embedded, error) {
	e := embedded{}
	for _, realm := range []string{sivalabs, wide, article} {
		data, err := realmFile(realm)
		if err != nil {
			return nil, err
		}
		if e[realm], err = keycloaktest.Start(keycloaktest.Config{RealmJSON: data, Addr: freeAddr()}); err != nil {
			return nil, err
		}
	}
	return e, nil
}

func (e embedded) Name() string            { return "embedded" }
func (e embedded) URL(realm string) string { return e[realm].Issuer() }

func (e embedded) Foreign(*testing.T) string {
	return e[article].Token(keycloaktest.Token{Client: "messages-webapp", User: "admin", Audience: []string{"messages-service", "archival-service"}})
}

func (e embedded) Lightweight(_ *testing.T, realm string) string {
	return e[realm].Token(keycloaktest.Token{Client: "lightweight"})
}

func (e embedded) Expired(_ *testing.T, realm string) string {
	return e[realm].Token(keycloaktest.Token{Client: "brief", Lifetime: -2 * time.Second})
}

func (e embedded) RotateKeys(_ *testing.T, realm string) { e[realm].RotateKeys(true) }

func (e embedded) SetSecret(_ *testing.T, realm, client, secret string) {
	e[realm].SetSecret(client, secret)
}

func (e embedded) Stop(*testing.T) {
	for _, server := range e {
		server.SetDown(true)
	}
}

func (e embedded) Start(*testing.T) {
	for _, server := range e {
		server.SetDown(false)
	}
}
