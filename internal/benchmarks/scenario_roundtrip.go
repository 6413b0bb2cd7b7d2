package benchmarks

import (
	"context"
	"net/http"
)

const caseRoundTrip = "round trip with a token at hand"

var roundTripScenario = Scenario{
	Name:  "roundtrip",
	Title: "Put the token on a request",
	Note:  "A round trip of a request with four header fields over a base that answers at once. What the base takes is taken off.",
	Run: func(ctx context.Context, l *Lab) ([]Result, error) {
		endpoint := newTokenEndpoint(0, false)
		defer endpoint.close()
		request, err := newRequest(ctx, "")
		if err != nil {
			return nil, err
		}
		request.Header.Del("Authorization")
		request.Header.Set("X-Request-Id", "3c6a2b1f6f5a")
		base := &noNetwork{http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody}}

		under := roundTrips("base", base, request)
		contenders := []*contender{under}
		for _, peer := range TokenPeers {
			client, err := peer.New(ctx, endpoint.server.URL)
			if err != nil {
				return nil, err
			}
			contenders = append(contenders, roundTrips(peer.Name, client.Transport(base), request))
		}
		s, err := compare(ctx, l.Options, contenders...)
		if err != nil {
			return nil, err
		}
		floor := Result{Time: s.time(under.name)}
		if err := floor.count(under, l.Counted); err != nil {
			return nil, err
		}
		var all []Result
		for _, c := range contenders[1:] {
			r := Result{Case: caseRoundTrip, Who: c.name, Value: s.ratio(c.name, contenders[1].name), Unit: TimesSvcauth, Time: s.time(c.name)}
			if err := r.count(c, l.Counted); err != nil {
				return nil, err
			}
			r.less(floor)
			all = append(all, r)
		}
		return all, nil
	},
}

// noNetwork is a RoundTripper that has the answer at hand.
type noNetwork struct{ answer http.Response }

// RoundTrip implements http.RoundTripper.
func (n *noNetwork) RoundTrip(*http.Request) (*http.Response, error) { return &n.answer, nil }

func roundTrips(name string, transport http.RoundTripper, request *http.Request) *contender {
	return serial(name, func(int) error {
		answer, err := transport.RoundTrip(request)
		if err != nil {
			return err
		}
		return answer.Body.Close()
	})
}
