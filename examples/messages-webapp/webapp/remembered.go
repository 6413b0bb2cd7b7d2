package webapp

import (
	"context"
	"sync"
	"time"
)

// retryAfter is the least time from one failed attempt to the next: while something is down, pages fail at once instead of queueing up.
const retryAfter = 2 * time.Second

// remembered is a value that is fetched when it is first needed and again when it is old. A fetch that fails never costs the value that is there already.
// Its methods may be called concurrently.
type remembered[T any] struct {
	maxAge time.Duration
	fetch  func(context.Context) (T, error)

	fetching chan struct{} // full during a fetch, so that there is one at a time

	mu      sync.Mutex // guards the following
	value   T
	at      time.Time // zero: there is no value
	failed  time.Time // when the last attempt ended, if it failed
	failure error     // of it
}

func remember[T any](maxAge time.Duration, fetch func(context.Context) (T, error)) *remembered[T] {
	return &remembered[T]{maxAge: maxAge, fetch: fetch, fetching: make(chan struct{}, 1)}
}

// get returns the value, fetching it if there is none or it is too old.
func (r *remembered[T]) get(ctx context.Context) (T, error) {
	return r.newerThan(ctx, time.Now().Add(-r.maxAge))
}

// newerThan returns a value that was fetched after limit, or an older one if that can't be done.
func (r *remembered[T]) newerThan(ctx context.Context, limit time.Time) (T, error) {
	if value, err, ok := r.settled(limit); ok {
		return value, err
	}
	select {
	case r.fetching <- struct{}{}:
		defer func() { <-r.fetching }()
	case <-ctx.Done():
		value, ok := r.known()
		if ok {
			return value, nil
		}
		return value, ctx.Err()
	}
	if value, err, ok := r.settled(limit); ok { // somebody else fetched meanwhile
		return value, err
	}
	// The browser that asked may go away; others wait for the same value. The client of the fetch has a deadline.
	value, err := r.fetch(context.WithoutCancel(ctx))
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.failed, r.failure = time.Now(), err
		return r.value, r.withoutValue(err)
	}
	r.value, r.at, r.failed, r.failure = value, time.Now(), time.Time{}, nil
	return value, nil
}

// settled reports whether nothing is to be fetched now: the value is new enough, or an attempt has just failed.
func (r *remembered[T]) settled(limit time.Time) (T, error, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.at.After(limit):
		return r.value, nil, true
	case time.Since(r.failed) >= retryAfter:
		return r.value, nil, false
	}
	return r.value, r.withoutValue(r.failure), true
}

// withoutValue is the failure as callers see it: not at all if there is a value.
func (r *remembered[T]) withoutValue(failure error) error {
	if r.at.IsZero() {
		return failure
	}
	return nil
}

// known returns the value without fetching anything.
func (r *remembered[T]) known() (T, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.value, !r.at.IsZero()
}
