package resourceserver

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Rule decides whether a verified principal may make a request. Check returns nil if so, else an error that says why not; the request is nil outside HTTP.
// String is how the rule appears in logs and in Mux.Routes. Rules hold no state of a request and may be checked concurrently. They run on every request:
// no decision is ever remembered.
type Rule interface {
	Check(*http.Request, *Principal) error
	String() string
}

// Role holds for principals with exactly this role. It panics if role is empty.
func Role(role string) Rule { return AnyRole(role) }

// AnyRole holds for principals with at least one of these roles. It panics without roles, or if one is empty: a rule that was meant to restrict must not
// come to mean "anyone".
func AnyRole(roles ...string) Rule {
	if len(roles) == 0 {
		panic("resourceserver: a role rule without roles: name at least one, or use Require() for any valid token")
	}
	if slices.Contains(roles, "") {
		panic("resourceserver: a role rule with an empty role: name the role, or use Require() for any valid token")
	}
	return roleRule(slices.Clone(roles))
}

type roleRule []string

func (r roleRule) Check(_ *http.Request, p *Principal) error {
	if slices.ContainsFunc(r, p.HasRole) {
		return nil
	}
	e := refuse(ReasonMissingRole).because(r.String(), "")
	if p != nil {
		e.got = "[" + strings.Join(p.heldRoles(), " ") + "]"
		e.Hint = roleHint(p, r)
	}
	return e
}

func (r roleRule) String() string {
	if len(r) == 1 {
		return "role " + r[0]
	}
	return "any role of " + strings.Join(r, ", ")
}

// Scope holds for tokens that were granted exactly this scope. It panics if scope is not a scope-token (RFC 6749 §3.3), which has no spaces.
func Scope(scope string) Rule {
	for i := range len(scope) {
		if c := scope[i]; c <= ' ' || c > '~' || c == '"' || c == '\\' {
			panic("resourceserver: a scope rule with " + strconv.Quote(scope) + ": name one scope without spaces; for several use All or Any")
		}
	}
	if scope == "" {
		panic("resourceserver: a scope rule with an empty scope: name the scope, or use Require() for any valid token")
	}
	return scopeRule(scope)
}

type scopeRule string

func (s scopeRule) Check(_ *http.Request, p *Principal) error {
	if p.HasScope(string(s)) {
		return nil
	}
	e := refuse(ReasonMissingScope).because(s.String(), "")
	e.scope = string(s)
	if p != nil {
		e.got = "[" + strings.Join(p.heldScopes(), " ") + "]"
	}
	return e
}

func (s scopeRule) String() string { return "scope " + string(s) }

// Any holds if one of rules does. It panics without rules, or if one is nil.
func Any(rules ...Rule) Rule {
	mustRules("Any", rules)
	return anyRule(slices.Clone(rules))
}

type anyRule []Rule

func (a anyRule) Check(r *http.Request, p *Principal) error {
	var first *Error
	for _, rule := range a {
		err := rule.Check(r, p)
		if err == nil {
			return nil
		}
		refused := *asError(err) // a copy: a rule may hand out the same error each time
		if first == nil {
			first = &refused
		}
		first.got, first.Hint = cmp.Or(first.got, refused.got), cmp.Or(first.Hint, refused.Hint)
	}
	first.expected = a.String()
	return first
}

func (a anyRule) String() string { return "any of (" + joined(a) + ")" }

// All holds if every one of rules does. It panics without rules, or if one is nil.
func All(rules ...Rule) Rule {
	mustRules("All", rules)
	return allRule(slices.Clone(rules))
}

type allRule []Rule

func (a allRule) Check(r *http.Request, p *Principal) error {
	for _, rule := range a {
		if err := rule.Check(r, p); err != nil {
			return err
		}
	}
	return nil
}

func (a allRule) String() string { return "all of (" + joined(a) + ")" }

// RuleFunc makes a rule of a function, under a name for logs and audits. It panics if name is empty or allow is nil.
// The request is nil outside HTTP, and text compared with a principal's must not be empty on both sides: a token without sub is not the owner of a
// resource without one.
func RuleFunc(name string, allow func(*http.Request, *Principal) bool) Rule {
	if name == "" || allow == nil {
		panic("resourceserver: RuleFunc needs a name and a function")
	}
	return funcRule{name, allow}
}

type funcRule struct {
	name  string
	allow func(*http.Request, *Principal) bool
}

func (f funcRule) Check(r *http.Request, p *Principal) error {
	if p != nil && f.allow(r, p) {
		return nil
	}
	return refuse(ReasonRule).because(f.name, "")
}

func (f funcRule) String() string { return f.name }

func mustRules(name string, rules []Rule) {
	if len(rules) == 0 {
		panic("resourceserver: " + name + " without rules: name at least one")
	}
	if slices.Contains(rules, nil) {
		panic("resourceserver: " + name + " with a nil rule")
	}
}

func joined(rules []Rule) string {
	names := make([]string, len(rules))
	for i, rule := range rules {
		names[i] = rule.String()
	}
	return strings.Join(names, "; ")
}

// mustSuit panics if a rule, or one that it is made of, can never hold for tokens of these issuers.
func mustSuit(rule Rule, issuers []*issuer) {
	switch r := rule.(type) {
	case roleRule:
		if !slices.ContainsFunc(issuers, func(i *issuer) bool { return i.mapper != nil }) {
			panic("resourceserver: a role rule, but Config.Roles is nil, so nobody has roles: set it, to keycloak.RealmRoles for instance")
		}
	case anyRule:
		for _, part := range r {
			mustSuit(part, issuers)
		}
	case allRule:
		for _, part := range r {
			mustSuit(part, issuers)
		}
	case issuerRule:
		n := slices.IndexFunc(issuers, func(i *issuer) bool { return i.name == r.issuer })
		if n < 0 {
			panic("resourceserver: FromIssuer names " + strconv.Quote(r.issuer) + ", whose tokens are not accepted here: it must be exactly a Config.Issuer")
		}
		for _, part := range r.rules {
			mustSuit(part, issuers[n:n+1])
		}
	}
}
