package benchmarks

import (
	"context"
	"math/rand/v2"
	"slices"

	"github.com/svcauth/svcauth/resourceserver"
)

const (
	caseMany        = "verify again one of 10,000 tokens, in any order"
	caseManyDefault = "verify again one of 10,000 tokens, with the default CacheBytes"
)

// manyBytes is room enough for all of them.
const manyBytes = 256 << 20

var verifyMany = Scenario{
	Name:  "many",
	Title: "Verify one of 10,000 tokens again",
	Note: "The tokens come in an order without a pattern, so neither they nor what is remembered of them are in the processor's caches. The default CacheBytes is " +
		"smaller than what Keycloak's tokens take by the thousand; there a part of them is verified anew, here with EdDSA.",
	Run: func(ctx context.Context, l *Lab) ([]Result, error) {
		one, err := l.distinct(RS256)
		if err != nil {
			return nil, err
		}
		floor, err := l.floor(RS256, one[:1])
		if err != nil {
			return nil, err
		}
		tokens, err := l.many()
		if err != nil {
			return nil, err
		}
		tokens = slices.Clone(tokens)
		rand.Shuffle(len(tokens), func(a, b int) { tokens[a], tokens[b] = tokens[b], tokens[a] })
		contenders := []*contender{floor}
		for name, bytes := range map[string]int{caseMany: manyBytes, caseManyDefault: 0} {
			v, err := svcauthWith(ctx, l.want(EdDSA), func(c *resourceserver.Config) { c.CacheBytes = bytes })
			if err != nil {
				return nil, err
			}
			v.Name = name
			c := verifying(ctx, v, tokens, false)
			if _, err := c.slice(len(tokens)); err != nil {
				return nil, err
			}
			contenders = append(contenders, c)
		}
		results, err := l.measure(ctx, caseMany, TimesRS256, contenders)
		if err != nil {
			return nil, err
		}
		for n := range results {
			if r := &results[n]; r.Who != rawName {
				r.Case, r.Who = r.Who, Peers[0].Name
			}
		}
		return results[1:], nil
	},
}
