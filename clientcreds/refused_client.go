package clientcreds

import (
	"sync/atomic"
	"time"
)

// refusals remembers, for all Sources of a client, that its credential was refused. Their targets may come from requests, and an issuer that counts failed
// logins must not be asked once for each of them. The zero value is ready for use.
type refusals struct {
	last atomic.Pointer[refusedClient]
}

type refusedClient struct {
	failed *Error
	until  time.Time
}

// standing returns the refusal that still holds, or nil.
func (r *refusals) standing(now time.Time) *Error {
	if last := r.last.Load(); last != nil && now.Before(last.until) {
		failed := *last.failed
		failed.rest = last.until.Sub(now)
		return &failed
	}
	return nil
}

// note takes in what came of an attempt; nil is a token.
func (r *refusals) note(failed *Error, now time.Time) {
	switch {
	case failed == nil:
		r.last.Store(nil)
	case failed.permanent && (failed.Code == "invalid_client" || failed.Code == "unauthorized_client"):
		r.last.Store(&refusedClient{failed, now.Add(refusalMemory)})
	}
}
