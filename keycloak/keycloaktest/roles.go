package keycloaktest

import (
	"slices"
	"strings"
)

// role is a realm role, or with client set a client role.
type role struct{ client, name string }

// readRoles takes the roles of the JSON, and adds what the import adds to every realm: the default role, and to that what the JSON doesn't define itself.
func (r *realm) readRoles(top *realmJSON) {
	add := func(clientID string, roles []roleJSON) {
		for _, j := range roles {
			var members []role
			for _, name := range j.Composites.Realm {
				members = append(members, role{name: name})
			}
			for id, names := range j.Composites.Client {
				for _, name := range names {
					members = append(members, role{client: id, name: name})
				}
			}
			r.roles[role{client: clientID, name: j.Name}] = members
		}
	}
	add("", top.Roles.Realm)
	for id, roles := range top.Roles.Client {
		add(id, roles)
	}

	if top.DefaultRole != nil && top.DefaultRole.Name != "" {
		r.defaultRole = role{name: top.DefaultRole.Name}
	} else {
		r.defaultRole = role{name: "default-roles-" + strings.ToLower(r.name)}
		if _, taken := r.roles[r.defaultRole]; taken {
			r.defaultRole.name += "-1" // without defaultRole, a role of that name is just a role
		}
	}
	members := append(r.roles[r.defaultRole], role{name: "offline_access"})
	if _, listed := r.roles[role{name: "uma_authorization"}]; !listed {
		members = append(members, role{name: "uma_authorization"})
	}
	if r.clients["account"] == nil {
		manage := role{client: "account", name: "manage-account"}
		r.roles[manage] = append(r.roles[manage], role{client: "account", name: "manage-account-links"})
		members = append(members, manage, role{client: "account", name: "view-profile"})
	}
	r.roles[r.defaultRole] = members
}

func (r *realm) readScopeMappings(top *realmJSON) {
	add := func(owner string, mappings []scopeMapping) {
		for _, m := range mappings {
			c := r.clients[m.Client]
			if c == nil {
				continue // mapped to a client scope, or to a client that is built in
			}
			for _, name := range m.Roles {
				c.scopeMappings = append(c.scopeMappings, role{client: owner, name: name})
			}
		}
	}
	add("", top.ScopeMappings)
	for owner, mappings := range top.ClientScopeMappings {
		add(owner, mappings)
	}
}

// expand returns held with the members of composite roles, each once.
func (r *realm) expand(held []role) []role {
	var all []role
	for queue := slices.Clone(held); len(queue) > 0; queue = queue[1:] {
		if !slices.Contains(all, queue[0]) {
			all = append(all, queue[0])
			queue = append(queue, r.roles[queue[0]]...)
		}
	}
	return all
}

// tokenRoles are the roles that a client's token may carry for someone who holds these: all, unless the client's scope is narrowed.
func (r *realm) tokenRoles(c *client, held []role) []role {
	roles := r.expand(held)
	if c.fullScope {
		return roles
	}
	mapped := r.expand(c.scopeMappings)
	return slices.DeleteFunc(roles, func(one role) bool { return one.client != c.id && !slices.Contains(mapped, one) })
}

// builtInClient says whether Keycloak makes the client in every realm.
func builtInClient(id string) bool {
	switch id {
	case "account", "account-console", "admin-cli", "broker", "realm-management", "security-admin-console":
		return true
	}
	return false
}
