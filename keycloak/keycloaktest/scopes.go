package keycloaktest

import (
	"fmt"
	"slices"
	"strings"
)

// scope is a client scope. Keycloak's own are known by their names: what they put into a token stands in claims.go.
type scope struct {
	name    string
	inToken bool // listed in the scope claim
	mappers []mapper
}

// mapper is one of the two protocol mappers that are read.
type mapper struct {
	audience   string   // of an oidc-audience-mapper
	claim      []string // path of an oidc-usermodel-realm-role-mapper's claim
	access, id bool     // into which tokens it writes
	userinfo   bool

	lightweight bool // also into lightweight access tokens
}

// The client scopes of a new realm.
var (
	builtInScopes   = []string{"service_account", "basic", "profile", "roles", "acr", "phone", "microprofile-jwt", "web-origins", "organization", "offline_access", "email", "address"}
	builtInDefault  = []string{"web-origins", "acr", "roles", "profile", "basic", "email"}
	builtInOptional = []string{"address", "phone", "offline_access", "microprofile-jwt", "organization"}
	scopesInToken   = []string{"profile", "email", "address", "phone", "offline_access", "microprofile-jwt"}
)

// readScopes takes the client scopes of the JSON, which replace Keycloak's own, or those.
func (r *realm) readScopes(top *realmJSON) error {
	if top.ClientScopes == nil {
		for _, name := range builtInScopes {
			r.addScope(&scope{name: name, inToken: slices.Contains(scopesInToken, name)})
		}
		r.defaultScopes, r.optionalScopes = builtInDefault, builtInOptional
		return nil
	}
	scopes, err := decodeList[scopeJSON]("clientScopes", top.ClientScopes)
	if err != nil {
		return err
	}
	for i, j := range scopes {
		if j.Name == "" {
			return fmt.Errorf("clientScopes[%d].name: want a name, got none", i)
		}
		if j.Protocol == "" || j.Protocol == "openid-connect" {
			r.addScope(&scope{name: j.Name, inToken: j.Attributes["include.in.token.scope"] != "false", mappers: readMappers(j.ProtocolMappers)})
		}
	}
	unknown := func(name string) bool { return r.scopes[name] == nil }
	r.defaultScopes = slices.DeleteFunc(top.DefaultScopes, unknown)
	r.optionalScopes = slices.DeleteFunc(top.OptionalScopes, unknown)
	return nil
}

func (r *realm) addScope(s *scope) {
	if r.scopes[s.name] == nil {
		r.scopeNames = append(r.scopeNames, s.name)
	}
	r.scopes[s.name] = s
}

func readMappers(list []mapperJSON) []mapper {
	var mappers []mapper
	for _, j := range list {
		m := mapper{access: j.Config["access.token.claim"] == "true", id: j.Config["id.token.claim"] == "true", lightweight: j.Config["lightweight.claim"] == "true"}
		m.userinfo = m.id // as long as the mapper doesn't say
		if own, ok := j.Config["userinfo.token.claim"]; ok {
			m.userinfo = own == "true"
		}
		switch j.ProtocolMapper {
		case "oidc-audience-mapper":
			m.audience = j.Config["included.client.audience"] // taken first where both are set
			if m.audience == "" {
				m.audience = j.Config["included.custom.audience"]
			}
			if m.audience == "" {
				continue
			}
		case "oidc-usermodel-realm-role-mapper":
			if j.Config["claim.name"] == "" {
				continue
			}
			m.claim = claimPath(j.Config["claim.name"])
		default:
			continue
		}
		mappers = append(mappers, m)
	}
	return mappers
}

// claimPath splits a claim name at its dots; "\." is a dot within a name.
func claimPath(name string) []string {
	parts := strings.Split(strings.ReplaceAll(name, `\.`, "\x00"), ".")
	for i := range parts {
		parts[i] = strings.ReplaceAll(parts[i], "\x00", ".")
	}
	return parts
}

// granted is what a request's scope parameter came to.
type granted struct {
	openid bool
	scopes []*scope // in effect
	text   string   // the scope claim and the scope of the answer
}

func (g granted) has(name string) bool {
	return slices.ContainsFunc(g.scopes, func(s *scope) bool { return s.name == name })
}

// names are those of all scopes in effect, also of those that the scope claim doesn't list.
func (g granted) names() string {
	var names []string
	if g.openid {
		names = append(names, "openid")
	}
	for _, s := range g.scopes {
		names = append(names, s.name)
	}
	return strings.Join(names, " ")
}

// grantScopes resolves a scope parameter (RFC 6749 §3.3), absent if nil. A client has its default scopes always, its optional ones on request; one name that is
// neither makes the whole request fail, and so does an empty name: Keycloak splits at single spaces and forgives only those at the end.
func (r *realm) grantScopes(c *client, requested *string) (granted, bool) {
	g := granted{}
	names := slices.Clone(c.defaultScopes)
	if requested != nil {
		for _, name := range splitScope(*requested) {
			switch {
			case name == "openid":
				g.openid = true
			case slices.Contains(names, name):
			case slices.Contains(c.optionalScopes, name):
				names = append(names, name)
			default:
				return granted{}, false
			}
		}
	}
	var listed []string
	if g.openid {
		listed = append(listed, "openid")
	}
	for _, name := range names {
		g.scopes = append(g.scopes, r.scopes[name])
		if r.scopes[name].inToken {
			listed = append(listed, name)
		}
	}
	g.text = strings.Join(listed, " ")
	return g, true
}

func splitScope(text string) []string {
	if text == "" {
		return []string{""}
	}
	text = strings.TrimRight(text, " ")
	if text == "" {
		return nil
	}
	return strings.Split(text, " ")
}
