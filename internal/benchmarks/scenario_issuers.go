package benchmarks

import (
	"context"
	"fmt"

	"github.com/svcauth/svcauth/keycloak"
	"github.com/svcauth/svcauth/resourceserver"
)

const (
	caseIssuersNew      = "verify a new token of one of 50 issuers"
	caseIssuersRepeated = "verify again a token of one of 50 issuers"
)

var verifyIssuers = Scenario{
	Name:  "issuers",
	Title: "Fifty issuers against one",
	Note:  "A service of many tenants accepts fifty issuers, each with keys of its own. The peers verify the tokens of one issuer, or leave the choice to the service.",
	Run: func(ctx context.Context, l *Lab) ([]Result, error) {
		const count = 50
		realms := make([]resourceserver.Config, count)
		for n := range realms {
			realms[n] = resourceserver.Config{Issuer: l.issuer.Realm(fmt.Sprintf("tenant-%02d", n)), Audiences: []string{audience}, Roles: keycloak.RealmRoles}
		}
		many, err := svcauthWith(ctx, l.want(EdDSA), func(c *resourceserver.Config) {
			*c = resourceserver.Config{Issuers: realms, Logger: c.Logger}
		})
		if err != nil {
			return nil, err
		}
		many.Name = "fifty"
		one, err := newSvcauth(ctx, l.want(EdDSA))
		if err != nil {
			return nil, err
		}
		ofOne, err := l.distinct(EdDSA)
		if err != nil {
			return nil, err
		}
		ofMany, err := l.issuer.mintMany(EdDSA, l.Pool, func(n int) Claims { return newClaims(realms[n%count].Issuer, n) })
		if err != nil {
			return nil, err
		}

		var all []Result
		for _, c := range []struct {
			name   string
			tokens int
			fresh  bool
		}{{caseIssuersNew, l.Pool, true}, {caseIssuersRepeated, min(count, l.Pool), false}} {
			results, err := l.measure(ctx, c.name, TimesOneIssuer, []*contender{
				verifying(ctx, one, ofOne[:c.tokens], c.fresh), verifying(ctx, many, ofMany[:c.tokens], c.fresh),
			})
			if err != nil {
				return nil, err
			}
			results[1].Who = Peers[0].Name
			all = append(all, results[1])
		}
		return all, nil
	},
}
