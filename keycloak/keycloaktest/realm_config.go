package keycloaktest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

type object = map[string]any

// realmJSON is the realm that Clients, Users and Name describe, as Keycloak's JSON: there is one way to read a realm.
func (config Config) realmJSON() ([]byte, error) {
	var top object
	if err := json.Unmarshal(testRealm, &top); err != nil {
		return nil, err // can't happen: the JSON is part of the package
	}
	name := config.Name
	if name == "" {
		name, _ = top["realm"].(string)
	}
	if strings.ContainsAny(name, "/\\") {
		return nil, fmt.Errorf("Name %q: want a name without slashes", name)
	}
	defaultRole := "default-roles-" + strings.ToLower(name)
	standardClients, _ := top["clients"].([]any)
	standardUsers, _ := top["users"].([]any)
	isAccount := func(user any) bool { return user.(object)["serviceAccountClientId"] != nil }

	clients := standardClients
	users := slices.DeleteFunc(slices.Clone(standardUsers), func(user any) bool { return !isAccount(user) })
	if config.Clients != nil {
		var err error
		if clients, users, err = readClients(config.Clients); err != nil {
			return nil, err
		}
	}
	if config.Users == nil {
		for _, user := range standardUsers {
			if !isAccount(user) {
				roles, _ := user.(object)["realmRoles"].([]any)
				for i := range roles {
					if roles[i] == "default-roles-test" {
						roles[i] = defaultRole
					}
				}
				users = append(users, user)
			}
		}
	} else {
		people, err := readUsers(config.Users, users, defaultRole)
		if err != nil {
			return nil, err
		}
		users = append(users, people...)
	}
	top["realm"], top["clients"], top["users"] = name, clients, users
	return json.Marshal(top)
}

// readClients also returns the users that service accounts are, where their roles are given.
func readClients(list []Client) (clients, accounts []any, err error) {
	seen := map[string]bool{}
	for i, c := range list {
		field := func(name string) string { return fmt.Sprintf("Clients[%d].%s", i, name) }
		switch {
		case c.ID == "":
			return nil, nil, fmt.Errorf("%s: want a client ID, got none", field("ID"))
		case seen[c.ID]:
			return nil, nil, fmt.Errorf("%s: %q is there twice: give each client an ID of its own", field("ID"), c.ID)
		case c.Roles != nil && c.Secret == "":
			return nil, nil, fmt.Errorf("%s: client %q has no Secret, so no service account that could hold roles: set Secret, or leave Roles out", field("Roles"), c.ID)
		case c.Audience != nil && c.Secret == "" && c.RedirectURIs == nil:
			return nil, nil, fmt.Errorf("%s: client %q gets no tokens: set Secret or RedirectURIs, or leave Audience out", field("Audience"), c.ID)
		case slices.Contains(c.Roles, ""):
			return nil, nil, fmt.Errorf("%s: want role names, got an empty one", field("Roles"))
		case slices.Contains(c.Audience, ""):
			return nil, nil, fmt.Errorf("%s: want names of services, got an empty one", field("Audience"))
		}
		for _, uri := range c.RedirectURIs {
			if !strings.Contains(uri, "://") {
				return nil, nil, fmt.Errorf("%s: want absolute URIs such as http://127.0.0.1/*, got %q", field("RedirectURIs"), uri)
			}
		}
		seen[c.ID] = true
		var mappers []object
		for _, audience := range c.Audience {
			mappers = append(mappers, object{
				"name": "audience " + audience, "protocol": "openid-connect", "protocolMapper": "oidc-audience-mapper",
				"config": object{"included.custom.audience": audience, "access.token.claim": "true"},
			})
		}
		signIn := len(c.RedirectURIs) > 0
		clients = append(clients, object{
			"clientId": c.ID, "secret": c.Secret, "serviceAccountsEnabled": c.Secret != "", "standardFlowEnabled": signIn,
			"bearerOnly": c.Secret == "" && !signIn, "publicClient": c.Secret == "" && signIn,
			"redirectUris": c.RedirectURIs, "webOrigins": []string{}, "protocolMappers": mappers,
		})
		if c.Roles != nil {
			accounts = append(accounts, object{
				"username": "service-account-" + c.ID, "enabled": true, "serviceAccountClientId": c.ID, "realmRoles": c.Roles,
			})
		}
	}
	return clients, accounts, nil
}

func readUsers(list []User, accounts []any, defaultRole string) ([]any, error) {
	seen := map[string]bool{}
	for _, account := range accounts {
		name, _ := account.(object)["username"].(string)
		seen[strings.ToLower(name)] = true
	}
	var users []any
	for i, u := range list {
		name := strings.ToLower(u.Name)
		switch {
		case name == "":
			return nil, fmt.Errorf("Users[%d].Name: want a user name, got none", i)
		case strings.HasPrefix(name, "service-account-") && seen[name]:
			return nil, fmt.Errorf("Users[%d].Name: %q is the service account of a client: give it its roles by Client.Roles", i, u.Name)
		case seen[name]:
			return nil, fmt.Errorf("Users[%d].Name: %q is there twice, for user names have no case: give each person a name of their own", i, u.Name)
		case slices.Contains(u.Roles, ""):
			return nil, fmt.Errorf("Users[%d].Roles: want role names, got an empty one", i)
		}
		seen[name] = true
		roles := u.Roles
		if roles == nil {
			roles = []string{defaultRole}
		}
		users = append(users, object{
			"username": name, "enabled": true, "email": u.Email, "emailVerified": u.Email != "", "realmRoles": roles,
			"credentials": []object{{"type": "password", "value": u.Password}},
		})
	}
	return users, nil
}
