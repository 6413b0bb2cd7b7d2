package keycloaktest

import (
	"fmt"
	"maps"
	"strings"
	"time"
)

// Token describes a token for tests of one's own handlers. The zero Token is an access token of the realm's first client with a service account, as the token
// endpoint would give it.
type Token struct {
	// Client is the ID of the client that the token is issued to. Empty means the realm's first one that fits: with a service account, or where people sign in
	// if User is set.
	Client string

	// User is the name of the person who signed in at Client. Empty means the client's own service account.
	User string

	// Type is the kind of token: empty or "Bearer" for an access token, "ID" for an ID token.
	Type string

	// Audience stands for the audiences that the client's mappers give; empty but not nil means no aud at all.
	Audience []string

	// Roles stands for all roles of the user, as realm roles; empty but not nil means none.
	Roles []string

	// Scope is the scope parameter of the request: names, apart by a space. Empty means the client's default scopes.
	Scope string

	// Lifetime is the time from now to exp; 0 means the realm's. A negative one makes a token that expired that long ago.
	Lifetime time.Duration

	// Claims and Header have the last word: each of their values replaces a claim, or a member of the header, and nil removes it. The token is signed as it comes
	// out: with a claim exp of 0 it is expired, with a header member alg of "none" it says so and yet has a signature.
	Claims map[string]any
	Header map[string]any
}

// Token makes a token like Keycloak's, signed by the realm's current key, without any request: the realm may be down. It panics if the realm has no such client,
// user or scope.
func (s *Server) Token(t Token) string {
	session := s.session(t)
	now := time.Now()
	var claims map[string]any
	switch t.Type {
	case "", "Bearer":
		claims = s.accessClaims(session, now)
	case "ID":
		claims = s.idClaims(session, s.sign(nil, s.accessClaims(session, now)), now)
	default:
		panic(fmt.Sprintf("keycloaktest: Token.Type %q is neither Bearer nor ID: set the claim typ in Token.Claims", t.Type))
	}
	if t.Audience != nil {
		setAudience(claims, t.Audience)
	}
	if t.Lifetime != 0 {
		expiry := now.Add(t.Lifetime)
		claims["exp"] = expiry.Unix()
		if t.Lifetime < 0 {
			claims["iat"] = expiry.Add(-session.client.lifespan).Unix()
		}
	}
	maps.Copy(claims, t.Claims)
	maps.DeleteFunc(claims, func(name string, value any) bool { return value == nil })
	return s.sign(t.Header, claims)
}

func (s *Server) session(t Token) session {
	fail := func(format string, args ...any) {
		panic(fmt.Sprintf("keycloaktest: realm %q "+format, append([]any{s.realm.name}, args...)...))
	}
	c := s.realm.clients[t.Client]
	switch {
	case t.Client == "":
		if c = s.realm.firstClient(t.User != ""); c == nil {
			fail("has no client that fits: set Token.Client")
		}
	case c == nil:
		fail("has no client %q", t.Client)
	}
	session := session{client: c, user: c.account, caller: "127.0.0.1"}
	if t.User != "" {
		session.user, session.person, session.sid = s.realm.users[strings.ToLower(t.User)], true, randomUUID()
		if session.user == nil {
			fail("has no user %q", t.User)
		}
	} else if session.user == nil {
		fail("gives client %q no service account: set Token.User, or serviceAccountsEnabled in the JSON", c.id)
	}
	var requested *string
	if t.Scope != "" {
		requested = &t.Scope
	}
	var ok bool
	if session.granted, ok = s.realm.grantScopes(c, requested); !ok {
		fail("gives client %q not all scopes of %q", c.id, t.Scope)
	}
	session.roles = s.realm.tokenRoles(c, session.user.roles)
	if t.Roles != nil {
		session.roles = nil
		for _, name := range t.Roles {
			session.roles = append(session.roles, role{name: name})
		}
	}
	return session
}

// firstClient is the first of the JSON in which people sign in, or that has a service account.
func (r *realm) firstClient(person bool) *client {
	for _, id := range r.clientIDs {
		c := r.clients[id]
		if c.enabled && !c.bearerOnly && (person && c.standardFlow || !person && c.serviceAccounts && !c.public) {
			return c
		}
	}
	return nil
}
