package keycloaktest

import (
	"crypto/sha256"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// realm is what a realm's JSON means, defaults filled in as Keycloak's import does. It is not changed after parseRealm.
type realm struct {
	name           string
	enabled        bool
	clients        map[string]*client
	clientIDs      []string // in the order of the JSON
	users          map[string]*user
	scopes         map[string]*scope
	scopeNames     []string // in the order of the JSON, or Keycloak's
	roles          map[role][]role
	defaultRole    role
	defaultScopes  []string
	optionalScopes []string
}

type client struct {
	id              string
	secret          string // the first one; SetSecret may have changed it
	enabled         bool
	public          bool
	bearerOnly      bool
	serviceAccounts bool
	standardFlow    bool
	origins         []string
	lifespan        time.Duration // of access tokens and ID tokens
	mappers         []mapper
	defaultScopes   []string
	optionalScopes  []string
	fullScope       bool
	scopeMappings   []role // what tokens may carry without fullScope
	account         *user  // nil without serviceAccounts
}

type user struct {
	id                        string
	name                      string
	enabled                   bool
	email, firstName, surname string
	emailVerified             bool
	passwords                 []string
	roles                     []role
}

// parseRealm reads a realm as Keycloak's import does: unknown members are ignored, a realm role that only a user names is made, an unknown client scope of a client
// is dropped.
func parseRealm(data []byte) (*realm, error) {
	var top realmJSON
	if err := decode("", data, &top); err != nil {
		return nil, err
	}
	if top.Realm == "" || strings.ContainsAny(top.Realm, "/\\") {
		return nil, fmt.Errorf("realm: want a name without slashes, got %q", top.Realm)
	}
	lifespan, err := seconds("accessTokenLifespan", top.AccessTokenLifespan, 5*time.Minute)
	if err != nil {
		return nil, err
	}
	r := &realm{
		name: top.Realm, enabled: top.Enabled,
		clients: map[string]*client{}, users: map[string]*user{}, scopes: map[string]*scope{}, roles: map[role][]role{},
	}
	if err := r.readScopes(&top); err != nil {
		return nil, err
	}
	clients, err := decodeList[clientJSON]("clients", top.Clients)
	if err != nil {
		return nil, err
	}
	for i := range clients {
		if err := r.addClient(fmt.Sprintf("clients[%d]", i), &clients[i], lifespan); err != nil {
			return nil, err
		}
	}
	r.readRoles(&top)
	r.readScopeMappings(&top)
	users, err := decodeList[userJSON]("users", top.Users)
	if err != nil {
		return nil, err
	}
	for i := range users {
		if err := r.addUser(fmt.Sprintf("users[%d]", i), &users[i]); err != nil {
			return nil, err
		}
	}
	r.addServiceAccounts()
	return r, nil
}

func (r *realm) addClient(path string, j *clientJSON, lifespan time.Duration) error {
	if j.ClientID == "" {
		return fmt.Errorf("%s.clientId: want a client ID, got none", path)
	}
	if r.clients[j.ClientID] != nil {
		return fmt.Errorf("%s.clientId: %q is there twice", path, j.ClientID)
	}
	if own := j.Attributes["access.token.lifespan"]; own != "" {
		n, err := strconv.Atoi(own)
		if err != nil {
			return fmt.Errorf("%s.attributes.access.token.lifespan: want seconds, got %q", path, own)
		}
		if lifespan, err = seconds(path+".attributes.access.token.lifespan", &n, lifespan); err != nil {
			return err
		}
	}
	c := &client{
		id: j.ClientID, secret: j.Secret,
		enabled: orTrue(j.Enabled), public: j.PublicClient, bearerOnly: j.BearerOnly,
		serviceAccounts: j.ServiceAccountsEnabled, standardFlow: orTrue(j.StandardFlowEnabled) && !j.BearerOnly,
		origins: webOrigins(j), lifespan: lifespan, fullScope: orTrue(j.FullScopeAllowed),
		mappers:       readMappers(j.ProtocolMappers),
		defaultScopes: r.defaultScopes, optionalScopes: r.optionalScopes,
	}
	if j.DefaultClientScopes != nil || j.OptionalClientScopes != nil {
		unknown := func(name string) bool { return r.scopes[name] == nil }
		c.defaultScopes = slices.DeleteFunc(slices.Clone(j.DefaultClientScopes), unknown)
		c.optionalScopes = slices.DeleteFunc(slices.Clone(j.OptionalClientScopes), unknown)
	}
	r.clients[c.id] = c
	r.clientIDs = append(r.clientIDs, c.id)
	return nil
}

func (r *realm) addUser(path string, j *userJSON) error {
	name := strings.ToLower(j.Username) // Keycloak's user names have no case
	if name == "" {
		return fmt.Errorf("%s.username: want a user name, got none", path)
	}
	if r.users[name] != nil {
		return fmt.Errorf("%s.username: %q is there twice", path, name)
	}
	u := &user{
		id: j.ID, name: name, enabled: j.Enabled,
		email: j.Email, emailVerified: j.EmailVerified, firstName: j.FirstName, surname: j.LastName,
	}
	if u.id == "" {
		u.id = r.userID(name)
	}
	for _, credential := range j.Credentials {
		if credential.Type == "password" && credential.Value != "" {
			u.passwords = append(u.passwords, credential.Value)
		}
	}
	for _, name := range j.RealmRoles {
		u.roles = append(u.roles, role{name: name})
	}
	for id, names := range j.ClientRoles {
		if r.clients[id] == nil && !builtInClient(id) {
			return fmt.Errorf("%s.clientRoles: the realm has no client %q", path, id)
		}
		for _, name := range names {
			u.roles = append(u.roles, role{client: id, name: name})
		}
	}
	if j.ServiceAccountClientID != "" {
		c := r.clients[j.ServiceAccountClientID]
		if c == nil {
			return fmt.Errorf("%s.serviceAccountClientId: the realm has no client %q", path, j.ServiceAccountClientID)
		}
		c.account = u
	}
	r.users[name] = u
	return nil
}

// addServiceAccounts makes the accounts that the JSON doesn't have, as Keycloak does at the client's first token: with the default role, and with the client
// scope service_account added to the client.
func (r *realm) addServiceAccounts() {
	for _, id := range r.clientIDs {
		c := r.clients[id]
		if !c.serviceAccounts || c.account != nil {
			continue
		}
		name := strings.ToLower("service-account-" + id)
		c.account = &user{id: r.userID(name), name: name, enabled: true, roles: []role{r.defaultRole}}
		r.users[name] = c.account
		if r.scopes["service_account"] != nil && !slices.Contains(c.defaultScopes, "service_account") {
			c.defaultScopes = append(slices.Clip(c.defaultScopes), "service_account")
		}
	}
}

// userID is a UUID that is the same in every run.
func (r *realm) userID(name string) string {
	sum := sha256.Sum256([]byte(r.name + "/" + name))
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[0:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// webOrigins resolves the client's web origins: "+", or no member at all, stands for the origins of its redirect URIs.
func webOrigins(j *clientJSON) []string {
	configured, root := j.WebOrigins, j.RootURL
	if configured == nil {
		configured, root = []string{"+"}, "" // the import looks at absolute URIs only
	}
	var origins []string
	add := func(origin string) {
		if origin != "" && !slices.Contains(origins, origin) {
			origins = append(origins, origin)
		}
	}
	for _, origin := range configured {
		if origin != "+" {
			add(origin)
			continue
		}
		for _, redirect := range j.RedirectURIs {
			if strings.HasPrefix(redirect, "/") {
				redirect = root
			}
			if u, err := url.Parse(redirect); err == nil && u.Host != "" {
				add(u.Scheme + "://" + u.Host)
			}
		}
	}
	return origins
}

func seconds(path string, n *int, otherwise time.Duration) (time.Duration, error) {
	const most = 100 * 365 * 24 * 3600
	switch {
	case n == nil:
		return otherwise, nil
	case *n <= 0 || *n > most:
		return 0, fmt.Errorf("%s: want seconds from 1 to %d, got %d", path, most, *n)
	}
	return time.Duration(*n) * time.Second, nil
}

func orTrue(b *bool) bool { return b == nil || *b }
