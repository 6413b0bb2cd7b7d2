package resourceserver

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"
)

// Require returns middleware that lets a request through if its bearer token is valid and all rules hold; without rules, any valid token will do. The handler
// finds the caller with PrincipalFrom. Nested middleware of the same Authenticator verifies a token once.
//
// It panics on a nil rule, on a role rule if no issuer has a role mapper, and on FromIssuer if there is no such issuer.
func (a *Authenticator) Require(rules ...Rule) func(http.Handler) http.Handler {
	a.checkRules(rules)
	rules = slices.Clone(rules)
	return func(next http.Handler) http.Handler {
		mustHandler(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r, ok := a.admit(w, r, rules); ok {
				next.ServeHTTP(w, r)
			}
		})
	}
}

// RequireRole is Require(Role(role)). It panics if role is empty or no issuer has a role mapper.
func (a *Authenticator) RequireRole(role string) func(http.Handler) http.Handler {
	return a.Require(Role(role))
}

// RequireAnyRole is Require(AnyRole(roles...)). It panics without roles, on an empty one, or if no issuer has a role mapper.
func (a *Authenticator) RequireAnyRole(roles ...string) func(http.Handler) http.Handler {
	return a.Require(AnyRole(roles...))
}

// RequireScope is Require(Scope(scope)). It panics if scope is not one scope-token.
func (a *Authenticator) RequireScope(scope string) func(http.Handler) http.Handler {
	return a.Require(Scope(scope))
}

// Optional returns middleware for pages that greet whoever is signed in: a request without a bearer credential passes and has no principal, one with a bad
// token is refused. A page that must stay up while the issuer is down needs no middleware at all.
func (a *Authenticator) Optional() func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		mustHandler(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			id, refused := a.authenticate(r)
			if refused != nil && refused.Reason != ReasonMissingToken {
				a.refuse(w, r, refused)
				return
			}
			d := Decision{Allowed: true, Status: http.StatusOK}
			if id != nil {
				d.Issuer, d.ClientID = id.issuer.name, id.clientID
			}
			a.decided(r.Context(), d)
			next.ServeHTTP(w, a.withIdentity(r, id))
		})
	}
}

func mustHandler(next http.Handler) {
	if next == nil {
		panic("resourceserver: a nil handler: pass the handler to protect")
	}
}

// checkRules panics where a route is built, as regexp.MustCompile does, rather than refuse everybody at run time.
func (a *Authenticator) checkRules(rules []Rule) {
	if slices.Contains(rules, nil) {
		panic("resourceserver: a nil rule: leave it out for any valid token")
	}
	for _, rule := range rules {
		mustSuit(rule, a.issuers)
	}
}

// admit authenticates r and checks the rules. If it answers true, the request that it returns carries the principal; if not, it has answered w.
func (a *Authenticator) admit(w http.ResponseWriter, r *http.Request, rules []Rule) (*http.Request, bool) {
	id, refused := a.authenticate(r)
	if refused != nil {
		a.refuse(w, r, refused)
		return nil, false
	}
	r = a.withIdentity(r, id)
	if refused := checked(r.Context(), r, id, rules); refused != nil {
		a.refuse(w, r, refused)
		return nil, false
	}
	a.decided(r.Context(), Decision{Allowed: true, Status: http.StatusOK, Issuer: id.issuer.name, ClientID: id.clientID})
	return r, true
}

// checked returns the refusal of the first rule that does not hold. r is nil outside HTTP; ctx carries the principal of id.
func checked(ctx context.Context, r *http.Request, id *identity, rules []Rule) *Error {
	if len(rules) == 0 {
		return nil
	}
	p, _ := PrincipalFrom(ctx)
	for _, rule := range rules {
		if err := rule.Check(r, p); err != nil {
			refused := *asError(err) // a copy: a rule may hand out the same error each time
			refused.expected, refused.caller = cmp.Or(refused.expected, rule.String()), id
			return &refused
		}
	}
	return nil
}

// authenticate verifies r's bearer token, or finds that an outer middleware of this Authenticator has verified the very same one for this request.
func (a *Authenticator) authenticate(r *http.Request) (*identity, *Error) {
	authorization := r.Header["Authorization"]
	if len(authorization) == 1 {
		memo, ok := r.Context().Value(memoKey{}).(*requestContext)
		if ok && memo.authenticator == a && memo.authorization == authorization[0] && memo.identity != nil && memo.identity.valid(time.Now()) {
			return memo.identity, nil
		}
	}
	token, refused := bearerCredential(authorization, a.maxTokenSize)
	if refused != nil {
		return nil, refused
	}
	c := a.called(token)
	if id, refused := a.recall(r.Context(), &c); id != nil || refused != nil {
		return id, refused // its syntax was looked at when it was remembered
	}
	if !isToken68(token) {
		return nil, refuse(ReasonMalformedHeader)
	}
	return a.verifyNew(r.Context(), &c)
}

// withIdentity returns r with a principal of its own; a nil id hides whatever principal was there.
func (a *Authenticator) withIdentity(r *http.Request, id *identity) *http.Request {
	ctx := &requestContext{Context: r.Context(), authenticator: a, identity: id}
	if id != nil {
		ctx.authorization = r.Header["Authorization"][0]
		ctx.principal.Principal = id.principal(&ctx.principal.room)
	}
	return r.WithContext(ctx)
}

func (a *Authenticator) decided(ctx context.Context, d Decision) {
	if a.onDecision != nil {
		a.onDecision(ctx, d)
	}
}
