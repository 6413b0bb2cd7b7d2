package clientcreds

import "time"

// When a token is replaced. Everything here is a function of times, so that the rules can be read, and tested, without a clock.

const (
	// minInterval is the least time between two refreshes, whatever the issuer or a service answers.
	minInterval = 5 * time.Second
	// refusalMemory is how long a permanent refusal is remembered.
	refusalMemory = 5 * time.Second

	firstBackoff = 500 * time.Millisecond
	// maxBackoffCold bounds the backoff of a source that never had a token, so that a service recovers within 5 seconds of its issuer.
	maxBackoffCold = 4 * time.Second
	maxBackoff     = 30 * time.Second
	// maxRetryAfter bounds what a Retry-After can ask for, or one odd answer would silence a source for a day.
	maxRetryAfter = 5 * time.Minute
)

// interval is the least time between a token request and the next one that nothing forced: 10 % of the lifetime, and never less than minInterval.
func interval(lifetime time.Duration) time.Duration { return max(minInterval, lifetime/10) }

// margin is how long before its end a token is no longer served: it must still be valid when it has crossed the network.
func margin(lifetime time.Duration) time.Duration { return min(10*time.Second, lifetime/10) }

// softAge is the age from which a token is refreshed in the background: 80 % of the lifetime and, by jitter in [0, 1), up to 5 % more, so that replicas that
// started together don't ask together; the bound wins over both. An issuer that answered with the very token it gave before won't give another until that
// one ends: asking ahead would be in vain, so again means not before the hard margin.
func softAge(lifetime time.Duration, again bool, jitter float64) time.Duration {
	if again {
		return max(lifetime-margin(lifetime), interval(lifetime))
	}
	soft := lifetime - lifetime/5 + time.Duration(float64(lifetime/20)*jitter)
	return max(soft, interval(lifetime))
}

// backoff is the time from a failed attempt, the failures-th in a row, to the next: doubling, and by jitter in [0, 1) up to a fifth less.
func backoff(failures int, hadToken bool, jitter float64) time.Duration {
	limit := maxBackoffCold
	if hadToken {
		limit = maxBackoff
	}
	d := firstBackoff
	for i := 1; i < failures && d < limit; i++ {
		d *= 2
	}
	d = min(d, limit)
	return d - time.Duration(float64(d/5)*jitter)
}

// pause is the time from a failed attempt to the next.
func pause(failed *Error, failures int, hadToken bool, jitter float64) time.Duration {
	switch {
	case failed.rest > 0:
		return failed.rest
	case failed.permanent:
		return refusalMemory
	}
	return max(backoff(failures, hadToken, jitter), min(failed.retryAfter, maxRetryAfter))
}

// passed reports whether t is over by either clock: by the monotonic one, which a corrected wall clock does not turn back, or by the wall clock, which goes
// on while the machine sleeps.
func passed(now, t time.Time) bool {
	return !now.Before(t) || now.UnixNano() >= t.UnixNano()
}

// snapshot is all that a source knows at one moment. It is immutable, so the fresh path reads it without a lock.
type snapshot struct {
	held       *held     // nil until there was a token
	freshUntil time.Time // from here on the token is stale: served, and refreshed in the background
	hard       time.Time // from here on it is expired: not served
	askFrom    time.Time // the earliest start of a refresh that a refused token asks for; zero until there was a refresh
	refused    bool      // a service refused the held token; it is served until the replacement is there
	awaited    bool      // Invalidate said so: callers wait for the first attempt to replace it

	failure  *Error    // of the last attempt; nil after a success
	failures int       // in a row
	next     time.Time // no attempt before, while failure is not nil
}

func (s *snapshot) fresh(now time.Time) bool  { return s.held != nil && !passed(now, s.freshUntil) }
func (s *snapshot) usable(now time.Time) bool { return s.held != nil && !passed(now, s.hard) }

// wait is how long it is until an attempt may start in a source that is not fresh; zero or less: now.
func (s *snapshot) wait(now time.Time) time.Duration {
	switch {
	case s.failure != nil:
		return s.next.Sub(now)
	case s.held == nil || s.usable(now):
		return 0 // none yet, or stale, which is later than the bound by construction
	}
	return s.held.sent.Add(minInterval).Sub(now)
}

// due reports whether an attempt may start.
func (s *snapshot) due(now time.Time) bool { return !s.fresh(now) && s.wait(now) <= 0 }

// trigger says why an attempt starts.
func (s *snapshot) trigger(now time.Time) Trigger {
	switch {
	case s.held == nil:
		return TriggerFirst
	case !s.usable(now):
		return TriggerExpired
	case s.refused:
		return TriggerRefused
	}
	return TriggerAhead
}

// succeed is the state after h was obtained by an attempt that began at start.
func (s *snapshot) succeed(h *held, start time.Time, jitter float64) *snapshot {
	again := s.held != nil && s.held.value == h.value
	n := &snapshot{held: h, hard: h.sent.Add(h.lifetime - margin(h.lifetime))}
	n.freshUntil = h.sent.Add(softAge(h.lifetime, again, jitter))
	if n.hard.Before(n.freshUntil) {
		n.freshUntil = n.hard
	}
	if s.held != nil {
		// The first token is no refresh: one that is refused at once may be replaced at once.
		n.askFrom = start.Add(minInterval)
	}
	return n
}

// inherit fills in what an answer does not say that brings the token of before once more: the end that was said then. An issuer that counts whole seconds down
// arrives at a 0 that says nothing, and the default lifetime would keep a token in use that has less than a second left. One that still comes well after that
// end has another end, which nobody knows.
func (h *held) inherit(before *held) {
	if h.value != before.value || !h.end.IsZero() || before.end.IsZero() || h.sent.Sub(before.end) >= minInterval {
		return
	}
	h.end = before.end
	h.lifetime = max(h.end.Sub(h.sent), time.Millisecond)
	h.token.Expiry = h.sent.Add(h.lifetime).Round(0)
}

// fail is the state after an attempt failed at now. The token stays.
func (s *snapshot) fail(failed *Error, now time.Time, jitter float64) *snapshot {
	n := *s
	n.awaited = false
	n.failure = failed
	n.failures++
	n.next = now.Add(pause(failed, n.failures, n.held != nil, jitter))
	return &n
}

// refuse is the state after a service refused the held token: stale, from the moment when the bound allows a refresh.
func (s *snapshot) refuse(await bool) *snapshot {
	n := *s
	n.refused = true
	n.awaited = n.awaited || await
	if n.askFrom.Before(n.freshUntil) {
		n.freshUntil = n.askFrom
	}
	return &n
}
