package benchmarks

import (
	"context"
	"fmt"
	"time"
)

const (
	caseRotationRefused   = "200 good tokens by a new key: refused"
	caseRotationRequests  = "200 good tokens by a new key: requests for keys"
	caseRotationWithdrawn = "200 tokens by the withdrawn key, after that: accepted"
)

var rotationScenario = Scenario{
	Name:  "rotation",
	Title: "The issuer changes its keys",
	Note: "While a verifier runs, the issuer withdraws its key and signs with a new one. First come 200 tokens by the new key, one after the other, then as many by the " +
		"old one, which the verifier had accepted before. None of either should fare badly. Whoever fails here recovers at the next refresh, after minutes.",
	Run: func(ctx context.Context, l *Lab) ([]Result, error) {
		results := make([][]Result, 3)
		for _, peer := range Peers {
			three, err := rotation(ctx, peer, l.Crowd/5)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", peer.Name, err)
			}
			for n, r := range three {
				results[n] = append(results[n], r)
			}
		}
		return append(append(results[0], results[1]...), results[2]...), nil
	},
}

// rotation brings count tokens by each key. It has an issuer of its own, since the others go on with the keys they know.
func rotation(ctx context.Context, peer Peer, count int) ([3]Result, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var none [3]Result
	issuer, err := NewIssuer(EdDSA)
	if err != nil {
		return none, err
	}
	defer issuer.Close()
	mint := func() ([]string, error) {
		return issuer.mintMany(EdDSA, count, func(n int) Claims { return newClaims(issuer.Realm(realm), n) })
	}
	old, err := mint()
	if err != nil {
		return none, err
	}
	v, err := peer.New(ctx, Want{issuer.Realm(realm), audience, EdDSA})
	if err != nil {
		return none, err
	}
	if n := accepted(ctx, v, old); n < count {
		return none, fmt.Errorf("%d good tokens were refused", count-n)
	}
	if err := issuer.Rotate(); err != nil {
		return none, err
	}
	fresh, err := mint()
	if err != nil {
		return none, err
	}
	requests := issuer.KeyRequests()
	good := accepted(ctx, v, fresh)
	requests = issuer.KeyRequests() - requests
	return [3]Result{
		{Case: caseRotationRefused, Who: peer.Name, Value: float64(count - good), Unit: Tokens},
		{Case: caseRotationRequests, Who: peer.Name, Value: float64(requests), Unit: Requests},
		{Case: caseRotationWithdrawn, Who: peer.Name, Value: float64(accepted(ctx, v, old)), Unit: Tokens},
	}, nil
}

// accepted counts the tokens that v accepts, each within a second.
func accepted(ctx context.Context, v Verifier, tokens []string) (count int) {
	for _, token := range tokens {
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		if _, err := v.Verify(ctx, token); err == nil {
			count++
		}
		cancel()
	}
	return count
}
