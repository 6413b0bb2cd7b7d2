package keycloak

import (
	"slices"
	"strings"

	"github.com/svcauth/svcauth/resourceserver"
)

const prefix = "ROLE_"

// RealmRoles is a resourceserver.RoleMapper for Keycloak's realm roles, the claim realm_access.roles. A role named ROLE_ADMIN counts as ROLE_ADMIN and as
// ADMIN, so that realms made for Spring Security work with rules in either spelling; a role named ADMIN counts as ADMIN only. An absent or oddly typed claim
// means no roles, and odd elements beside usable names are left out. Client roles never count as realm roles: merge ClientRoles if they should.
func RealmRoles(claims resourceserver.Claims) []string {
	return withBareNames(named(claims, "realm_access", "roles"))
}

// ClientRoles returns a mapper for the roles of one client, the claim resource_access.<clientID>.roles, with the same rule for names as RealmRoles. It panics
// if clientID is empty.
func ClientRoles(clientID string) resourceserver.RoleMapper {
	if clientID == "" {
		panic("keycloak: ClientRoles without a client id")
	}
	return func(claims resourceserver.Claims) []string {
		return withBareNames(named(claims, "resource_access", clientID, "roles"))
	}
}

// named reads an array of names. A bare string is not taken for one: Keycloak sends arrays, and what else stands there was put
// by a mapper gone wrong.
func named(claims resourceserver.Claims, path ...string) []string {
	names := claims.Strings(path...)
	if len(names) == 1 && claims.String(path...) != "" {
		return nil
	}
	return slices.DeleteFunc(names, func(name string) bool { return name == "" })
}

// withBareNames adds to each ROLE_X its X, once: ROLE_ROLE_X and ROLE_ alone stay as they are, or a role could be named to
// become another.
func withBareNames(names []string) []string {
	for _, name := range names {
		if rest, ok := strings.CutPrefix(name, prefix); ok && rest != "" && !strings.HasPrefix(rest, prefix) {
			names = append(names, rest)
		}
	}
	return names
}
