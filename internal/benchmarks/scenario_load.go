package benchmarks

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"
)

const (
	caseLoadRequests = "service under load: requests per second"
	caseLoadCPU      = "service under load: processor time of a request"
)

// loadConnections is how many callers there are, each with a token of its own and a connection that stays.
const loadConnections = 16

var loadScenario = Scenario{
	Name:  "load",
	Title: "A service under load",
	Note: "The built program `messages-service` of the examples answers GET /api/me over loopback HTTP to 16 callers with a token each, RS256. Beside it run the same " +
		"service without authentication, and with go-oidc. The callers run on the same cores and take a part of them, the same for all three; the processor time is the " +
		"service's alone.",
	Run: func(ctx context.Context, l *Lab) (results []Result, err error) {
		folder, err := os.MkdirTemp("", "benchmarks")
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
		if err := build(ctx, folder); err != nil {
			return nil, err
		}
		tokens, err := l.distinct(RS256)
		if err != nil {
			return nil, err
		}
		issuer := l.issuer.Realm(realm)
		var services []*service
		defer func() {
			for _, s := range services {
				_, failed := s.close()
				err = errors.Join(err, failed)
			}
		}()
		for _, s := range []*service{
			{name: "bare handler", program: "service", args: []string{"-auth", "none"}, anybody: true},
			{name: "svcauth", program: "messages-service", args: []string{"-issuer", issuer}},
			{name: "go-oidc", program: "service", args: []string{"-auth", "go-oidc", "-issuer", issuer}},
		} {
			services = append(services, s)
			if err := s.open(ctx, folder, tokens); err != nil {
				return nil, err
			}
		}
		return l.load(ctx, services)
	},
}

// service is a program under load.
type service struct {
	name, program string
	args          []string
	anybody       bool // gets in

	running     *program
	connections []*connection
	requests    atomic.Int64
}

func (s *service) open(ctx context.Context, folder string, tokens []string) (err error) {
	if s.running, err = start(ctx, folder, s.program, s.args...); err != nil {
		return err
	}
	for n := range loadConnections {
		c, err := dial(ctx, s.running.addr, "/api/me", tokens[n])
		if err != nil {
			return err
		}
		s.connections = append(s.connections, c)
	}
	if s.anybody {
		return nil
	}
	forged, err := dial(ctx, s.running.addr, "/api/me", tokens[0][:len(tokens[0])-8]+"AAAAAAAA")
	if err != nil {
		return err
	}
	s.connections = append(s.connections, forged)
	if forged.roundTrip() == nil {
		return fmt.Errorf("%s lets in whoever has a forged token", s.name)
	}
	return nil
}

// close returns the processor time that the program has had. A second call does nothing.
func (s *service) close() (cpu time.Duration, err error) {
	for _, c := range s.connections {
		_ = c.conn.Close() // the answers are read already
	}
	if s.running != nil {
		cpu, err = s.running.stop()
		s.running = nil
	}
	return cpu, err
}

func (l *Lab) load(ctx context.Context, services []*service) ([]Result, error) {
	var contenders []*contender
	for _, s := range services {
		contenders = append(contenders, parallel(s.name, loadConnections, func(worker, _ int) error {
			s.requests.Add(1)
			return s.connections[worker].roundTrip()
		}))
	}
	o := l.Options
	o.Slice *= 4 // sixteen callers need longer to get going
	samples, err := compare(ctx, o, contenders...)
	if err != nil {
		return nil, err
	}
	var requests, cpu []Result
	for _, s := range services {
		bare := services[0].name
		requests = append(requests, Result{Case: caseLoadRequests, Who: s.name, Value: 1 / samples.ratio(s.name, bare), Unit: TimesBareHandler, Time: samples.time(s.name)})
		took, err := s.close()
		if err != nil {
			return nil, err
		}
		each := took / time.Duration(s.requests.Load())
		r := Result{Case: caseLoadCPU, Who: s.name, Value: 1, Unit: TimesBareHandler, Time: each}
		if len(cpu) > 0 {
			r.Value = float64(each) / float64(cpu[0].Time)
		}
		cpu = append(cpu, r)
	}
	return append(requests, cpu...), nil
}
