package resourceserver

import "slices"

// RoleMapper finds the roles in a token's claims. It must be a pure function: its result may be remembered with the token. Absent or oddly typed claims mean
// no roles. Duplicates and empty names in the result are dropped.
type RoleMapper func(Claims) []string

// RolesFromClaim maps the strings at path, each argument one whole name: RolesFromClaim("https://example.com/roles"), RolesFromClaim("realm_access", "roles").
// It panics without a path.
func RolesFromClaim(path ...string) RoleMapper {
	if len(path) == 0 || slices.Contains(path, "") {
		panic("resourceserver: RolesFromClaim without a path: name the claim that holds the roles")
	}
	path = slices.Clone(path)
	return func(c Claims) []string { return c.Strings(path...) }
}

// MergeRoles maps the roles of every mapper. It panics without mappers, or if one is nil.
func MergeRoles(mappers ...RoleMapper) RoleMapper {
	if len(mappers) == 0 || slices.ContainsFunc(mappers, func(m RoleMapper) bool { return m == nil }) {
		panic("resourceserver: MergeRoles needs mappers, none of them nil")
	}
	mappers = slices.Clone(mappers)
	return func(c Claims) []string {
		var all []string
		for _, mapper := range mappers {
			all = append(all, mapper(c)...)
		}
		return all
	}
}

// RolesFromNames maps the names of the members of the object at path, each argument one whole name, for issuers that write roles as an object, as Zitadel does:
// RolesFromNames("urn:zitadel:iam:org:project:277192384:roles"). A member that is null or false names no role. It panics without a path.
func RolesFromNames(path ...string) RoleMapper {
	if len(path) == 0 || slices.Contains(path, "") {
		panic("resourceserver: RolesFromNames without a path: name the claim that holds the roles")
	}
	path = slices.Clone(path)
	return func(c Claims) []string {
		var all []string
		for name, value := range c.lookup(path...).Members {
			if value != "null" && value != "false" {
				all = append(all, name)
			}
		}
		return all
	}
}
