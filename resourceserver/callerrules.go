package resourceserver

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/svcauth/svcauth/internal/strictjson"
)

// Claim holds if the claim at path, each argument one whole name, is exactly the text value, or an array that contains it: Claim("gold", "plan"),
// Claim("/staff", "groups"). Other types than text never match. It panics if value or a name is empty, or without a path: an empty value would hold for whoever
// has the claim empty.
func Claim(value string, path ...string) Rule {
	if value == "" {
		panic("resourceserver: a claim rule with an empty value: name the value")
	}
	if len(path) == 0 || slices.Contains(path, "") {
		panic("resourceserver: a claim rule without a path: name the claim")
	}
	return claimRule{value, slices.Clone(path)}
}

type claimRule struct {
	value string
	path  []string
}

func (c claimRule) Check(_ *http.Request, p *Principal) error {
	var got []string
	if p != nil {
		if got = p.heldClaims().Strings(c.path...); slices.Contains(got, c.value) {
			return nil
		}
	}
	return refuse(ReasonRule).because(c.String(), "["+strings.Join(got, " ")+"]")
}

func (c claimRule) String() string {
	return "claim " + strings.Join(c.path, ".") + " " + strconv.Quote(c.value)
}

// Client holds for tokens that were issued to one of these clients (Principal.ClientID), whoever they speak for. Clients of two issuers may have one name:
// with several issuers wrap it in FromIssuer. It panics without ids, or if one is empty.
func Client(ids ...string) Rule {
	if len(ids) == 0 || slices.Contains(ids, "") {
		panic("resourceserver: a client rule without a client, or with an empty one: name each client")
	}
	return clientRule(slices.Clone(ids))
}

type clientRule []string

func (c clientRule) Check(_ *http.Request, p *Principal) error {
	got := ""
	if p != nil {
		if got = p.heldClient(); slices.Contains(c, got) {
			return nil
		}
	}
	return refuse(ReasonRule).because(c.String(), got)
}

func (c clientRule) String() string {
	if len(c) == 1 {
		return "client " + c[0]
	}
	return "any client of " + strings.Join(c, ", ")
}

// ServiceAccount holds for a service that calls in its own name: client_id says the same as azp, and nobody signed in (no sid, no auth_time). That is how
// Keycloak marks client credentials; a user name that looks like a service's proves nothing. A token with neither these marks nor those of Person passes
// neither rule.
func ServiceAccount() Rule { return kindRule("service account") }

// Person holds for tokens of somebody who signed in: they name the session (sid) or the time of it (auth_time). These are Keycloak's marks, as are those of
// ServiceAccount: other issuers write auth_time for services, too.
func Person() Rule { return kindRule("person") }

type kindRule string

func (k kindRule) Check(_ *http.Request, p *Principal) error {
	got := callerKind(p)
	if got == string(k) {
		return nil
	}
	return refuse(ReasonRule).because(k.String(), got)
}

func (k kindRule) String() string { return string(k) }

// callerKind is "person", "service account", or a word that is neither.
func callerKind(p *Principal) string {
	if p == nil {
		return "nobody"
	}
	claims := p.heldClaims()
	if claims.lookup("auth_time").Kind() == strictjson.KindNumber || claims.String("sid") != "" {
		return "person"
	}
	client := claims.String("client_id")
	if client != "" && client == claims.String("azp") && !claims.Has("sid") && !claims.Has("auth_time") {
		return "service account"
	}
	return "neither a person nor a service account"
}

// FromIssuer holds for tokens of exactly this issuer for which all rules hold; without rules, for all its tokens. Two issuers may give one name to two clients,
// subjects or roles, so with Config.Issuers a rule about one of them should say whose. It panics if issuer is empty or a rule nil, and Require panics if no
// issuer of the Authenticator has this name.
func FromIssuer(issuer string, rules ...Rule) Rule {
	if issuer == "" {
		panic("resourceserver: FromIssuer without an issuer: name it as in Config.Issuer")
	}
	if slices.Contains(rules, nil) {
		panic("resourceserver: FromIssuer with a nil rule")
	}
	return issuerRule{issuer, slices.Clone(rules)}
}

type issuerRule struct {
	issuer string
	rules  []Rule
}

func (i issuerRule) Check(r *http.Request, p *Principal) error {
	if p == nil || p.heldIssuer() != i.issuer {
		refused := refuse(ReasonRule).because(i.String(), "")
		if p != nil {
			refused.got = p.heldIssuer()
		}
		return refused
	}
	return allRule(i.rules).Check(r, p)
}

func (i issuerRule) String() string {
	if len(i.rules) == 0 {
		return "issuer " + i.issuer
	}
	return "issuer " + i.issuer + " with (" + joined(i.rules) + ")"
}
