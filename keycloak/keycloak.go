// Package keycloak knows how Keycloak names its endpoints and where it puts roles, so that the other packages need not:
//
//	realm := keycloak.Realm{BaseURL: "http://localhost:9191", Name: "sivalabs"}
//	source, err := clientcreds.New(realm.ClientConfig("archival-service", secret))
//	auth, err := resourceserver.New(realm.ServerConfig("messages-service"))
//
// It fits Keycloak 17 and later; for one with the old path, or with another relative path, BaseURL includes it: https://sso.example.com/auth.
package keycloak

import (
	"net/url"
	"strings"

	"github.com/svcauth/svcauth/clientcreds"
	"github.com/svcauth/svcauth/resourceserver"
)

// Realm is one realm of a Keycloak server. The zero value makes URLs that New of the other packages refuses. Its methods may be called concurrently.
type Realm struct {
	// BaseURL is the server's public address, by which tokens name their issuer: scheme, host, port, and a relative path if it has one.
	BaseURL string
	// Name is the realm's name, not encoded.
	Name string
	// InternalURL is another address of the same server for requests from inside a cluster or a compose network; empty means BaseURL. It changes where keys and tokens
	// are fetched, never which issuer is trusted. Keycloak must name the public issuer on both: set KC_HOSTNAME to the BaseURL, and KC_HOSTNAME_BACKCHANNEL_DYNAMIC
	// if it should answer with internal endpoints.
	InternalURL string
}

// Issuer is the realm's issuer, as it stands in the iss claim of its tokens.
func (r Realm) Issuer() string { return r.under(r.BaseURL) }

// TokenURL is the realm's token endpoint, under the internal address if there is one.
func (r Realm) TokenURL() string { return r.internal() + "/protocol/openid-connect/token" }

// JWKSURL is where the realm publishes its keys, under the internal address if there is one.
func (r Realm) JWKSURL() string { return r.internal() + "/protocol/openid-connect/certs" }

func (r Realm) internal() string {
	if r.InternalURL != "" {
		return r.under(r.InternalURL)
	}
	return r.under(r.BaseURL)
}

func (r Realm) under(base string) string {
	if base == "" || r.Name == "" {
		return "" // a half-made URL would be refused with a riddle; an empty one names its field
	}
	return strings.TrimRight(base, "/") + "/realms/" + url.PathEscape(r.Name)
}

// ClientConfig returns a config for a service that fetches tokens of its own (client credentials, RFC 6749 §4.4), for the caller to edit. It uses discovery, or
// the token endpoint under InternalURL if there is one.
func (r Realm) ClientConfig(id, secret string) clientcreds.Config {
	c := clientcreds.Config{ClientID: id, ClientSecret: secret}
	if r.InternalURL == "" {
		c.Issuer = r.Issuer()
	} else {
		c.TokenURL = r.TokenURL()
	}
	return c
}

// ServerConfig returns a config for a service that accepts the realm's tokens, with realm roles, for the caller to edit. audiences are the service's names; in
// Keycloak an Audience mapper puts them into aud.
func (r Realm) ServerConfig(audiences ...string) resourceserver.Config {
	c := resourceserver.Config{Issuer: r.Issuer(), Audiences: audiences, Roles: RealmRoles}
	if r.InternalURL != "" {
		c.JWKSURL = r.JWKSURL()
	}
	return c
}
