package keycloaktest

import (
	_ "embed"
	"fmt"
	"os"
	"strings"

	"github.com/svcauth/svcauth/internal/jose"
)

// Config says which realm to serve, and where. The zero Config serves test-realm.json of this package at a free port of 127.0.0.1: realm "test" with
//
//   - client "service", bearer-only: the audience of all tokens
//   - client "job", a service account with the secret "job-secret" and the realm role ROLE_JOB
//   - client "webapp", where people sign in, with the secret "webapp-secret" and redirect URIs anywhere on http://127.0.0.1, whatever the port
//   - alice with the realm roles ROLE_ADMIN and ROLE_USER, and bob with ROLE_USER; their passwords are "alice-password" and "bob-password"
//
// A realm of one's own comes from Clients and Users, or from the JSON that Keycloak exports and imports: one or the other.
type Config struct {
	// RealmFile is the path of a realm's JSON, RealmJSON the JSON itself. At most one may be set.
	RealmFile string
	RealmJSON []byte

	// Clients and Users stand for those of the zero Config; nil leaves these as they are, and an empty list means none.
	Clients []Client
	Users   []User

	// Name is the realm's name if it comes from no JSON; empty means "test".
	Name string

	// Algorithm signs the access tokens and ID tokens, and the key set has a key of its kind: RS256, PS256, ES256, EdDSA and so on. Empty means the
	// defaultSignatureAlgorithm of the JSON, or RS256. Keys for RSA take a tenth of a second or more to make, others next to nothing.
	Algorithm string

	// Addr is where to listen, host:port; empty means a free port of 127.0.0.1. The host must be localhost or a loopback address, and stands in the issuer as it
	// is written here: for "localhost:9191" the issuer is http://localhost:9191/realms/{name}, reached on 127.0.0.1.
	Addr string

	// InMemory serves without a network, at a made-up https URL that only [Server.Transport] reaches, and the configs of [Server.ClientConfig] and
	// [Server.ServerConfig], which have it. Such a Server owns no goroutine, so it may be made in a testing/synctest bubble.
	InMemory bool
}

// Client is an OAuth client of a realm made from Go.
type Client struct {
	// ID is the client's ID.
	ID string

	// Secret is the client's secret. A client with one has a service account, and so gets tokens of its own (RFC 6749 §4.4).
	Secret string

	// Roles are the realm roles of the service account, exactly. Nil means the realm's default role, as Keycloak gives it; its tokens are for account too then.
	Roles []string

	// Audience is who the client's access tokens are for, as Audience mappers say.
	Audience []string

	// RedirectURIs are where people who sign in at this client may be sent back to; a * at the end stands for anything. Without any nobody can sign in here. With
	// some and without a Secret the client is a public one, such as a single-page application.
	RedirectURIs []string
}

// User is a person of a realm made from Go.
type User struct {
	// Name is the user name. Keycloak's have no upper case.
	Name string

	// Password is for the login page. Without one the person can't sign in there, but [Server.Token] makes tokens for anybody.
	Password string

	// Email is the address, which counts as verified; empty means none.
	Email string

	// Roles are the person's realm roles, exactly. Nil means the realm's default role, as Keycloak gives it; the person's tokens are for account too then.
	Roles []string
}

//go:embed test-realm.json
var testRealm []byte

func readRealm(config Config) (*realm, error) {
	if err := config.check(); err != nil {
		return nil, err
	}
	r, err := config.parse()
	if err != nil {
		return nil, err
	}
	if config.Algorithm != "" {
		r.algorithm = config.Algorithm
	}
	return r, nil
}

// check finds fields that contradict each other.
func (config Config) check() error {
	source := ""
	for _, one := range []struct {
		field string
		set   bool
	}{
		{"RealmFile", config.RealmFile != ""},
		{"RealmJSON", config.RealmJSON != nil},
		{"Clients", config.Clients != nil},
		{"Users", config.Users != nil},
		{"Name", config.Name != ""},
	} {
		switch {
		case !one.set:
		case source == "RealmFile" || source == "RealmJSON":
			return fmt.Errorf("%s and %s are both set: choose one", source, one.field)
		default:
			source = one.field
		}
	}
	switch {
	case config.InMemory && config.Addr != "":
		return fmt.Errorf("InMemory and Addr %q are both set: choose one, a server in memory has no address", config.Addr)
	case config.Algorithm != "" && !jose.Supported(config.Algorithm):
		return fmt.Errorf("Algorithm %q is not supported: want one of %s", config.Algorithm, strings.Join(jose.Algorithms(), ", "))
	}
	return nil
}

func (config Config) parse() (*realm, error) {
	switch {
	case config.RealmJSON != nil:
		r, err := parseRealm(config.RealmJSON)
		if err != nil {
			return nil, fmt.Errorf("RealmJSON: %w", err)
		}
		return r, nil
	case config.RealmFile != "":
		data, err := os.ReadFile(config.RealmFile)
		if err != nil {
			return nil, fmt.Errorf("RealmFile: %w", err)
		}
		r, err := parseRealm(data)
		if err != nil {
			return nil, fmt.Errorf("RealmFile %q: %w", config.RealmFile, err)
		}
		return r, nil
	case config.Clients == nil && config.Users == nil && config.Name == "":
		return parseRealm(testRealm)
	}
	data, err := config.realmJSON()
	if err != nil {
		return nil, err
	}
	return parseRealm(data)
}
