package resourceserver

import (
	"context"
	"time"
)

// renew is asked for when no key of old verifies a token. It fetches at most once in 30 s, however many unknown keys are named, so that forged tokens can't
// make this service hammer its issuer; failures count too, for a struggling issuer least of all needs more requests. Keys refused within the cooldown
// lead to one fetch at its end. started is when the token came. The answer is a newer set, or why there is none: the token's fault if the issuer answered last,
// else the issuer's.
func (k *keyCache) renew(ctx context.Context, old *keySet, started time.Time) (*keySet, *Error) {
	if set := k.set.Load(); set != old && set != nil {
		return set, nil
	}
	if k.static || !old.asked.Before(started) {
		return nil, refuse(ReasonUnknownKey) // the issuer was asked after this very token came
	}
	// A fetch that is under way is shared by all that wait for a new key. It may have begun before the issuer had that key: then its answer is tried, and the
	// next call of renew makes another fetch. One whose set this token has tried already, and that only runs its callback yet, brings nothing.
	if set, joined, err := k.flight.Join(ctx); joined && (err != nil || set != old) {
		return k.renewed(ctx, old, set, err)
	}
	if k.cooldown() {
		set, err := k.flight.Do(ctx)
		return k.renewed(ctx, old, set, err)
	}
	if set := k.set.Load(); set != old {
		return set, nil
	}
	return nil, k.refusedInCooldown(old)
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
func (k *keyCache) refusedInCooldown(old *keySet) *Error {
	k.mu.Lock()
	defer k.mu.Unlock()
	wait := max(time.Until(k.cooldownUntil), 0)
	if !k.followUp {
		k.followUp = true
		time.AfterFunc(wait, k.follow)
	}
	if k.lastFetch().err != nil {
		return unavailable(wait)
	}
	refused := refuse(ReasonUnknownKey)
	refused.Hint = heldBackHint(time.Since(old.fetched))
	return refused
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
