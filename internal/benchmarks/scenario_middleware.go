package benchmarks

import (
	"context"
	"fmt"
	"net/http"
)

const (
	caseMiddlewareNew      = "middleware, new token, RS256"
	caseMiddlewareRepeated = "middleware, same token again, RS256"
)

var middlewareScenario = Scenario{
	Name:  "middleware",
	Title: "Middleware",
	Note: "From a request with four header fields to a handler that can get at the caller, without the network. What the bare handler takes is taken off, so the " +
		"numbers are what the middleware adds.",
	Run: func(ctx context.Context, l *Lab) ([]Result, error) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		tokens, err := l.distinct(RS256)
		if err != nil {
			return nil, err
		}
		requests := make([]*http.Request, len(tokens))
		for n, token := range tokens {
			if requests[n], err = newRequest(ctx, token); err != nil {
				return nil, err
			}
		}
		verifiers, err := peers(ctx, l.want(RS256))
		if err != nil {
			return nil, err
		}
		floor, err := l.floor(RS256, tokens)
		if err != nil {
			return nil, err
		}
		bare := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
		under := serving("bare handler", bare, requests)
		contenders := []*contender{floor, under}
		for _, v := range verifiers {
			fresh := serving(v.Name+" new", v.Middleware(bare), requests)
			fresh.before, fresh.limit = v.Forget, len(requests)
			again := serving(v.Name+" again", v.Middleware(bare), requests[:1])
			contenders = append(contenders, fresh, again)
		}
		s, err := compare(ctx, l.Options, contenders...)
		if err != nil {
			return nil, err
		}
		base := Result{Time: s.time(under.name)}
		if err := base.count(under, l.Counted); err != nil {
			return nil, err
		}
		var results []Result
		for n, name := range []string{caseMiddlewareNew, caseMiddlewareRepeated} {
			for k, v := range verifiers {
				c := contenders[2+2*k+n]
				r := Result{Case: name, Who: v.Name, Value: s.over(c.name, under.name, floor.name), Unit: TimesRS256, Time: s.time(c.name)}
				if err := r.count(c, l.Counted); err != nil {
					return nil, err
				}
				r.less(base)
				results = append(results, r)
			}
		}
		return results, nil
	},
}

func newRequest(ctx context.Context, token string) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost:8181/api/me", http.NoBody)
	if err != nil {
		return nil, err
	}
	r.Header = http.Header{
		"Authorization": {"Bearer " + token}, "Accept": {"application/json"}, "User-Agent": {"archival-service/1.0"},
		"Traceparent": {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
	}
	return r, nil
}

// serving has a handler answer the requests in turn.
func serving(name string, handler http.Handler, requests []*http.Request) *contender {
	w := &status{header: http.Header{}}
	return serial(name, func(i int) error {
		w.code = 0
		handler.ServeHTTP(w, requests[i%len(requests)])
		if w.code != http.StatusNoContent {
			return fmt.Errorf("answered %d", w.code)
		}
		return nil
	})
}

// status is a ResponseWriter that keeps nothing but the status.
type status struct {
	header http.Header
	code   int
}

func (s *status) Header() http.Header            { return s.header }
func (s *status) WriteHeader(code int)           { s.code = code }
func (s *status) Write(data []byte) (int, error) { return len(data), nil }
