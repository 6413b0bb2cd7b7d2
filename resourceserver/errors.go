package resourceserver

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Reason says why a request was refused, in a word that stays the same between releases: for logs, metrics and tests.
type Reason string

// The reasons. The status that goes with each stands in its line.
const (
	ReasonMissingToken     Reason = "missing_token"          // 401: no bearer credential
	ReasonMultipleTokens   Reason = "multiple_authorization" // 400: more than one Authorization field
	ReasonMalformedHeader  Reason = "malformed_header"       // 401: Bearer, but not followed by one token
	ReasonTokenTooLarge    Reason = "token_too_large"        // 401
	ReasonMalformedToken   Reason = "malformed_token"        // 401: not a signed JWT in compact form
	ReasonAlgorithm        Reason = "algorithm_not_allowed"  // 401
	ReasonHeader           Reason = "header_not_supported"   // 401: crit, b64, zip or a typ that is no access token's
	ReasonMalformedClaims  Reason = "malformed_claims"       // 401: claims that are not the JSON they must be
	ReasonIssuer           Reason = "issuer_mismatch"        // 401
	ReasonAudience         Reason = "audience_mismatch"      // 401
	ReasonExpired          Reason = "expired"                // 401
	ReasonNotYetValid      Reason = "not_yet_valid"          // 401
	ReasonTokenKind        Reason = "not_an_access_token"    // 401: an ID, refresh, logout or other token
	ReasonSenderBound      Reason = "sender_constrained"     // 401: bound to a key or certificate, sent as Bearer
	ReasonUnknownKey       Reason = "unknown_key"            // 401: no key of the issuer fits
	ReasonSignature        Reason = "invalid_signature"      // 401
	ReasonMissingRole      Reason = "missing_role"           // 403
	ReasonMissingScope     Reason = "missing_scope"          // 403
	ReasonRule             Reason = "rule_not_met"           // 403: another rule
	ReasonKeysUnavailable  Reason = "keys_unavailable"       // 503: the issuer's keys are out of reach
	ReasonRequestAbandoned Reason = "request_abandoned"      // 503: the caller's context ended while keys were awaited
)

// ErrKeysUnavailable is in the chain of every error that says nothing about the token: the issuer's keys are out of reach, so it could not be verified.
// Ask with errors.Is. A token that was refused never matches it.
var ErrKeysUnavailable = errors.New("resourceserver: the issuer's keys are unavailable")

// Error is a refusal. Its text, Code and Description are from fixed lists and safe to send; Hint may quote the token's unverified claims, cut short, and
// is for logs. The cause is private, since it may say more than a client should know.
type Error struct {
	Reason      Reason
	Status      int           // HTTP status: 400, 401, 403 or 503
	Code        string        // error code of RFC 6750 §3.1; empty for missing credentials and 503
	Description string        // error_description, one fixed text a reason
	Hint        string        `json:"-"` // what to do about it, for the operator; may be empty
	RetryAfter  time.Duration // with 503: when to try again; else 0

	scope    string    // RFC 6750 §3 scope attribute, set when the rule was a scope
	expected string    // for the log
	got      string    // for the log; unverified, unless caller is set
	caller   *identity // for the log: whose verified token a rule refused
	cause    error
}

func (e *Error) Error() string {
	return fmt.Sprintf("resourceserver: %s (%s)", e.Description, e.Reason)
}

// Unwrap gives ErrKeysUnavailable or the error of the caller's context where that was the cause, else nil.
func (e *Error) Unwrap() error { return e.cause }

// Is reports whether target is an *Error with the same Reason.
func (e *Error) Is(target error) bool {
	other, ok := target.(*Error)
	return ok && other.Reason == e.Reason
}

// GoString keeps %#v from printing what came with the token.
func (e *Error) GoString() string { return "&" + e.Error() }

// descriptions are the only texts that travel to clients. They name what is wrong with the token and nothing from it.
var descriptions = map[Reason]string{
	ReasonMissingToken:     "no bearer token in the request",
	ReasonMultipleTokens:   "more than one Authorization header in the request",
	ReasonMalformedHeader:  "the Authorization header is malformed",
	ReasonTokenTooLarge:    "the token is too large",
	ReasonMalformedToken:   "the token is malformed",
	ReasonAlgorithm:        "the signature algorithm is not allowed",
	ReasonHeader:           "the token's header is not supported",
	ReasonMalformedClaims:  "the token's claims are malformed",
	ReasonIssuer:           "the issuer is not trusted",
	ReasonAudience:         "the audience does not match",
	ReasonExpired:          "the token has expired",
	ReasonNotYetValid:      "the token is not valid yet",
	ReasonTokenKind:        "the token is not an access token",
	ReasonSenderBound:      "the token is sender-constrained and can't be used as a bearer token",
	ReasonUnknownKey:       "no key of the issuer fits the token",
	ReasonSignature:        "the signature is not valid",
	ReasonMissingRole:      "the request requires higher privileges than provided by the access token",
	ReasonMissingScope:     "the request requires higher privileges than provided by the access token",
	ReasonRule:             "the request requires higher privileges than provided by the access token",
	ReasonKeysUnavailable:  "the token can't be verified at the moment",
	ReasonRequestAbandoned: "the token can't be verified at the moment",
}

// refuse makes the error for a reason with its status and code; where a new reason goes is decided here.
func refuse(reason Reason) *Error {
	e := &Error{Reason: reason, Status: http.StatusUnauthorized, Code: "invalid_token", Description: descriptions[reason], Hint: fixedHints[reason]}
	switch reason {
	case ReasonMissingToken:
		e.Code = ""
	case ReasonMultipleTokens:
		e.Status, e.Code = http.StatusBadRequest, "invalid_request"
	case ReasonMissingRole, ReasonMissingScope, ReasonRule:
		e.Status, e.Code = http.StatusForbidden, "insufficient_scope"
	case ReasonKeysUnavailable, ReasonRequestAbandoned:
		e.Status, e.Code = http.StatusServiceUnavailable, ""
		e.cause = ErrKeysUnavailable
	}
	return e
}

// because adds what the log should know: what was expected, and what came.
func (e *Error) because(expected, got string) *Error {
	e.expected, e.got = expected, got
	return e
}
