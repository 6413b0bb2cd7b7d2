package resourceserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/svcauth/svcauth/internal/flight"
)

// The times of the key cache. Their reasons stand beside their uses.
const (
	fetchTimeout    = 5 * time.Second
	keysLifetime    = 10 * time.Minute
	minKeysLifetime = time.Minute
	maxKeysLifetime = 24 * time.Hour
	kidCooldown     = 30 * time.Second
	firstBackoff    = 500 * time.Millisecond
	coldBackoffMax  = 4 * time.Second  // nothing loaded: a service recovers within 5 s of its issuer
	warmBackoffMax  = 30 * time.Second // a good set serves meanwhile
	idleness        = time.Minute      // more than a backoff and a fetch: a service with traffic has tried since
	// DefaultMaxStale is how long the last good keys serve while the issuer is out of reach.
	DefaultMaxStale = 24 * time.Hour
)

// keyCache holds an issuer's keys. Known keys are found without a lock and without waiting. All fetching is started by a request, shared by all that wait, and
// ends: an idle cache owns no goroutine and no timer.
type keyCache struct {
	source  keySource
	logger  *slog.Logger
	onFetch func(context.Context, Fetch)
	static  bool // the set was configured: nothing is ever fetched

	set    atomic.Pointer[keySet]
	flight *flight.Flight[*keySet]

	last atomic.Pointer[outcome] // written by the flight only, after set

	mu            sync.Mutex // guards the fields below
	cooldownUntil time.Time  // no fetch for an unknown key before it
	followUp      bool       // a fetch at the end of the cooldown is due
}

// outcome is what came of the last fetch. It is immutable.
type outcome struct {
	ended    time.Time
	err      error     // nil: it brought keys
	failures int       // in a row
	next     time.Time // after a failure: no voluntary fetch before it
}

func newKeyCache(source keySource, logger *slog.Logger, onFetch func(context.Context, Fetch)) *keyCache {
	k := &keyCache{source: source, logger: logger, onFetch: onFetch}
	k.flight = flight.New(fetchTimeout, k.fetch)
	return k
}

// current returns the keys to verify with now. It waits only when there are none yet, or after long idleness; while the keys are fresh, and while the backoff
// after a failed fetch runs, it takes no lock.
func (k *keyCache) current(ctx context.Context, now time.Time) (*keySet, *Error) {
	set := k.set.Load()
	switch {
	case !k.serves(set, now):
		return k.demand(ctx, now)
	case k.static || now.Before(set.refreshAt):
		return set, nil
	}
	last := k.lastFetch()
	if now.Before(last.next) {
		return set, nil
	}
	if newer := k.set.Load(); newer != set {
		return newer, nil // refreshed a moment ago
	}
	if now.Before(set.staleAt) || !last.ended.Before(set.staleAt) || now.Sub(last.ended) < idleness {
		k.flight.Start()
		return set, nil
	}
	// Nobody asked for a long time, and a key may have been withdrawn meanwhile: worth a short wait, once. Whatever ends it, a good set is no reason to refuse.
	if fresh, err := k.flight.Do(ctx); err == nil {
		return fresh, nil
	}
	return set, nil
}

// lastFetch returns what came of the last fetch; the zero outcome before the first.
func (k *keyCache) lastFetch() outcome {
	if last := k.last.Load(); last != nil {
		return *last
	}
	return outcome{}
}

// serves reports whether set may verify tokens: a good set serves through an outage, but not for ever, since the issuer can withdraw no key meanwhile.
func (k *keyCache) serves(set *keySet, now time.Time) bool {
	return k.static || set != nil && now.Sub(set.fetched) <= k.source.maxStale
}

// demand fetches the first keys, at a pace that spares an issuer that is coming up.
func (k *keyCache) demand(ctx context.Context, now time.Time) (*keySet, *Error) {
	if wait := k.lastFetch().next.Sub(now); wait > 0 {
		return nil, unavailable(wait)
	}
	set, err := k.flight.Do(ctx)
	switch {
	case err == nil:
		return set, nil
	case ctx.Err() != nil:
		return nil, abandoned(ctx)
	}
	return nil, unavailable(time.Until(k.lastFetch().next))
}

// fetch is the shared call. ctx belongs to the flight and ends after fetchTimeout.
func (k *keyCache) fetch(ctx context.Context) (set *keySet, err error) {
	start := time.Now()
	defer func() {
		if v := recover(); v != nil { // the configured client's; its value may hold a secret
			set, err = nil, panicError(fmt.Sprintf("%T", v))
		}
		k.record(ctx, set, err, start)
	}()
	err = errNoResult // stands if the client's code ends the goroutine: without a record of that, every request would try again at once
	loaded, failed := k.source.load(ctx)
	if set, err = loaded, failed; err != nil {
		return nil, err
	}
	set.asked = start
	return set, nil
}

// record takes the outcome in. A failed fetch never replaces a good set.
func (k *keyCache) record(ctx context.Context, set *keySet, err error, start time.Time) {
	now, before := time.Now(), k.lastFetch()
	last := &outcome{ended: now, err: err}
	if err == nil {
		old := k.set.Load()
		set.succeed(old)
		k.set.Store(set)
		k.logChange(ctx, old, set)
	} else {
		last.failures = before.failures + 1
		last.next = k.nextAttempt(start, now, last.failures)
	}
	k.last.Store(last)
	k.log(ctx, set, err, before.failures, last.next.Sub(now))
	if k.onFetch != nil {
		defer func() {
			if v := recover(); v != nil { // a broken callback must cost nobody the keys
				k.logger.LogAttrs(ctx, slog.LevelError, "Config.OnFetch panicked", slog.String("type", fmt.Sprintf("%T", v)))
			}
		}()
		k.onFetch(ctx, Fetch{
			Issuer: k.source.issuer, Start: start, Duration: now.Sub(start), Keys: set.len(), Skipped: set.skippedLen(), Err: err, Class: errorClass(err),
		})
	}
}

// nextAttempt says when to try again after a fetch that began at start and failed now. The wait doubles from half a second. Without keys it counts from start,
// for a fetch that hung has taken its time already, and the issuer may be back since. With a good set in hand the pace falls further.
func (k *keyCache) nextAttempt(start, now time.Time, failures int) time.Time {
	from, limit := start, coldBackoffMax
	if k.serves(k.set.Load(), now) {
		from, limit = now, warmBackoffMax
	}
	next := from.Add(jitter(min(firstBackoff<<min(failures-1, 10), limit)))
	if next.Before(now) {
		return now
	}
	return next
}

// jitter takes up to a fifth off d, so that many instances of a service don't return together.
func jitter(d time.Duration) time.Duration { return d - rand.N(d/5+1) }

// unavailable is the refusal that says nothing about the token.
func unavailable(retryAfter time.Duration) *Error {
	e := refuse(ReasonKeysUnavailable)
	e.RetryAfter, e.Hint = max(retryAfter, time.Second), keysHint
	return e
}

// abandoned is for a caller that stopped waiting.
func abandoned(ctx context.Context) *Error {
	e := refuse(ReasonRequestAbandoned)
	e.RetryAfter = time.Second
	e.cause = errors.Join(ErrKeysUnavailable, ctx.Err())
	return e
}
