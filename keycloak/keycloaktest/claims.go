package keycloaktest

import (
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"
)

// session is for whom, through which client and with what tokens are made.
type session struct {
	client  *client
	user    *user
	person  bool // somebody who signed in; otherwise the client's own account
	roles   []role
	granted granted
	caller  string // address that the request for the token came from
	light   bool   // a lightweight access token, whatever the client says

	// of a person
	sid          string
	authTime     time.Time // zero: now
	acr          string    // empty: "1"
	nonce        string    // of the ID token
	openid       bool      // there is an ID token, even if what is granted now doesn't say so
	refreshed    bool      // by a refresh token
	refreshScope string    // of the refresh token; empty: what is granted
	refreshID    string    // jti of the refresh token that goes along; empty: none does
	idleEnd      time.Time // of the session if nobody uses it; with refreshID
	maxEnd       time.Time // of the session in any case; zero: none
}

// accessClaims are the claims of an access token as Keycloak makes it.
func (s *Server) accessClaims(session session, now time.Time) map[string]any {
	c, g := session.client, session.granted
	claims := s.sharedClaims(session, now)
	claims["typ"] = "Bearer"
	claims["scope"] = g.text
	claims["jti"] = session.tokenKind() + ":" + randomUUID()
	if session.lightweight() {
		claims = session.lighten(claims)
		setAudience(claims, session.audience(func(m mapper) bool { return m.lightweight }))
		session.mapRoles(claims, func(m mapper) bool { return m.lightweight })
		return claims
	}

	audience := session.audience(func(m mapper) bool { return m.access })
	if g.has("roles") {
		realmRoles, clientRoles, owners := groupRoles(session.roles)
		if len(realmRoles) > 0 {
			claims["realm_access"] = map[string]any{"roles": realmRoles}
		}
		if len(owners) > 0 {
			claims["resource_access"] = clientRoles
		}
		for _, owner := range owners { // "audience resolve": every client whose roles are in the token, but the one that it is for
			if owner != c.id && !slices.Contains(audience, owner) {
				audience = append(audience, owner)
			}
		}
	}
	setAudience(claims, audience)
	if g.has("web-origins") && len(c.origins) > 0 {
		claims["allowed-origins"] = c.origins
	}
	if g.has("microprofile-jwt") {
		names, _, _ := groupRoles(session.roles)
		claims["upn"], claims["groups"] = session.user.name, names
	}
	session.mapRoles(claims, func(m mapper) bool { return m.access })
	return claims
}

// idClaims are the claims of the ID token that comes with access and is signed by algorithm (OpenID Connect Core §2, §3.1.3.6).
func (s *Server) idClaims(session session, access, algorithm string, now time.Time) map[string]any {
	claims := s.sharedClaims(session, now)
	claims["typ"] = "ID"
	claims["jti"] = randomUUID()
	hash := hashOf(algorithm)
	hash.Write([]byte(access)) // never fails
	claims["at_hash"] = base64.RawURLEncoding.EncodeToString(hash.Sum(nil)[:hash.Size()/2])
	if session.nonce != "" {
		claims["nonce"] = session.nonce
	}
	setAudience(claims, append([]string{session.client.id}, session.audience(func(m mapper) bool { return m.id })...))
	session.mapRoles(claims, func(m mapper) bool { return m.id })
	return claims
}

// sharedClaims are in both kinds of token.
func (s *Server) sharedClaims(session session, now time.Time) map[string]any {
	c, u, g := session.client, session.user, session.granted
	claims := map[string]any{
		"iss": s.Issuer(),
		"sub": u.id,
		"azp": c.id,
		"iat": now.Unix(),
		"exp": now.Add(s.lifespan(session, now)).Unix(),
	}
	if session.person {
		authTime := session.authTime
		if authTime.IsZero() {
			authTime = now
		}
		claims["sid"], claims["auth_time"] = session.sid, authTime.Unix()
	}
	if g.has("acr") {
		claims["acr"] = cmp.Or(session.acr, "1")
	}
	session.describe(claims)
	if g.has("service_account") && !session.person {
		claims["client_id"], claims["clientHost"], claims["clientAddress"] = c.id, session.caller, session.caller
	}
	return claims
}

// describe writes what the scopes email and profile tell of the user.
func (session session) describe(claims map[string]any) {
	u, g := session.user, session.granted
	set := func(name, value string) {
		if value != "" {
			claims[name] = value
		}
	}
	if g.has("email") {
		claims["email_verified"] = u.emailVerified
		set("email", u.email)
	}
	if g.has("profile") {
		claims["preferred_username"] = u.name
		set("given_name", u.firstName)
		set("family_name", u.surname)
		set("name", strings.TrimSpace(u.firstName+" "+u.surname))
	}
}

// lifespan of the access token and the ID token: what SetTokenLifetime says, or the client's, and in no case longer than the session.
func (s *Server) lifespan(session session, now time.Time) time.Duration {
	lifespan := session.client.lifespan
	if override := s.tokenLifetime(); override > 0 {
		lifespan = override
	}
	if !session.maxEnd.IsZero() {
		lifespan = min(lifespan, session.maxEnd.Sub(now))
	}
	return lifespan
}

// mappers are those of the client and of the scopes in effect.
func (session session) mappers() []mapper {
	all := slices.Clone(session.client.mappers)
	for _, scope := range session.granted.scopes {
		all = append(all, scope.mappers...)
	}
	return all
}

func (session session) audience(applies func(mapper) bool) []string {
	var audience []string
	for _, m := range session.mappers() {
		if m.audience != "" && applies(m) && !slices.Contains(audience, m.audience) {
			audience = append(audience, m.audience)
		}
	}
	return audience
}

// mapRoles writes the realm roles where a mapper says.
func (session session) mapRoles(claims map[string]any, applies func(mapper) bool) {
	names, _, _ := groupRoles(session.roles)
	for _, m := range session.mappers() {
		if m.claim == nil || !applies(m) || len(names) == 0 {
			continue
		}
		at := claims
		for _, name := range m.claim[:len(m.claim)-1] {
			inner, ok := at[name].(map[string]any)
			if !ok {
				inner = map[string]any{}
				at[name] = inner
			}
			at = inner
		}
		at[m.claim[len(m.claim)-1]] = names
	}
}

// groupRoles parts realm roles from client roles, which it gives in the shape of resource_access, with their clients in order.
func groupRoles(roles []role) (realmRoles []string, clientRoles map[string]any, owners []string) {
	byClient := map[string][]string{}
	for _, one := range roles {
		if one.client == "" {
			realmRoles = append(realmRoles, one.name)
			continue
		}
		if byClient[one.client] == nil {
			owners = append(owners, one.client)
		}
		byClient[one.client] = append(byClient[one.client], one.name)
	}
	clientRoles = map[string]any{}
	for owner, names := range byClient {
		clientRoles[owner] = map[string]any{"roles": names}
	}
	return realmRoles, clientRoles, owners
}

// setAudience writes aud as Keycloak does: nothing for none, a string for one (RFC 7519 §4.1.3 allows it), a list for several.
func setAudience(claims map[string]any, audience []string) {
	switch len(audience) {
	case 0:
		delete(claims, "aud")
	case 1:
		claims["aud"] = audience[0]
	default:
		claims["aud"] = audience
	}
}

func randomUUID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}
