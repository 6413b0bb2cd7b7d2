package benchmarks

import (
	"context"
	"runtime"
)

const (
	caseTokenSerial   = "token at hand, one goroutine"
	caseTokenParallel = "token at hand, on all cores"
	caseToken400      = "token at hand, 400 goroutines"
)

var tokenScenario = Scenario{
	Name:  "token",
	Title: "Get a token that is at hand",
	Note: "What every outgoing call does first. It is about as much as reading the clock, which no user feels; what counts is that callers don't wait for each other. " +
		"In parallel the time is that on the clock, against the same contender's with one goroutine.",
	Run: func(ctx context.Context, l *Lab) ([]Result, error) {
		endpoint := newTokenEndpoint(0, false)
		defer endpoint.close()
		var contenders, alones []*contender
		for _, peer := range TokenPeers {
			client, err := peer.New(ctx, endpoint.server.URL)
			if err != nil {
				return nil, err
			}
			one := func(int, int) error { return client.Token(ctx) }
			alones = append(alones, serial(peer.Name, func(int) error { return client.Token(ctx) })) // starts no goroutine that would be counted
			contenders = append(contenders,
				parallel(peer.Name, 1, one),
				parallel(peer.Name+" on all cores", runtime.GOMAXPROCS(0), one),
				parallel(peer.Name+" 400", 400, one))
		}
		s, err := compare(ctx, l.Options, contenders...)
		if err != nil {
			return nil, err
		}
		var all []Result
		for n, peer := range TokenPeers {
			alone := contenders[3*n]
			r := Result{Case: caseTokenSerial, Who: peer.Name, Value: s.ratio(alone.name, contenders[0].name), Unit: TimesSvcauth, Time: s.time(alone.name)}
			if err := r.count(alones[n], l.Counted); err != nil {
				return nil, err
			}
			all = append(all, r)
			for k, name := range []string{caseTokenParallel, caseToken400} {
				together := contenders[3*n+1+k].name
				all = append(all, Result{Case: name, Who: peer.Name, Value: s.ratio(together, alone.name), Unit: TimesSerial, Time: s.time(together)})
			}
		}
		return all, nil
	},
}
