package clientcreds

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/oauth2"

	"github.com/svcauth/svcauth/internal/flight"
)

// held is a token and the transport's own copies of its text. It is immutable, but for what a caller does to token against its contract.
type held struct {
	token    *oauth2.Token
	value    string   // the access token
	header   string   // the Authorization field
	granted  []string // scopes; nil: as asked for
	sent     time.Time
	lifetime time.Duration
	end      time.Time // as the issuer or the token itself says; zero: neither does
	serial   uint64    // counts the tokens of a source from 1
}

// cache keeps one source's token.
type cache struct {
	source *Source
	flight *flight.Flight[*held]
	state  atomic.Pointer[snapshot] // never nil

	mu   sync.Mutex // guards writes of state
	asks asks
}

func newCache(s *Source) *cache {
	c := &cache{source: s}
	c.state.Store(&snapshot{})
	// Discovery (two places), the token request, and one more with a credential that was read again.
	c.flight = flight.New(s.client.deadline(4), c.attempt)
	return c
}

// Token is [Source.TokenContext] without a context of the caller's: it may wait as long as a fetch may take. With it a Source is an [oauth2.TokenSource] for
// libraries that want one. For requests of your own take [Source.Client]: [oauth2.NewClient] sends the token along redirects to whatever host they lead to,
// knows no Origins, never hears of a 401, so that a refused token stays until it ends, and sends nothing again; and the copy of the token that
// [oauth2.ReuseTokenSource] keeps is not replaced ahead of its end.
func (s *Source) Token() (*oauth2.Token, error) { return s.TokenContext(context.Background()) }

// TokenContext returns a valid token. While one is at hand it does not wait and does not look at ctx; otherwise it waits for the fetch that all callers
// share until ctx ends, which does not end the fetch. Called at the start of a program it is the prefetch.
//
// The token is shared with other callers and must not be written to. Its Expiry is the end of its life as counted from before it was asked for; what the
// issuer granted as scope is Extra("scope"). Refresh tokens and ID tokens are never kept.
//
// The error is or wraps an [*Error], or ctx.Err(); on a Source that New or For could not make, it says so and is neither.
func (s *Source) TokenContext(ctx context.Context) (*oauth2.Token, error) {
	h, err := s.get(ctx)
	if err != nil {
		return nil, err
	}
	return h.token, nil
}

func (s *Source) get(ctx context.Context) (*held, error) {
	if s.cache == nil {
		return nil, s.unusable()
	}
	if st := s.cache.state.Load(); st.fresh(time.Now()) {
		return st.held, nil
	}
	return s.cache.wait(ctx)
}

func (s *Source) unusable() error {
	if s.invalid != nil {
		return s.invalid
	}
	return errors.New("clientcreds: the Source is the zero value: make it with New")
}

// wait is get when the token is stale, expired or not there.
func (c *cache) wait(ctx context.Context) (*held, error) {
	for {
		st, now := c.state.Load(), time.Now()
		if st.fresh(now) {
			return st.held, nil
		}
		if st.usable(now) {
			if !st.due(now) {
				return st.held, nil
			}
			if !st.awaited {
				c.flight.Start()
				return st.held, nil
			}
			if h, err := c.flight.Do(ctx); err == nil && h != nil {
				return h, nil
			}
			if st = c.state.Load(); st.usable(time.Now()) {
				return st.held, nil
			}
			continue
		}

		delay := st.wait(now)
		if delay > 0 && st.failure != nil {
			return nil, st.failure.until(delay)
		}
		if err := ctx.Err(); err != nil {
			return nil, gaveUp(err, st)
		}
		if delay > 0 { // a token that lives shorter than the bound
			if err := sleep(ctx, delay); err != nil {
				return nil, gaveUp(err, st)
			}
			continue
		}
		h, err := c.flight.Do(ctx)
		switch failed := (*Error)(nil); {
		case err == nil && h != nil:
			return h, nil // whatever its lifetime: there is none fresher
		case err == nil:
			continue // another attempt ended just before
		case errors.As(err, &failed):
			return nil, failed.until(time.Until(c.state.Load().next))
		case ctx.Err() != nil:
			return nil, gaveUp(ctx.Err(), c.state.Load())
		default:
			return nil, fmt.Errorf("clientcreds: %w", err)
		}
	}
}

func gaveUp(err error, st *snapshot) error {
	if st.failure != nil {
		return fmt.Errorf("clientcreds: gave up waiting for a token: %w (the last attempt failed: %s)", err, st.failure.text)
	}
	return fmt.Errorf("clientcreds: gave up waiting for a token: %w", err)
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// attempt is one try to get a token; the flight runs it once at a time. It returns nothing at all if the state changed after the caller looked at it, so
// that a caller who comes late does not start a second request.
func (c *cache) attempt(ctx context.Context) (got *held, err error) {
	start := time.Now()
	before := c.state.Load()
	if !before.due(start) {
		return nil, nil
	}
	// Stands if the credential's code ends the goroutine. Without a record of that, every call would try again at once.
	failed := &Error{Class: ClassPanic, text: "the fetch ended without a result"}
	defer func() {
		if v := recover(); v != nil {
			got, failed = nil, panicked(v)
		}
		if failed != nil {
			failed = failed.hinted(c.source.client)
		}
		after := c.settle(got, failed, start)
		c.source.client.report(ctx, c.source.target, report{before: before, after: after, start: start, end: time.Now()})
		if failed != nil {
			err = failed
		}
	}()
	got, failed = c.source.fetch(ctx)
	return got, nil
}

// settle publishes the outcome.
func (c *cache) settle(got *held, failed *Error, start time.Time) *snapshot {
	c.mu.Lock()
	defer c.mu.Unlock()
	st := c.state.Load() // not the one the attempt began with: the token may have been refused meanwhile
	if failed != nil {
		st = st.fail(failed, time.Now(), rand.Float64())
	} else {
		if st.held != nil {
			got.serial = st.held.serial
			got.inherit(st.held)
		}
		got.serial++
		st = st.succeed(got, start, rand.Float64())
	}
	c.state.Store(st)
	return st
}

// Invalidate says that a service refused token, for callers that carry tokens by other means than [Source.Transport]: gRPC, message queues, WebSockets.
// It asks for one refresh, unless another token has taken this one's place already. The old token is not withdrawn: the next [Source.TokenContext] waits
// for the replacement, but if the attempt fails, or is not allowed yet (refreshes are at least 5 seconds apart), it returns the old one.
func (s *Source) Invalidate(token *oauth2.Token) {
	if s.cache == nil || token == nil {
		return
	}
	if s.cache.refuse(token.AccessToken, true) {
		s.cache.flight.Start()
	}
}

// refuse marks the token as refused if it is still the one that is served, and reports whether a refresh may start now.
func (c *cache) refuse(value string, await bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	st, now := c.state.Load(), time.Now()
	if st.held == nil || st.held.value != value {
		return false
	}
	if !st.refused || await && !st.awaited {
		st = st.refuse(await)
		c.state.Store(st)
	}
	return st.due(now)
}

// replace returns the token that takes the place of a refused one, or nil if there is none to be had within ctx. Fifty callers with the same refused token
// make one request.
func (c *cache) replace(ctx context.Context, rejected *held) *held {
	if c.refuse(rejected.value, false) {
		_, _ = c.flight.Do(ctx) // what came of it is in the state
	}
	st := c.state.Load()
	if st.held.value == rejected.value || !st.usable(time.Now()) {
		return nil
	}
	return st.held
}
