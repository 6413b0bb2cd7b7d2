package resourceserver

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Principal is who a verified token speaks for: a person or a service.
//
// Each request gets a Principal of its own. HasRole, HasScope and the rules of this package read what was verified, so writing to the exported fields grants
// nothing; in a Principal that a test made as a literal they read the fields. A nil Principal has no roles and no scopes. A Principal that nobody writes to may
// be read concurrently.
type Principal struct {
	Subject  string // sub; empty for tokens without one, such as Keycloak's lightweight tokens
	Issuer   string // iss
	ClientID string // azp, else client_id, else appid (Entra ID v1), else cid (Okta): the client that the token was issued to
	Username string // preferred_username, else sub
	Roles    []string
	Scopes   []string
	Expiry   time.Time // exp, without leeway
	Claims   Claims

	verified *identity // nil in literals
}

// identity is what verification found out; nothing outside this package can reach it, and nothing writes to it.
type identity struct {
	subject, clientID, username string
	issuer                      *issuer
	roles, scopes               []string
	expiry, notBefore           time.Time // as the token says, without leeway; notBefore is zero without nbf
	claims                      Claims
}

// valid reports whether a verification at now would find the token neither expired nor too early.
func (id *identity) valid(now time.Time) bool {
	return now.Before(id.expiry.Add(id.issuer.leeway)) && (id.notBefore.IsZero() || !now.Before(id.notBefore.Add(-id.issuer.leeway)))
}

// ownPrincipal is the Principal of one request with room for the names that most tokens have, so that both are one
// allocation.
type ownPrincipal struct {
	Principal
	room room
}

// room is where the roles and scopes of most tokens fit.
type room [12]string

// principal makes a Principal. Its slices are copies, in room if they fit: writing to them must reach neither the identity nor another request.
func (id *identity) principal(room *room) Principal {
	roles, both := len(id.roles), room[:]
	if n := roles + len(id.scopes); n <= len(room) {
		both = both[:n:n] // what callers append goes elsewhere
	} else {
		both = make([]string, n)
	}
	copy(both, id.roles) // to append would have the compiler move room to the heap
	copy(both[roles:], id.scopes)
	return Principal{
		Subject: id.subject, Issuer: id.issuer.name, ClientID: id.clientID, Username: id.username,
		Roles: both[:roles:roles], Scopes: both[roles:], Expiry: id.expiry, Claims: id.claims, verified: id,
	}
}

// HasRole reports whether the principal has exactly this role.
func (p *Principal) HasRole(role string) bool {
	return p != nil && role != "" && slices.Contains(p.heldRoles(), role)
}

// HasScope reports whether the token was granted exactly this scope.
func (p *Principal) HasScope(scope string) bool {
	return p != nil && scope != "" && slices.Contains(p.heldScopes(), scope)
}

// heldRoles are the roles that HasRole goes by.
func (p *Principal) heldRoles() []string {
	if p.verified != nil {
		return p.verified.roles
	}
	return p.Roles
}

// heldScopes are the scopes that HasScope goes by.
func (p *Principal) heldScopes() []string {
	if p.verified != nil {
		return p.verified.scopes
	}
	return p.Scopes
}

// heldClaims, heldClient and heldIssuer are what rules go by.
func (p *Principal) heldClaims() Claims {
	if p.verified != nil {
		return p.verified.claims
	}
	return p.Claims
}

func (p *Principal) heldClient() string {
	if p.verified != nil {
		return p.verified.clientID
	}
	return p.ClientID
}

func (p *Principal) heldIssuer() string {
	if p.verified != nil {
		return p.verified.issuer.name
	}
	return p.Issuer
}

type principalKey struct{}

// PrincipalFrom returns the principal that Require or Optional verified for this request, or that ContextWithPrincipal put there.
func PrincipalFrom(ctx context.Context) (*Principal, bool) {
	p, _ := ctx.Value(principalKey{}).(*Principal)
	return p, p != nil
}

// ContextWithPrincipal returns a context in which PrincipalFrom finds p: for tests of handlers, and for transports other than net/http after Verify.
// The middleware never believes it: it verifies the token itself and hides p.
func ContextWithPrincipal(ctx context.Context, p *Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

type memoKey struct{}

// requestContext carries the principal of one request in one allocation, and under a private key the memo by which nested middleware of the same
// Authenticator verifies a token once.
type requestContext struct {
	context.Context
	principal     ownPrincipal // for PrincipalFrom; handlers may write to it
	authenticator *Authenticator
	authorization string
	identity      *identity // nil: Optional let a request without credentials through
}

// Format keeps the token out of what fmt prints of a context; String does so for contexts derived from this one.
func (c *requestContext) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "%s", c.String()) }

func (c *requestContext) String() string { return "resourceserver.requestContext" }

func (c *requestContext) Value(key any) any {
	switch key.(type) {
	case principalKey:
		if c.identity == nil {
			return (*Principal)(nil)
		}
		return &c.principal.Principal
	case memoKey:
		return c
	}
	return c.Context.Value(key)
}
