package benchmarks

import (
	"context"
	"fmt"
	"time"

	"github.com/svcauth/svcauth/resourceserver"
)

const caseExpiry = "a remembered token, asked for every millisecond: accepted past its end"

var expiryScenario = Scenario{
	Name:  "expiry",
	Title: "A remembered token expires",
	Note:  "With the leeway off, so that the end is the one in the token. Remembering a token must not lengthen its life.",
	Run: func(ctx context.Context, l *Lab) ([]Result, error) {
		v, err := svcauthWith(ctx, l.want(EdDSA), func(c *resourceserver.Config) { c.Leeway = -1 })
		if err != nil {
			return nil, err
		}
		claims := newClaims(l.issuer.Realm(realm), 1)
		end := time.Now().Add(1200 * time.Millisecond).Truncate(time.Second).Add(time.Second)
		claims.Expiry = end.Unix()
		token, err := l.issuer.Mint(EdDSA, claims)
		if err != nil {
			return nil, err
		}
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		late := 0
		for ; ; <-tick.C {
			start := time.Now()
			_, err := v.Verify(ctx, token)
			switch {
			case err != nil && time.Now().Before(end):
				return nil, fmt.Errorf("a good token was refused: %w", err)
			case err == nil && !start.Before(end):
				late++
			}
			if start.After(end.Add(200 * time.Millisecond)) {
				return []Result{{Case: caseExpiry, Who: Peers[0].Name, Value: float64(late), Unit: Requests}}, nil
			}
		}
	},
}
