package benchmarks

import (
	"context"
	"fmt"
	"slices"
	"time"
)

const (
	caseColdCallers  = "1,000 callers at once, no token yet: token requests"
	caseWaiters      = "100 callers with a deadline of 5 ms: back how late"
	caseFailing      = "40 callers at once, the endpoint fails: token requests"
	caseFailingLast  = "40 callers at once, the endpoint fails: the last one is back after"
	caseColdVerifies = "1,000 requests at once, no keys yet: requests for keys"
)

// stampedeDelay is how long the token endpoint takes.
const stampedeDelay = 50 * time.Millisecond

var stampedeScenario = Scenario{
	Name:  "stampede",
	Title: "All callers at once",
	Note:  "The token endpoint takes 50 ms for each answer. The deadline of those 40 is 100 ms. x/oauth2 takes no context, so its callers can't leave.",
	Run: func(ctx context.Context, l *Lab) ([]Result, error) {
		var all []Result
		for _, peer := range TokenPeers {
			results, err := l.stampede(ctx, peer)
			if err != nil {
				return nil, err
			}
			all = append(all, results...)
		}
		slices.SortStableFunc(all, func(a, b Result) int {
			return slices.Index(stampedeCases, a.Case) - slices.Index(stampedeCases, b.Case)
		})
		for _, peer := range Peers {
			r, err := l.stampedeForKeys(ctx, peer)
			if err != nil {
				return nil, err
			}
			all = append(all, r)
		}
		return all, nil
	},
}

var stampedeCases = []string{caseColdCallers, caseWaiters, caseFailing, caseFailingLast}

func (l *Lab) stampede(ctx context.Context, peer TokenPeer) ([]Result, error) {
	well := newTokenEndpoint(stampedeDelay, false)
	defer well.close()
	client, err := peer.New(ctx, well.server.URL)
	if err != nil {
		return nil, err
	}
	waits, failed := crowd(ctx, l.Crowd, 10*time.Second, client.Token)
	if failed > 0 {
		return nil, fmt.Errorf("%s: %d callers got no token", peer.Name, failed)
	}
	all := []Result{{Case: caseColdCallers, Who: peer.Name, Value: float64(well.requests.Load()), Unit: Requests, Time: slices.Max(waits)}}

	const deadline = 5 * time.Millisecond
	if client, err = peer.New(ctx, well.server.URL); err != nil {
		return nil, err
	}
	waits, _ = crowd(ctx, 100, deadline, client.Token)
	all = append(all, Result{Case: caseWaiters, Who: peer.Name, Value: milliseconds(waits) - milliseconds([]time.Duration{deadline}), Unit: Milliseconds})

	failing := newTokenEndpoint(stampedeDelay, true)
	defer failing.close()
	if client, err = peer.New(ctx, failing.server.URL); err != nil {
		return nil, err
	}
	if waits, failed = crowd(ctx, 40, 2*stampedeDelay, client.Token); failed < len(waits) {
		return nil, fmt.Errorf("%s: a caller got a token from an endpoint that fails", peer.Name)
	}
	return append(all,
		Result{Case: caseFailing, Who: peer.Name, Value: float64(failing.requests.Load()), Unit: Requests},
		Result{Case: caseFailingLast, Who: peer.Name, Value: float64(slices.Max(waits)) / float64(time.Millisecond), Unit: Milliseconds}), nil
}

// stampedeForKeys counts what setting up a verifier and its first thousand requests ask of the issuer.
func (l *Lab) stampedeForKeys(ctx context.Context, peer Peer) (Result, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	token, err := l.issuer.Mint(EdDSA, newClaims(l.issuer.Realm(realm), 1))
	if err != nil {
		return Result{}, err
	}
	before := l.issuer.KeyRequests()
	v, err := peer.New(ctx, l.want(EdDSA))
	if err != nil {
		return Result{}, err
	}
	_, failed := crowd(ctx, l.Crowd, 10*time.Second, func(ctx context.Context) error {
		_, err := v.Verify(ctx, token)
		return err
	})
	if failed > 0 {
		return Result{}, fmt.Errorf("%s: %d good tokens were refused", peer.Name, failed)
	}
	return Result{Case: caseColdVerifies, Who: peer.Name, Value: float64(l.issuer.KeyRequests() - before), Unit: Requests}, nil
}
