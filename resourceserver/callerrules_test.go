package resourceserver_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	rs "github.com/svcauth/svcauth/resourceserver"
)

func TestRulesAboutTheCaller(t *testing.T) {
	auth := newAuth(t, newFakeIssuer(keyFor("EdDSA")).config())
	service := claims{"azp": "archival-service", "client_id": "archival-service", "preferred_username": "service-account-archival-service"}
	person := claims{"azp": "messages-webapp", "sid": "5e55", "auth_time": 1_700_000_000}
	with := func(base, change claims) claims {
		all := claims{}
		for _, c := range []claims{base, change} {
			for name, value := range c {
				all[name] = value
			}
		}
		return all
	}
	for _, c := range []struct {
		name  string
		rule  rs.Rule
		token claims
		holds bool
	}{
		{"a service is a service account", rs.ServiceAccount(), service, true},
		{"a service is no person", rs.Person(), service, false},
		{"a person is a person", rs.Person(), person, true},
		{"a person is no service account", rs.ServiceAccount(), person, false},
		{"sid alone makes a person", rs.Person(), claims{"sid": "x"}, true},
		{"auth_time alone makes a person", rs.Person(), claims{"auth_time": 5}, true},
		{"an empty sid does not", rs.Person(), claims{"sid": ""}, false},
		{"a null sid does not", rs.Person(), claims{"sid": nil}, false},
		{"auth_time as text does not", rs.Person(), claims{"auth_time": "5"}, false},
		{"a person with a client_id is a person", rs.Person(), with(service, claims{"sid": "x"}), true},
		{"a person with a client_id is no service account", rs.ServiceAccount(), with(service, claims{"sid": "x"}), false},
		{"a null sid makes no service account", rs.ServiceAccount(), with(service, claims{"sid": nil}), false},
		{"an odd auth_time makes no service account", rs.ServiceAccount(), with(service, claims{"auth_time": "x"}), false},
		{"a user named like a service is none", rs.ServiceAccount(), claims{"preferred_username": "service-account-archival-service"}, false},
		{"client_id that is not azp", rs.ServiceAccount(), with(service, claims{"client_id": "another"}), false},
		{"client_id without azp", rs.ServiceAccount(), with(service, claims{"azp": absent}), false},
		{"empty client_id and azp", rs.ServiceAccount(), claims{"azp": "", "client_id": ""}, false},

		{"the client", rs.Client("archival-service"), service, true},
		{"one of the clients", rs.Client("x", "archival-service"), service, true},
		{"another client", rs.Client("messages-webapp"), service, false},
		{"a client in another case", rs.Client("Archival-Service"), service, false},
		{"the client by client_id alone", rs.Client("archival-service"), with(service, claims{"azp": absent}), true},
		{"azp goes before client_id", rs.Client("archival-service"), with(service, claims{"azp": "another"}), false},
		{"no client at all", rs.Client("archival-service"), claims{"azp": absent}, false},

		{"a claim that is equal", rs.Claim("gold", "plan"), claims{"plan": "gold"}, true},
		{"a claim that contains it", rs.Claim("/staff", "groups"), claims{"groups": []any{1, "/x", "/staff"}}, true},
		{"a claim further down", rs.Claim("a", "tenant", "id.x"), claims{"tenant": claims{"id.x": "a"}}, true},
		{"a claim that only begins so", rs.Claim("gold", "plan"), claims{"plan": "golden"}, false},
		{"a claim with it among words", rs.Claim("gold", "plan"), claims{"plan": "gold silver"}, false},
		{"a claim in another case", rs.Claim("gold", "plan"), claims{"Plan": "gold"}, false},
		{"a number", rs.Claim("5", "plan"), claims{"plan": 5}, false},
		{"a boolean", rs.Claim("true", "plan"), claims{"plan": true}, false},
		{"an object", rs.Claim("gold", "plan"), claims{"plan": claims{"gold": true}}, false},
		{"no such claim", rs.Claim("gold", "plan"), claims{}, false},

		{"the issuer", rs.FromIssuer(issuerName), claims{}, true},
		{"the issuer and a rule", rs.FromIssuer(issuerName, rs.Client("archival-service")), service, true},
		{"the issuer, but not the rule", rs.FromIssuer(issuerName, rs.Role("ADMIN"), rs.Client("x")), service, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			token := sign(keyFor("EdDSA"), nil, good(c.token))
			status := 403
			if c.holds {
				status = 200
			}
			assert.Equal(t, status, get(auth.Require(c.rule)(ok), "Bearer "+token).Code)
			p, err := auth.Verify(t.Context(), token)
			require.NoError(t, err)
			p.Issuer, p.ClientID, p.Claims = "x", "x", rs.NewClaims(nil)
			assert.Equal(t, c.holds, c.rule.Check(nil, p) == nil, "what is written to the fields changes nothing")
			assert.Error(t, c.rule.Check(nil, nil), "nobody passes no rule")
		})
	}
}

func TestRulesReadLiterals(t *testing.T) {
	p := &rs.Principal{Issuer: "i", ClientID: "c", Claims: rs.NewClaims(map[string]any{"sid": "s", "plan": "gold"})}
	for _, rule := range []rs.Rule{rs.FromIssuer("i"), rs.Client("c"), rs.Person(), rs.Claim("gold", "plan")} {
		assert.NoError(t, rule.Check(nil, p), rule.String())
	}
	assert.Error(t, rs.FromIssuer("j").Check(nil, p))
}

func TestRulesAboutTheCallerPrintThemselves(t *testing.T) {
	for text, rule := range map[string]rs.Rule{
		`claim plan "gold"`:       rs.Claim("gold", "plan"),
		`claim tenant.id "a"`:     rs.Claim("a", "tenant", "id"),
		"client a":                rs.Client("a"),
		"any client of a, b":      rs.Client("a", "b"),
		"service account":         rs.ServiceAccount(),
		"person":                  rs.Person(),
		"issuer https://x":        rs.FromIssuer("https://x"),
		"issuer i with (role A)":  rs.FromIssuer("i", rs.Role("A")),
		"issuer i with (a; b)":    rs.FromIssuer("i", named("a"), named("b")),
		"any of (person; role A)": rs.Any(rs.Person(), rs.Role("A")),
	} {
		assert.Equal(t, text, rule.String())
	}
}

func named(name string) rs.Rule {
	return rs.RuleFunc(name, func(*http.Request, *rs.Principal) bool { return false })
}

// TestFromIssuerTellsIssuersApart holds that the same client name of another issuer is another client.
func TestFromIssuerTellsIssuersApart(t *testing.T) {
	const second = "https://issuer.test/realms/second"
	f := newFakeIssuer(keyFor("EdDSA"))
	auth := newAuth(t, rs.Config{HTTPClient: f.config().HTTPClient, Logger: discard, Issuers: []rs.Config{
		{Issuer: issuerName, Audiences: []string{audience}, JWKSURL: "https://issuer.test" + certsPath},
		{Issuer: second, Audiences: []string{audience}, JWKSURL: "https://issuer.test" + certsPath, Roles: rs.RolesFromClaim("roles")},
	}})
	h := auth.Require(rs.FromIssuer(issuerName, rs.Client("archival-service")))(ok)
	assert.Equal(t, 200, get(h, "Bearer "+goodToken()).Code)
	assert.Equal(t, 403, get(h, "Bearer "+sign(keyFor("EdDSA"), nil, good(claims{"iss": second}))).Code)

	assert.NotPanics(t, func() { auth.Require(rs.FromIssuer(second, rs.Role("ADMIN"))) })
	for name, mistake := range map[string]func(){
		"an issuer that is not configured":       func() { auth.Require(rs.FromIssuer("https://issuer.test")) },
		"the same, deep":                         func() { auth.NewMux().Handle("/", ok, rs.Any(rs.Person(), rs.All(rs.FromIssuer("x")))) },
		"a role of an issuer that maps none":     func() { auth.Require(rs.FromIssuer(issuerName, rs.Role("ADMIN"))) },
		"one issuer within another's rule":       func() { auth.Require(rs.FromIssuer(issuerName, rs.FromIssuer(second))) },
		"no issuer":                              func() { rs.FromIssuer("") },
		"a nil rule":                             func() { rs.FromIssuer(issuerName, nil) },
		"no client":                              func() { rs.Client() },
		"an empty client":                        func() { rs.Client("a", "") },
		"a claim with an empty value":            func() { rs.Claim("", "plan") },
		"a claim without a path":                 func() { rs.Claim("gold") },
		"a claim with an empty name in its path": func() { rs.Claim("gold", "tenant", "") },
	} {
		t.Run(name, func(t *testing.T) { assert.Panics(t, mistake) })
	}
}
