package resourceserver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/svcauth/svcauth/internal/discovery"
	"github.com/svcauth/svcauth/internal/endpoint"
	"github.com/svcauth/svcauth/internal/jose"
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
	Start    time.Time // when it began
	Duration time.Duration
	Keys     int // usable ones
	Skipped  int // others in the set
	Err      error
	Class    string // a word for Err, one of those of IssuerStatus.LastError; empty if there is none
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
	Age         time.Duration // since the keys were fetched; 0 for Config.JWKS, and while there are none
	NextRefresh time.Time     // from then on a request refreshes the keys; zero for Config.JWKS, and while there are none
	Failures    int           // fetches failed in a row
	NextAttempt time.Time     // after a failure: no voluntary fetch before it; else zero
	// LastError says why the last fetch failed; empty if it did not. It is one of a fixed list and holds nothing that the issuer sent: "timeout", "canceled",
	// "connection refused", "name not resolved", "tls", "too large" and "network" where no whole answer came, "unreachable" for one with another status than
	// 200, "issuer mismatch" and "bad endpoint" for metadata that can't be used, "no usable keys", "malformed", and "panic" in the configured client.
	LastError string
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
	s := IssuerStatus{Issuer: i.name, Ready: i.keys.serves(set, now)}
	if set != nil {
		s.Skipped, s.NextRefresh = len(set.skipped), set.refreshAt
		if !i.keys.static {
			s.Age = now.Sub(set.fetched)
		}
		for _, key := range set.all {
			s.KeyIDs = append(s.KeyIDs, clip(key.ID))
		}
	}
	last := i.keys.lastFetch()
	s.Failures, s.NextAttempt, s.LastError = last.failures, last.next, errorClass(last.err)
	return s
}

// placeError is metadata that names no place of keys, or one that may not be used.
type placeError struct{ error }

var (
	errBadStatus = errors.New("not a 200")
	errNoResult  = errors.New("the key fetch ended without a result")
)

// panicError is a panic of the configured client. It holds the type of the value, which itself may be a secret.
type panicError string

func (e panicError) Error() string { return "panic of type " + string(e) + " in the key fetch" }

// errorClass is the word of IssuerStatus.LastError for err.
func errorClass(err error) string {
	var exchange *endpoint.Error
	var document *discovery.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &exchange):
		return string(exchange.Class)
	case errors.As(err, &document):
		return string(document.Reason)
	case errors.As(err, new(placeError)):
		return string(discovery.BadEndpoint)
	case errors.Is(err, errBadStatus):
		return string(discovery.Unreachable)
	case errors.Is(err, jose.ErrNoKeys):
		return "no usable keys"
	case errors.As(err, new(panicError)), errors.Is(err, errNoResult):
		return "panic"
	}
	return "malformed"
}

// Warm fetches the keys of every issuer that has none yet, for a service that wants its first request to be quick. Starting does not depend on it: an error
// means only that the keys will be fetched on demand. It says for each issuer why, and matches ErrKeysUnavailable.
func (a *Authenticator) Warm(ctx context.Context) error {
	var all []error
	for _, i := range a.issuers {
		if _, err := i.keys.current(ctx, time.Now()); err != nil {
			if cause := i.keys.lastFetch().err; cause != nil {
				all = append(all, fmt.Errorf("%w: issuer %q: %s", ErrKeysUnavailable, i.name, cause.Error()))
				continue
			}
			all = append(all, fmt.Errorf("%w: issuer %q", err, i.name))
		}
	}
	return errors.Join(all...)
}
