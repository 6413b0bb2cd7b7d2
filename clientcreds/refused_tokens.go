package clientcreds

import (
	"sync"
	"sync/atomic"
	"time"
)

// asks remembers which origins refused tokens, so that a service that refuses every token does not make its callers ask the issuer for ever. The zero value
// is ready for use.
type asks struct {
	some atomic.Bool // false while byOrigin is empty: the usual case costs no lock

	mu       sync.Mutex // guards byOrigin
	byOrigin map[origin]ask
}

// ask is what is known of an origin that refused a token and has not accepted a later one.
type ask struct {
	serial     uint64    // the token it refused
	mutedUntil time.Time // not zero: it refused the replacement, too
}

// maxAsks bounds byOrigin: without Config.Origins the origins are as many as the caller visits.
const maxAsks = 1000

// ask reports whether a refusal of h by o may ask for a refresh and a replay.
func (a *asks) ask(o origin, h *held, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	known, ok := a.byOrigin[o]
	if ok && !known.mutedUntil.IsZero() {
		if now.Before(known.mutedUntil) {
			return false
		}
		ok = false // silent for long enough
	}
	switch {
	case !ok:
		a.put(o, ask{serial: h.serial}, now)
	case h.serial > known.serial:
		a.put(o, muted(h, now), now)
		return false
	}
	return true
}

// refusedAgain silences o: it refused the replacement h. For one lifetime it asks no more, whatever tokens come meanwhile.
func (a *asks) refusedAgain(o origin, h *held, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.put(o, muted(h, now), now)
}

func muted(h *held, now time.Time) ask {
	return ask{serial: h.serial, mutedUntil: now.Add(max(h.lifetime, minInterval))}
}

// accepted forgets that o refused an earlier token than h. It does not end a silence: of the replicas behind an origin some may accept and some not.
func (a *asks) accepted(o origin, h *held) {
	if !a.some.Load() {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if known, ok := a.byOrigin[o]; ok && known.mutedUntil.IsZero() && h.serial > known.serial {
		delete(a.byOrigin, o)
		a.some.Store(len(a.byOrigin) > 0)
	}
}

// put records k for o. Callers hold mu.
func (a *asks) put(o origin, k ask, now time.Time) {
	if a.byOrigin == nil {
		a.byOrigin = make(map[origin]ask)
	}
	if _, ok := a.byOrigin[o]; !ok && len(a.byOrigin) >= maxAsks {
		var victim origin
		for other, known := range a.byOrigin { // an ended silence if there is one, else any
			victim = other
			if !known.mutedUntil.IsZero() && !now.Before(known.mutedUntil) {
				break
			}
		}
		delete(a.byOrigin, victim)
	}
	a.byOrigin[o] = k
	a.some.Store(true)
}
