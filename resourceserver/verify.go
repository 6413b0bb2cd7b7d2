package resourceserver

import (
	"cmp"
	"context"
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
func (a *Authenticator) Verify(ctx context.Context, token string) (*Principal, error) {
	id, err := a.verify(ctx, token)
	if err != nil {
		return nil, err
	}
	p := id.principal()
	return &p, nil
}

// verify answers from the cache if it can. What it can't answer, a refusal for instance, runs through every check.
func (a *Authenticator) verify(ctx context.Context, token string) (*identity, *Error) {
	now := time.Now()
	if a.cache == nil || len(token) > a.maxTokenSize {
		v, refused := a.check(ctx, token, now, nil)
		if refused != nil {
			return nil, refused
		}
		return v.identity(), nil
	}
	hash := hashToken(token)
	if id, refused := a.cache.recall(ctx, &hash, now); id != nil || refused != nil {
		return id, refused
	}
	epoch := a.cache.epoch.Load()
	v, refused := a.check(ctx, token, now, nil)
	if refused != nil {
		return nil, refused
	}
	id := v.identity()
	a.cache.remember(hash, v, id, epoch)
	return id, nil
}

// verification is one token on its way through the checks. Each check may use what those before it found.
type verification struct {
	auth      *Authenticator
	token     string
	now       time.Time // when the token came
	jws       *compact
	claims    Claims
	candidate *candidate
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

// checks is the pipeline. Its order keeps a bad token cheap: nothing is decoded above the size cap, no key is fetched for a token that its own claims already rule
// out, and no claim is believed before the signature holds.
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
	return v, nil
}

func checkSize(_ context.Context, v *verification) *Error {
	if len(v.token) > v.auth.maxTokenSize {
		return refuse(ReasonTokenTooLarge)
	}
	return nil
}

func checkHeader(_ context.Context, v *verification) (refused *Error) {
	v.jws, refused = parseCompact(v.token, v.auth.algorithms)
	return refused
}

func checkClaims(_ context.Context, v *verification) (refused *Error) {
	var err error
	if v.claims, err = decodeClaims(v.jws.payload); err != nil {
		return refuse(ReasonMalformedClaims).because("a JSON object", err.Error())
	}
	v.candidate, refused = readCandidate(v.claims)
	return refused
}

func checkIssuer(_ context.Context, v *verification) (refused *Error) {
	v.issuer, refused = v.auth.issuerOf(v.candidate.issuer)
	return refused
}

func checkAlgorithm(_ context.Context, v *verification) *Error {
	for _, alg := range v.issuer.algorithms {
		if alg == v.jws.alg {
			return nil
		}
	}
	return refuse(ReasonAlgorithm).because(strings.Join(v.issuer.algorithms, " "), v.jws.alg)
}

// checkSignature finds the key and checks the signature, with newer keys once if the known ones don't do.
func checkSignature(ctx context.Context, v *verification) (refused *Error) {
	keys := v.issuer.keys
	if v.set, refused = keys.current(ctx, time.Now()); refused != nil {
		return refused
	}
	for {
		v.key, refused = v.set.verify(v.jws)
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
