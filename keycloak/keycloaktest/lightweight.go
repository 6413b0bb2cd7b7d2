package keycloaktest

import (
	"maps"
	"slices"
	"strings"
)

// lightweight says whether the access token is one of Keycloak's lightweight ones, which leave to introspection what mappers don't put into them expressly.
func (session session) lightweight() bool { return session.light || session.client.lightweight }

// tokenKind is what the jti begins with: the kind of session, of token and of grant.
func (session session) tokenKind() string {
	kind, grant := "rt", "ac" // regular token; authorization code
	if session.lightweight() {
		kind = "lt"
	}
	switch {
	case !session.person:
		return "tr" + kind + "cc" // transient session, client credentials
	case session.refreshed:
		grant = "rt"
	}
	return "on" + kind + grant
}

// lighten keeps what a lightweight token has of an access token's claims. The subject is there for service accounts only.
func (session session) lighten(claims map[string]any) map[string]any {
	kept := []string{"iss", "exp", "iat", "jti", "typ", "azp", "scope", "sid"}
	if !session.person {
		kept = append(kept, "sub")
	}
	light := maps.Clone(claims)
	maps.DeleteFunc(light, func(name string, _ any) bool { return !slices.Contains(kept, name) })
	return light
}

// isLightweight tells a lightweight token by its jti.
func isLightweight(jti string) bool {
	kind, _, ok := strings.Cut(jti, ":")
	return ok && len(kind) >= 4 && kind[2:4] == "lt"
}
