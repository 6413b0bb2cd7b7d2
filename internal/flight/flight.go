// Package flight lets many callers share one piece of work without sharing a fate: the work runs on a context of its own, and each caller waits no
// longer than its own context allows.
package flight

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

// Flight runs at most one call of its function at a time. The zero value is not usable; make one with New. All methods may be called concurrently.
// A Flight that is not running owns no goroutine and no timer.
type Flight[T any] struct {
	timeout time.Duration
	work    func(context.Context) (T, error)

	mu      sync.Mutex // guards current
	current *call[T]
}

type call[T any] struct {
	done  chan struct{} // closed after value and err are written, once
	value T
	err   error
}

// New returns a Flight of work, each run of which gets a context with this timeout that holds none of any caller's values, deadline or cancellation:
// a caller that hangs up must not fail the others, and its tracing or authorization must not colour a shared request.
func New[T any](timeout time.Duration, work func(context.Context) (T, error)) *Flight[T] {
	return &Flight[T]{timeout: timeout, work: work}
}

// PanicError is what callers get when the work panicked: the type of the panic's value and where it happened, not the value, for it may hold a secret.
type PanicError struct {
	Type  string
	Stack []byte
}

func (e *PanicError) Error() string { return "panic of type " + e.Type + " in a shared call" }

var errGoexit = errors.New("the shared call ended without a result")

// Do joins the run under way or starts one, and waits for its result or for the end of ctx, whichever comes first.
// The end of ctx ends the waiting, never the run.
func (f *Flight[T]) Do(ctx context.Context) (T, error) {
	return f.join().wait(ctx)
}

func (c *call[T]) wait(ctx context.Context) (T, error) {
	select {
	case <-c.done:
		return c.value, c.err
	case <-ctx.Done():
		var zero T
		return zero, ctx.Err()
	}
}

// Join waits as Do does, but only for a run that is under way; without one it reports false at once.
func (f *Flight[T]) Join(ctx context.Context) (value T, joined bool, err error) {
	f.mu.Lock()
	c := f.current
	f.mu.Unlock()
	if c == nil {
		return value, false, nil
	}
	value, err = c.wait(ctx)
	return value, true, err
}

// Start starts a run unless one is under way, and does not wait.
func (f *Flight[T]) Start() { f.join() }

func (f *Flight[T]) join() *call[T] {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.current == nil {
		f.current = &call[T]{done: make(chan struct{})}
		go f.run(f.current)
	}
	return f.current
}

func (f *Flight[T]) run(c *call[T]) {
	ctx, cancel := context.WithTimeout(context.Background(), f.timeout)
	defer cancel()
	defer func() {
		if v := recover(); v != nil {
			c.err = &PanicError{Type: fmt.Sprintf("%T", v), Stack: debug.Stack()}
		}
		f.mu.Lock()
		f.current = nil
		f.mu.Unlock()
		close(c.done)
	}()
	c.err = errGoexit
	c.value, c.err = f.work(ctx)
}
