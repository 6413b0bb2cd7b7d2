package clientcreds

import "time"

// State is what a source's token is good for at one moment.
type State string

// The states.
const (
	StateNone    State = "none"    // there has been no token yet
	StateFresh   State = "fresh"   // served
	StateStale   State = "stale"   // served, and due for a refresh
	StateExpired State = "expired" // not served; the next caller waits for another
)

// Status is what a [Source] knows at one moment, for health checks and dashboards. It holds no token and no secret.
type Status struct {
	State         State
	Age           time.Duration // since the token was asked for; 0 without one
	ExpiresIn     time.Duration // until the token's end, negative after it; 0 without one
	GrantedScopes []string      // of the token, as the issuer listed them; nil: as declared, or there is no token; read-only
	MissingScopes []string      // declared in the target and not granted
	Refused       bool          // a service refused the token and there is no other yet
	Failures      int           // attempts in a row that failed
	LastError     error         // of the last attempt; nil after a success
	ErrorClass    Class         // of LastError
	NextAttempt   time.Time     // the earliest next attempt, which the first request from then on starts; zero: at once
}

// Status returns what the source knows. It never waits and starts nothing, so a health check that reads it does not keep an unused source busy.
func (s *Source) Status() Status {
	if s.cache == nil {
		return Status{State: StateNone, LastError: s.unusable()}
	}
	st, now := s.cache.state.Load(), time.Now()
	status := Status{State: StateNone, Refused: st.refused, Failures: st.failures}
	if h := st.held; h != nil {
		status.GrantedScopes, status.MissingScopes = h.granted, st.missing(s.target)
		status.Age = now.Sub(h.sent)
		status.ExpiresIn = h.sent.Add(h.lifetime).Sub(now)
		switch {
		case st.fresh(now):
			status.State = StateFresh
			status.NextAttempt = st.freshUntil
		case st.usable(now):
			status.State = StateStale
		default:
			status.State = StateExpired
		}
	}
	if status.State != StateFresh {
		if d := st.wait(now); d > 0 {
			status.NextAttempt = now.Add(d)
		}
	}
	if st.failure != nil {
		status.LastError = st.failure.until(st.next.Sub(now))
		status.ErrorClass = st.failure.Class
	}
	return status
}
