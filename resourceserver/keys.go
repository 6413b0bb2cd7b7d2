package resourceserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
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
	// DefaultMaxStale is how long the last good keys serve while the issuer is out of reach.
	DefaultMaxStale = 24 * time.Hour
)

// keyCache holds an issuer's keys. Known keys are found without a lock and without waiting. All fetching is started by a request, shared by all that wait, and
// ends: an idle cache owns no goroutine and no timer.
type keyCache struct {
	source   keySource
	maxStale time.Duration
	logger   *slog.Logger
	onFetch  func(context.Context, Fetch)

	set    atomic.Pointer[keySet]
	flight *flight.Flight[*keySet]

	mu            sync.Mutex // guards the fields below
	attempted     time.Time  // end of the last fetch, whatever came of it
	failures      int        // in a row
	lastErr       error      // of the last fetch; nil if it succeeded
	nextAttempt   time.Time  // after a failure: no voluntary fetch before it
	cooldownUntil time.Time  // no fetch for an unknown key before it
	followUp      bool       // a fetch at the end of the cooldown is due
}

func newKeyCache(source keySource, maxStale time.Duration, logger *slog.Logger, onFetch func(context.Context, Fetch)) *keyCache {
	k := &keyCache{source: source, maxStale: maxStale, logger: logger, onFetch: onFetch}
	k.flight = flight.New(fetchTimeout, k.fetch)
	return k
}

// current returns the keys to verify with now. It waits only when there are none yet, or after long idleness.
func (k *keyCache) current(ctx context.Context) (*keySet, *Error) {
	set, now := k.set.Load(), time.Now()
	switch {
	case !k.serves(set, now):
		return k.demand(ctx, now)
	case now.Before(set.refreshAt):
		return set, nil
	}
	k.mu.Lock()
	due := !now.Before(k.nextAttempt)
	idle := !now.Before(set.staleAt) && k.attempted.Before(set.staleAt)
	k.mu.Unlock()
	if !due {
		return set, nil
	}
	if !idle {
		k.flight.Start()
		return set, nil
	}
	// Nobody asked for a long time, and a key may have been withdrawn meanwhile: worth a short wait, once.
	if fresh, err := k.flight.Do(ctx); err == nil {
		return fresh, nil
	}
	if ctx.Err() != nil {
		return nil, abandoned(ctx)
	}
	return set, nil
}

// serves reports whether set may verify tokens: a good set serves through an outage, but not for ever, since the issuer can withdraw no key meanwhile.
func (k *keyCache) serves(set *keySet, now time.Time) bool {
	return set != nil && now.Sub(set.fetched) <= k.maxStale
}

// demand fetches the first keys, at a pace that spares an issuer that is coming up.
func (k *keyCache) demand(ctx context.Context, now time.Time) (*keySet, *Error) {
	k.mu.Lock()
	wait := k.nextAttempt.Sub(now)
	k.mu.Unlock()
	if wait > 0 {
		return nil, unavailable(wait)
	}
	set, err := k.flight.Do(ctx)
	switch {
	case err == nil:
		return set, nil
	case ctx.Err() != nil:
		return nil, abandoned(ctx)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return nil, unavailable(time.Until(k.nextAttempt))
}

// renew is asked for when no key of old verifies a token. It fetches at most once in 30 s, however many unknown keys are named, so that forged tokens can't
// make this service hammer its issuer; failures count too, for a struggling issuer least of all needs more requests. Keys refused within the cooldown
// lead to one fetch at its end. started is when the token came. The answer is a newer set, or why there is none: the token's fault if the issuer answered last, else the issuer's.
func (k *keyCache) renew(ctx context.Context, old *keySet, started time.Time) (*keySet, *Error) {
	if set := k.set.Load(); set != old && set != nil {
		return set, nil
	}
	if !old.asked.Before(started) {
		return nil, refuse(ReasonUnknownKey) // the issuer was asked after this very token came
	}
	// A fetch that is under way is shared by all that wait for a new key. It may have begun before the issuer had that key: then its answer is tried, and the
	// next call of renew makes another fetch.
	if set, joined, err := k.flight.Join(ctx); joined {
		return k.renewed(ctx, old, set, err)
	}
	if k.cooldown() {
		set, err := k.flight.Do(ctx)
		return k.renewed(ctx, old, set, err)
	}
	if set := k.set.Load(); set != old {
		return set, nil
	}
	return nil, k.refusedInCooldown()
}

// cooldown starts one and reports true, unless one is running.
func (k *keyCache) cooldown() bool {
	now := time.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	if now.Before(k.cooldownUntil) {
		return false
	}
	k.cooldownUntil = now.Add(kidCooldown)
	return true
}

// renewed is the answer after a fetch.
func (k *keyCache) renewed(ctx context.Context, old, set *keySet, err error) (*keySet, *Error) {
	switch {
	case err == nil && set != old:
		return set, nil
	case err == nil:
		return nil, refuse(ReasonUnknownKey)
	case ctx.Err() != nil:
		return nil, abandoned(ctx)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return nil, unavailable(time.Until(k.cooldownUntil))
}

// refusedInCooldown is the answer without a fetch; it sees to it that one follows.
func (k *keyCache) refusedInCooldown() *Error {
	k.mu.Lock()
	defer k.mu.Unlock()
	wait := max(time.Until(k.cooldownUntil), 0)
	if !k.followUp {
		k.followUp = true
		time.AfterFunc(wait, k.follow)
	}
	if k.lastErr != nil {
		return unavailable(wait)
	}
	return refuse(ReasonUnknownKey)
}

// follow makes the fetch at the end of a cooldown, which starts the next one, unless a request came first.
func (k *keyCache) follow() {
	k.mu.Lock()
	k.followUp = false
	k.mu.Unlock()
	if k.cooldown() {
		k.flight.Start()
	}
}

// fetch is the shared call. ctx belongs to the flight and ends after fetchTimeout.
func (k *keyCache) fetch(ctx context.Context) (set *keySet, err error) {
	start := time.Now()
	defer func() {
		if v := recover(); v != nil { // the configured client's; its value may hold a secret
			set, err = nil, fmt.Errorf("panic of type %T in the key fetch", v)
		}
		k.record(ctx, set, err, start)
	}()
	if set, err = k.source.load(ctx); err != nil {
		return nil, err
	}
	set.asked = start
	return set, nil
}

// record takes the outcome in. A failed fetch never replaces a good set.
func (k *keyCache) record(ctx context.Context, set *keySet, err error, start time.Time) {
	now := time.Now()
	k.mu.Lock()
	failuresBefore := k.failures
	k.attempted, k.lastErr = now, err
	if err == nil {
		k.failures, k.nextAttempt = 0, time.Time{}
		k.set.Store(set)
	} else {
		k.failures++
		k.nextAttempt = now.Add(k.backoff())
	}
	next := k.nextAttempt
	k.mu.Unlock()
	k.log(ctx, set, err, failuresBefore, next.Sub(now))
	if k.onFetch != nil {
		defer func() {
			if v := recover(); v != nil { // a broken callback must cost nobody the keys
				k.logger.LogAttrs(ctx, slog.LevelError, "Config.OnFetch panicked", slog.String("type", fmt.Sprintf("%T", v)))
			}
		}()
		k.onFetch(ctx, Fetch{Issuer: k.source.issuer, Duration: now.Sub(start), Keys: set.len(), Skipped: set.skippedLen(), Err: err})
	}
}

// backoff doubles from half a second; with a good set in hand the pace falls further. Held: mu.
func (k *keyCache) backoff() time.Duration {
	limit := coldBackoffMax
	if k.serves(k.set.Load(), time.Now()) {
		limit = warmBackoffMax
	}
	wait := firstBackoff << min(k.failures-1, 10)
	return jitter(min(wait, limit))
}

// jitter takes up to a fifth off d, so that many instances of a service don't return together.
func jitter(d time.Duration) time.Duration { return d - rand.N(d/5+1) }

func (k *keyCache) log(ctx context.Context, set *keySet, err error, failuresBefore int, next time.Duration) {
	issuer := slog.String("issuer", k.source.issuer)
	if err != nil {
		attrs := []slog.Attr{issuer, slog.String("error", err.Error()), slog.Int("failures", failuresBefore+1), slog.Duration("next_attempt_in", next)}
		if good := k.set.Load(); k.serves(good, time.Now()) {
			age := time.Since(good.fetched)
			attrs = append(attrs, slog.Duration("keys_age", age), slog.Duration("keys_serve_for", k.maxStale-age))
			k.logger.LogAttrs(ctx, slog.LevelWarn, "issuer's keys can't be refreshed; the last good ones serve on", attrs...)
			return
		}
		k.logger.LogAttrs(ctx, slog.LevelError, "issuer's keys can't be fetched; tokens are answered with 503", attrs...)
		return
	}
	level, message := slog.LevelDebug, "issuer's keys fetched"
	if failuresBefore > 0 {
		level, message = slog.LevelInfo, "issuer's keys fetched again"
	}
	attrs := []slog.Attr{issuer, slog.Int("keys", set.len())}
	for _, s := range set.skipped {
		attrs = append(attrs, slog.Group("skipped", slog.String("kid", clip(s.ID)), slog.String("reason", s.Reason)))
	}
	k.logger.LogAttrs(ctx, level, message, attrs...)
}

// unavailable is the refusal that says nothing about the token.
func unavailable(retryAfter time.Duration) *Error {
	e := refuse(ReasonKeysUnavailable)
	e.RetryAfter = max(retryAfter, time.Second)
	return e
}

// abandoned is for a caller that stopped waiting.
func abandoned(ctx context.Context) *Error {
	e := refuse(ReasonRequestAbandoned)
	e.RetryAfter = time.Second
	e.cause = errors.Join(ErrKeysUnavailable, ctx.Err())
	return e
}

// lifetime reads max-age (RFC 9111 §5.2.2.1) within bounds. Keycloak's no-cache does not count: taken literally it would mean a fetch for each request.
func lifetime(h http.Header) time.Duration {
	if age, ok := maxAge(h); ok {
		return min(max(age, minKeysLifetime), maxKeysLifetime)
	}
	return keysLifetime
}
