package benchmarks

import (
	"context"
	"fmt"
	"time"
)

// Options bound what a run costs.
type Options struct {
	Slice   time.Duration // how long a contender runs before the next one does
	Rounds  int           // how often each of them gets a slice
	Counted int           // operations over which allocations are counted
	Pool    int           // new tokens that there are for a slice
	Many    int           // tokens where there are many
	Crowd   int           // callers where they come all at once
}

// The sizes of a run: about two minutes, about twenty seconds.
var (
	Full  = Options{Slice: 25 * time.Millisecond, Rounds: 41, Counted: 200, Pool: 1024, Many: 10_000, Crowd: 1000}
	Quick = Options{Slice: 8 * time.Millisecond, Rounds: 7, Counted: 100, Pool: 256, Many: 10_000, Crowd: 1000}
)

// Scenario is one question, and how it is answered.
type Scenario struct {
	Name  string
	Title string
	Note  string // how to read the results; markdown
	Run   func(context.Context, *Lab) ([]Result, error)
}

// Scenarios are all of them.
var Scenarios = []Scenario{
	verifyNew, verifyRepeated, verifyMany, verifyLarge, verifyIssuers, middlewareScenario, memoryScenario,
	tokenScenario, roundTripScenario, stampedeScenario, rotationScenario, expiryScenario, loadScenario,
}

// Lab is what the scenarios of a run share: an issuer and its tokens.
type Lab struct {
	Options
	issuer *Issuer
	tokens map[string][]string
}

// NewLab starts the issuer. Close it after the run.
func NewLab(o Options) (*Lab, error) {
	issuer, err := NewIssuer(Algorithms...)
	if err != nil {
		return nil, err
	}
	return newLab(o, issuer), nil
}

func newLab(o Options, issuer *Issuer) *Lab {
	return &Lab{Options: o, issuer: issuer, tokens: map[string][]string{}}
}

// Close stops the issuer.
func (l *Lab) Close() { l.issuer.Close() }

func (l *Lab) want(algorithm string) Want {
	return Want{Issuer: l.issuer.Realm(realm), Audience: audience, Algorithm: algorithm}
}

// distinct returns as many tokens as there are for a slice, each of another account.
func (l *Lab) distinct(algorithm string) ([]string, error) {
	return l.keep(algorithm, func() ([]string, error) { return l.mint(algorithm, l.Pool) })
}

// many returns the tokens where there are many.
func (l *Lab) many() ([]string, error) {
	return l.keep("many", func() ([]string, error) { return l.mint(EdDSA, l.Many) })
}

// keep makes tokens when they are first asked for.
func (l *Lab) keep(name string, mint func() ([]string, error)) ([]string, error) {
	if tokens, ok := l.tokens[name]; ok {
		return tokens, nil
	}
	tokens, err := mint()
	if err == nil {
		l.tokens[name] = tokens
	}
	return tokens, err
}

func (l *Lab) mint(algorithm string, count int) ([]string, error) {
	return l.issuer.mintMany(algorithm, count, func(n int) Claims { return newClaims(l.issuer.Realm(realm), n) })
}

// floor is the bare signature check over tokens.
func (l *Lab) floor(algorithm string, tokens []string) (*contender, error) {
	raw, err := newRaw(l.issuer, algorithm)
	if err != nil {
		return nil, err
	}
	parts, err := takeApart(tokens)
	if err != nil {
		return nil, err
	}
	return serial(rawName, func(i int) error { return raw(parts[i%len(parts)]) }), nil
}

// verifying verifies tokens one after the other. With fresh, none of them is remembered from the slice before.
func verifying(ctx context.Context, v Verifier, tokens []string, fresh bool) *contender {
	c := serial(v.Name, func(i int) error {
		_, err := v.Verify(ctx, tokens[i%len(tokens)])
		return err
	})
	if fresh {
		c.before, c.limit = v.Forget, len(tokens)
	}
	return c
}

// peers sets up all of them.
func peers(ctx context.Context, want Want) ([]Verifier, error) {
	all := make([]Verifier, 0, len(Peers))
	for _, peer := range Peers {
		v, err := peer.New(ctx, want)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", peer.Name, err)
		}
		all = append(all, v)
	}
	return all, nil
}
