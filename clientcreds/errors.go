package clientcreds

import (
	"errors"
	"fmt"
	"time"
)

var (
	// ErrRefused is a permanent failure: the token endpoint refused the client or the request. It is remembered for 5 seconds; asking more often is in vain
	// until somebody changes something.
	ErrRefused = errors.New("clientcreds: the token endpoint refused the request")
	// ErrUnavailable is a transient failure: no token was to be had, and later attempts may bring one.
	ErrUnavailable = errors.New("clientcreds: no token is available")
	// ErrOrigin is a request to a place where the token may not go. Nothing was sent.
	ErrOrigin = errors.New("clientcreds: the token may not go to this origin")
)

// Class says in a word why there was no token, for metrics and alerts.
type Class string

// The classes. Those without an answer from the token endpoint first.
const (
	ClassCredential Class = "credential" // the secret could not be read
	ClassDiscovery  Class = "discovery"  // the token endpoint could not be found out
	ClassTimeout    Class = "timeout"    // no answer in time
	ClassNetwork    Class = "network"    // no connection, or a broken one
	ClassTLS        Class = "tls"        // no trust in the endpoint's certificate
	ClassPanic      Class = "panic"      // code that the configuration brought panicked
	ClassStatus     Class = "status"     // an answer that is neither a token nor a refusal
	ClassMalformed  Class = "malformed"  // a success that can't be read
	ClassRefused    Class = "refused"    // a refusal
)

// Error is an attempt that brought no token. It is [ErrRefused] or [ErrUnavailable] to errors.Is. It holds no secret, no token and nothing of an answer's
// body but the error code and a cleaned, cut description. Deadlines of the fetch do not show as context errors: those are the caller's own.
type Error struct {
	Class       Class
	Endpoint    string        // the token endpoint, without user information and query; empty if it was not reached for
	Status      int           // the HTTP status of its answer; 0: there was none
	Code        string        // the error code of its answer (RFC 6749 §5.2); empty if it had none
	Description string        // its error_description, printable ASCII, at most 200 characters
	Hint        string        // what to do about it, in Keycloak's terms where the failure is one of Keycloak's; not part of Error's text
	RetryIn     time.Duration // when this error was returned, the time until the next attempt may start

	text       string
	permanent  bool
	credential bool          // the refusal may be the credential's fault
	retryAfter time.Duration // what the endpoint asked for
	rest       time.Duration // of a refusal that another target of the client got: how long it still holds
	stack      []byte        // of a panic, for the log
}

func (e *Error) Error() string {
	if e.RetryIn > 0 {
		return fmt.Sprintf("clientcreds: %s (next attempt in %v)", e.text, e.RetryIn.Round(100*time.Millisecond))
	}
	return "clientcreds: " + e.text
}

// GoString is Error: %#v shows no more.
func (e *Error) GoString() string { return e.Error() }

// Is makes an Error one of [ErrRefused] and [ErrUnavailable].
func (e *Error) Is(target error) bool {
	return target == ErrRefused && e.permanent || target == ErrUnavailable && !e.permanent
}

// until is e as returned to a caller at a moment when the next attempt is d away.
func (e *Error) until(d time.Duration) *Error {
	copied := *e
	copied.RetryIn = max(d, 0)
	return &copied
}
