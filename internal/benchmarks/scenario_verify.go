package benchmarks

import (
	"context"

	"github.com/svcauth/svcauth/resourceserver"
)

func caseNew(algorithm string) string { return "verify a new token, " + algorithm }

var verifyNew = Scenario{
	Name:  "verify",
	Title: "Verify a token that has not been seen before",
	Note: "Each token is another one, of 1.9 kB in RS256, and whoever remembers tokens pays for remembering it. The peers remember none. " +
		"*Cache full* is a service with more callers than it remembers: each new token pushes out another.",
	Run: func(ctx context.Context, l *Lab) ([]Result, error) {
		var all []Result
		for _, algorithm := range Algorithms {
			results, err := l.verifyNew(ctx, algorithm)
			if err != nil {
				return nil, err
			}
			all = append(all, results...)
		}
		return all, nil
	},
}

func (l *Lab) verifyNew(ctx context.Context, algorithm string) ([]Result, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	tokens, err := l.distinct(algorithm)
	if err != nil {
		return nil, err
	}
	floor, err := l.floor(algorithm, tokens)
	if err != nil {
		return nil, err
	}
	contenders := []*contender{floor}
	verifiers, err := peers(ctx, l.want(algorithm))
	if err != nil {
		return nil, err
	}
	for _, v := range verifiers {
		contenders = append(contenders, verifying(ctx, v, tokens, true))
	}

	off, err := svcauthWith(ctx, l.want(algorithm), func(c *resourceserver.Config) { c.DisableCache = true })
	if err != nil {
		return nil, err
	}
	off.Name = "svcauth, cache off"
	full, err := svcauthWith(ctx, l.want(algorithm), func(c *resourceserver.Config) { c.CacheTokens = len(tokens) / 4 })
	if err != nil {
		return nil, err
	}
	full.Name, full.Forget = "svcauth, cache full", nil // the pool comes around only after the tokens are pushed out
	contenders = append(contenders, verifying(ctx, off, tokens, true), verifying(ctx, full, tokens, true))
	return l.measure(ctx, caseNew(algorithm), TimesSignature, contenders)
}
