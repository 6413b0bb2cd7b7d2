package resourceserver

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/svcauth/svcauth/internal/jose"
)

// Verify decides whether token is a valid access token for this resource server (RFC 7519 §7.2, RFC 8725, RFC 9068 §4), and says who it speaks for.
// It is what the middleware calls, and the door for other transports. ctx bounds only how long the caller waits for keys. A token that was accepted before is
// looked up instead of verified, as long as verifying it would come to the same (see Config.CacheTokens).
//
// Errors are *Error. One that matches ErrKeysUnavailable says nothing about the token. The OnDecision callback and the log of denials belong to the
// middleware and to Refuse; Verify itself is silent.
//
// A Principal that the caller does not keep costs no allocation when its token is remembered and has no more than 12 roles and scopes.
func (a *Authenticator) Verify(ctx context.Context, token string) (p *Principal, err error) {
	var own ownPrincipal // on the caller's stack, for this is just short enough to be inlined
	own.Principal, err = a.verifyInto(ctx, token, &own.room)
	if err == nil {
		p = &own.Principal
	}
	return
}

// verifyInto is Verify with room for names.
func (a *Authenticator) verifyInto(ctx context.Context, token string, room *room) (Principal, error) {
	id, refused := a.verify(ctx, token)
	if refused != nil {
		return Principal{}, refused
	}
	return id.principal(room), nil
}

// verify answers from the cache if it can. What it can't answer, a refusal for instance, runs through every check.
func (a *Authenticator) verify(ctx context.Context, token string) (*identity, *Error) {
	c := a.called(token)
	if id, refused := a.recall(ctx, &c); id != nil || refused != nil {
		return id, refused
	}
	return a.verifyNew(ctx, &c)
}

// call is one question about a token.
type call struct {
	token  string
	now    time.Time // when the token came
	cached bool      // the cache may answer, and take the token in
	hash   tokenHash // if cached
}

// called begins a call. The token need not be one yet: what is none is in no cache.
func (a *Authenticator) called(token string) call {
	c := call{token: token, now: time.Now(), cached: a.cache != nil && len(token) <= a.maxTokenSize}
	if c.cached {
		c.hash = hashToken(token)
	}
	return c
}

// recall asks the cache. It gives neither an identity nor a refusal for a token that must run through the checks.
func (a *Authenticator) recall(ctx context.Context, c *call) (*identity, *Error) {
	if !c.cached {
		return nil, nil
	}
	return a.cache.recall(ctx, &c.hash, c.now)
}

// verifyNew runs a token through every check, and remembers it if it passes.
func (a *Authenticator) verifyNew(ctx context.Context, c *call) (*identity, *Error) {
	var epoch uint64
	if c.cached {
		epoch = a.cache.epoch.Load()
	}
	v, refused := a.check(ctx, c.token, c.now, nil)
	if refused != nil {
		return nil, refused
	}
	e := newRemembered(c.hash, v)
	if c.cached {
		a.cache.remember(e, epoch)
	}
	return &e.identity, nil
}

// verification is one token on its way through the checks. Each check may use what those before it found.
type verification struct {
	auth      *Authenticator
	token     string
	now       time.Time // when the token came
	jws       compact
	candidate candidate
	issuer    *issuer
	set       *keySet   // the last one that was asked
	key       *jose.Key // that made the signature
}

// check is one step of a verification. seen says for Explain what it looks for and what it found; it is asked whether or not run refused.
type check struct {
	name string
	run  func(context.Context, *verification) *Error
	seen func(*verification) (expected, got string)
}

// checks is the pipeline. Its order keeps a bad token cheap: nothing is decoded above the size cap, no key is fetched for a token that its own claims already
// rule out, and no claim is believed before the signature holds.
var checks = []check{
	{"size", checkSize, seenSize},
	{"header", checkHeader, seenHeader},
	{"claims", checkClaims, seenClaims},
	{"issuer", checkIssuer, seenIssuer},
	{"algorithm", checkAlgorithm, seenAlgorithm},
	{"audience", checkAudience, seenAudience},
	{"expiry", checkExpiry, seenExpiry},
	{"kind", checkKind, seenKind},
	{"signature", checkSignature, seenSignature},
	{"start", checkNotBefore, seenNotBefore},
}

// check runs the pipeline up to the first refusal. A tracer, if there is one, is shown each step; it changes nothing.
func (a *Authenticator) check(ctx context.Context, token string, now time.Time, tracer func(*check, *verification, *Error)) (*verification, *Error) {
	v := &verification{auth: a, token: token, now: now}
	for n := range checks {
		refused := checks[n].run(ctx, v)
		if tracer != nil {
			tracer(&checks[n], v, refused)
		}
		if refused != nil {
			return v, refused
		}
	}
	a.headers.remember(&v.jws)
	return v, nil
}

func checkSize(_ context.Context, v *verification) *Error {
	if len(v.token) > v.auth.maxTokenSize {
		return refuse(ReasonTokenTooLarge)
	}
	return nil
}

func checkHeader(_ context.Context, v *verification) (refused *Error) {
	v.jws, refused = parseCompact(v.token, v.auth.algorithms, &v.auth.headers)
	return refused
}

func checkClaims(_ context.Context, v *verification) (refused *Error) {
	claims, err := decodeClaims(v.jws.payload)
	if err != nil {
		return refuse(ReasonMalformedClaims).because("a JSON object", err.Error())
	}
	v.candidate, refused = readCandidate(claims)
	return refused
}

func checkIssuer(_ context.Context, v *verification) (refused *Error) {
	v.issuer, refused = v.auth.issuerOf(v.candidate.issuer)
	return refused
}

func checkAlgorithm(_ context.Context, v *verification) *Error {
	if slices.Contains(v.issuer.algorithms, v.jws.header.alg) {
		return nil
	}
	return refuse(ReasonAlgorithm).because(strings.Join(v.issuer.algorithms, " "), v.jws.header.alg)
}

// checkSignature finds the key and checks the signature, with newer keys once if the known ones don't do.
func checkSignature(ctx context.Context, v *verification) (refused *Error) {
	keys := v.issuer.keys
	if v.set, refused = keys.current(ctx, v.now); refused != nil {
		return refused
	}
	for {
		v.key, refused = v.set.verify(&v.jws)
		if refused == nil || refused.Reason != ReasonUnknownKey {
			return refused
		}
		newer, unavailable := keys.renew(ctx, v.set, v.now)
		if unavailable != nil {
			unavailable.Hint = cmp.Or(unavailable.Hint, refused.Hint)
			return unavailable.because(refused.expected, refused.got)
		}
		v.set = newer // this ends: sets only get newer, and one that was asked for after the token came is the last word
	}
}
