package keycloaktest

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Token describes a token for tests of one's own handlers. The zero Token is an access token of the realm's first client with a service account, as the token
// endpoint would give it.
type Token struct {
	// Client is the ID of the client that the token is issued to. Empty means the realm's first one that fits: with a service account, or where people sign in
	// if User is set. If nobody can sign in anywhere, people's tokens are for the first client that is not bearer-only.
	Client string

	// User is the name of the person who signed in at Client. Empty means the client's own service account.
	User string

	// Type is the kind of token: empty or "Bearer" for an access token, "ID" for an ID token, "Refresh" for a refresh token, which needs a User, begins a session
	// of that person, and is good at the token endpoint.
	Type string

	// Audience stands for the audiences that the client's mappers give; empty but not nil means no aud at all.
	Audience []string

	// Roles stands for all roles of the user, as realm roles; empty but not nil means none.
	Roles []string

	// Scope is the scope parameter of the request: names, apart by a space. Empty means the client's default scopes.
	Scope string

	// Lightweight makes the access token one of Keycloak's lightweight ones, as for a client that is set to them: no roles, no names, an audience only where a
	// mapper says so expressly, and for people no sub. Audience is put in all the same; Roles has no effect.
	Lightweight bool

	// Lifetime is the time from now to exp; 0 means the realm's. A negative one makes a token that expired that long ago.
	Lifetime time.Duration

	// Algorithm signs, instead of the realm's: RS256, PS256, ES256, EdDSA and so on, with a key that is in the key set from then on. "none" makes a token
	// without a signature. HS256, HS384 and HS512 sign with the realm's public key, in PEM, for a shared secret: no resource server may fall for it (RFC 8725
	// §2.1).
	Algorithm string

	// Forged signs with a key that is not the realm's, though the header names the realm's.
	Forged bool

	// Claims and Header have the last word: each of their values replaces a claim, or a member of the header, and nil removes it. The token is signed as it comes
	// out: with a claim exp of 0 it is expired, with a header member alg of "none" it says so and yet has a signature.
	Claims map[string]any
	Header map[string]any
}

// Token makes a token like Keycloak's, signed by the realm's current key, without any request: the realm may be down. It panics if the realm has no such client,
// user or scope, or if fields contradict each other.
func (s *Server) Token(t Token) string {
	s.test.Helper()
	session := s.session(t)
	now := s.now()
	claims, algorithm := map[string]any(nil), ""
	switch t.Type {
	case "", "Bearer":
		claims, algorithm = s.accessClaims(session, now), s.accessAlgorithm(session.client)
	case "ID":
		algorithm = s.idAlgorithm(session.client)
		access := s.sign(s.accessAlgorithm(session.client), nil, s.accessClaims(session, now))
		claims = s.idClaims(session, access, algorithm, now)
	case "Refresh":
		claims = s.refreshFor(t, session, now)
	default:
		s.misuse("Token.Type %q is none of Bearer, ID and Refresh: set the claim typ in Token.Claims", t.Type)
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
	s.payload(claims) // complains if they can't be encoded
	if t.Type == "Refresh" {
		return s.refresh.sign(t.Header, claims)
	}
	return s.signAs(t, algorithm, claims)
}

func (s *Server) session(t Token) session {
	s.test.Helper()
	c := s.realm.clients[t.Client]
	switch {
	case t.Client == "":
		if c = s.realm.firstClient(t.User != ""); c == nil {
			s.misuse("realm %q has no client that fits: set Token.Client", s.realm.name)
		}
	case c == nil:
		s.noClient(t.Client)
	}
	session := session{client: c, user: c.account, caller: "127.0.0.1", light: t.Lightweight}
	if t.User != "" {
		session.user, session.person, session.sid = s.realm.users[strings.ToLower(t.User)], true, randomUUID()
		if session.user == nil {
			s.noUser(t.User)
		}
	} else if session.user == nil {
		s.misuse("realm %q gives client %q no service account: set Token.User, or serviceAccountsEnabled in the JSON", s.realm.name, c.id)
	}
	var requested *string
	if t.Scope != "" {
		requested = &t.Scope
	}
	var ok bool
	if session.granted, ok = s.realm.grantScopes(c, requested); !ok {
		s.misuse("realm %q gives client %q not all scopes of %q %s", s.realm.name, c.id, t.Scope, whatThereIs(slices.Concat([]string{"openid"}, c.defaultScopes, c.optionalScopes)))
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

// refreshFor begins the session that a refresh token belongs to.
func (s *Server) refreshFor(t Token, session session, now time.Time) map[string]any {
	s.test.Helper()
	switch {
	case !session.person:
		s.misuse("Token.Type Refresh without a User: service accounts have no refresh tokens, set Token.User")
	case t.Roles != nil || t.Lightweight || t.Algorithm != "" || t.Forged:
		s.misuse("Token.Type Refresh with Roles, Lightweight, Algorithm or Forged, which are for the other types: leave them out")
	}
	s.sso.mu.Lock()
	defer s.sso.mu.Unlock()
	us := s.sso.start(session.user, s.realm.lifespans, now)
	us.authTime = now.Truncate(time.Second)
	us.clients[session.client.id] = &clientSession{acr: "1", refreshID: randomUUID()}
	session.sid, session.refreshID = us.id, us.clients[session.client.id].refreshID
	session.idleEnd = s.sso.use(us, s.realm.lifespans, now)
	return s.refreshClaims(session, nil, now)
}

// firstClient is the first of the JSON in which people sign in, or that has a service account. Where nobody can sign in, people's tokens are for any client.
func (r *realm) firstClient(person bool) *client {
	var other *client
	for _, id := range r.clientIDs {
		c := r.clients[id]
		switch {
		case !c.enabled || c.bearerOnly:
		case person && c.standardFlow, !person && c.serviceAccounts && !c.public:
			return c
		case other == nil && person:
			other = c
		}
	}
	return other
}
