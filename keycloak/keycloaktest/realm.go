package keycloaktest

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"github.com/svcauth/svcauth/internal/jose"
)

// realm is what a realm's JSON means, defaults filled in as Keycloak's import does. It is not changed after parseRealm.
type realm struct {
	name           string
	title          string // as people see it
	enabled        bool
	lifespans      lifespans
	algorithm      string // signs access tokens and ID tokens
	emailLogin     bool   // people may sign in with their address
	rotateRefresh  bool   // a refresh token is good for one use
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
	lifespans, err := readLifespans(&top)
	if err != nil {
		return nil, err
	}
	algorithm := cmp.Or(top.SignatureAlgorithm, "RS256")
	if !jose.Supported(algorithm) {
		return nil, fmt.Errorf("defaultSignatureAlgorithm: want one of %s, got %q", strings.Join(jose.Algorithms(), ", "), algorithm)
	}
	r := &realm{
		algorithm: algorithm, name: top.Realm, title: top.DisplayName, enabled: top.Enabled, lifespans: lifespans,
		emailLogin: orTrue(top.LoginWithEmailAllowed), rotateRefresh: top.RevokeRefreshToken,
		clients: map[string]*client{}, users: map[string]*user{}, scopes: map[string]*scope{}, roles: map[role][]role{},
	}
	if r.title == "" {
		r.title = r.name
	}
	if err := r.readScopes(&top); err != nil {
		return nil, err
	}
	clients, err := decodeList[clientJSON]("clients", top.Clients)
	if err != nil {
		return nil, err
	}
	for i := range clients {
		if err := r.addClient(fmt.Sprintf("clients[%d]", i), &clients[i]); err != nil {
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
		u.id = r.uuid(name)
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
		c.account = &user{id: r.uuid(name), name: name, enabled: true, roles: []role{r.defaultRole}}
		r.users[name] = c.account
		if r.scopes["service_account"] != nil && !slices.Contains(c.defaultScopes, "service_account") {
			c.defaultScopes = append(slices.Clip(c.defaultScopes), "service_account")
		}
	}
}

// people are the names of the users that are not the account of a service.
func (r *realm) people() []string {
	accounts := map[*user]bool{}
	for _, c := range r.clients {
		accounts[c.account] = true
	}
	var names []string
	for name, u := range r.users {
		if !accounts[u] {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// uuid is a UUID that is the same in every run.
func (r *realm) uuid(name string) string {
	sum := sha256.Sum256([]byte(r.name + "/" + name))
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[0:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

func orTrue(b *bool) bool { return b == nil || *b }
