package resourceserver

import (
	"context"
	"slices"
	"time"
)

// Verify decides whether token is a valid access token for this resource server (RFC 7519 §7.2, RFC 8725, RFC 9068 §4), and says who it speaks for.
// It is what the middleware calls, and the door for other transports. ctx bounds only how long the caller waits for keys.
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

// verify is the pipeline. Its order keeps a bad token cheap: nothing is decoded above the size cap, no key is fetched for a token that its own claims
// already rule out, and no claim is believed before the signature holds.
func (a *Authenticator) verify(ctx context.Context, token string) (*identity, *Error) {
	started := time.Now()
	if len(token) > a.maxTokenSize {
		return nil, refuse(ReasonTokenTooLarge)
	}
	jws, refused := parseCompact(token, a.algorithms)
	if refused != nil {
		return nil, refused
	}
	claims, err := decodeClaims(jws.payload)
	if err != nil {
		return nil, refuse(ReasonMalformedClaims).because("a JSON object", err.Error())
	}
	c, refused := readCandidate(claims)
	if refused != nil {
		return nil, refused
	}
	i, refused := a.issuerOf(c.issuer)
	if refused != nil {
		return nil, refused
	}
	if !slices.Contains(i.algorithms, jws.alg) {
		return nil, refuse(ReasonAlgorithm).because("an algorithm of this issuer", jws.alg)
	}
	if refused := i.beforeKey(c, jws, started); refused != nil {
		return nil, refused
	}
	if refused := i.verifySignature(ctx, jws, started); refused != nil {
		return nil, refused
	}
	if refused := i.afterSignature(c, started); refused != nil {
		return nil, refused
	}
	return c.identity(i), nil
}

// verifySignature finds the key and checks the signature, with newer keys once if the known ones don't do.
func (i *issuer) verifySignature(ctx context.Context, jws *compact, started time.Time) *Error {
	set, refused := i.keys.current(ctx)
	if refused != nil {
		return refused
	}
	for {
		refused = set.verify(jws)
		if refused == nil || refused.Reason != ReasonUnknownKey {
			return refused
		}
		newer, unavailable := i.keys.renew(ctx, set, started)
		if unavailable != nil {
			return unavailable.because(refused.expected, refused.got)
		}
		set = newer // this ends: sets only get newer, and one that was asked for after the token came is the last word
	}
}
