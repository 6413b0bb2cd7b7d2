package resourceserver

import (
	"context"
	"errors"
	"time"
)

// Decision is what the middleware decided about one request. It holds no token.
type Decision struct {
	Allowed  bool
	Reason   Reason // why not; empty if allowed
	Status   int    // of the refusal; 200 if allowed
	Issuer   string // of the verified token; empty if refused
	ClientID string // likewise
}

// Fetch is one fetch of an issuer's keys.
type Fetch struct {
	Issuer   string
	Duration time.Duration
	Keys     int // usable ones
	Skipped  int // others in the set
	Err      error
}

// Status is what an Authenticator knows of its issuers at one moment, for health pages. It holds no URL but the issuers' names, and no token.
type Status struct {
	Issuers []IssuerStatus
}

// Ready reports whether every issuer's keys are there, so that tokens can be verified. It stays true through an outage while the last good keys serve: a health
// check that fails then would empty the load balancer for nothing.
func (s Status) Ready() bool {
	for _, i := range s.Issuers {
		if !i.Ready {
			return false
		}
	}
	return len(s.Issuers) > 0
}

// IssuerStatus is the state of one issuer's keys.
type IssuerStatus struct {
	Issuer      string
	Ready       bool
	KeyIDs      []string      // of the usable keys
	Skipped     int           // keys that can't be used
	Age         time.Duration // since the keys were fetched
	Failures    int           // fetches failed in a row
	NextAttempt time.Time     // after a failure: no voluntary fetch before it; else zero
}

// Status returns a snapshot. It does no I/O.
func (a *Authenticator) Status() Status {
	var s Status
	for _, i := range a.issuers {
		s.Issuers = append(s.Issuers, i.status())
	}
	return s
}

func (i *issuer) status() IssuerStatus {
	now, set := time.Now(), i.keys.set.Load()
	s := IssuerStatus{Issuer: i.issuer, Ready: i.keys.serves(set, now)}
	if set != nil {
		s.Age, s.Skipped = now.Sub(set.fetched), len(set.skipped)
		for _, key := range set.all {
			s.KeyIDs = append(s.KeyIDs, clip(key.ID))
		}
	}
	i.keys.mu.Lock()
	defer i.keys.mu.Unlock()
	s.Failures, s.NextAttempt = i.keys.failures, i.keys.nextAttempt
	return s
}

// Warm fetches the keys of every issuer that has none yet, for a service that wants its first request to be quick. Starting does not depend on it: an error means
// only that the keys will be fetched on demand.
func (a *Authenticator) Warm(ctx context.Context) error {
	var all []error
	for _, i := range a.issuers {
		if _, err := i.keys.current(ctx); err != nil {
			all = append(all, err)
		}
	}
	return errors.Join(all...)
}
