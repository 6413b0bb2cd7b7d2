package resourceserver

import (
	"fmt"
	"strings"
)

// The functions below say for Explain what a check looks for and what it found. They decide nothing, and each must do with what a refused check leaves behind.

func seenSize(v *verification) (expected, got string) {
	return fmt.Sprintf("at most %d bytes", v.auth.maxTokenSize), fmt.Sprint(len(v.token))
}

func seenHeader(v *verification) (expected, got string) {
	expected = "a signed JWT with an allowed algorithm"
	if v.jws.header != nil {
		got = "alg " + v.jws.header.alg + ", typ " + v.jws.header.typ + ", kid " + v.jws.header.kid
	}
	return expected, got
}

func seenClaims(v *verification) (expected, got string) {
	expected = "a JSON object with exp, and registered claims of their types"
	if n := v.candidate.claims.object.Len(); n > 0 {
		got = fmt.Sprintf("%d claims", n)
	}
	return expected, got
}

func seenIssuer(v *verification) (expected, got string) {
	return v.auth.issuerNames(), v.candidate.issuer
}

func seenAlgorithm(v *verification) (expected, got string) {
	return strings.Join(v.issuer.algorithms, " "), v.jws.header.alg
}

func seenAudience(v *verification) (expected, got string) {
	expected = strings.Join(v.issuer.audiences, " ")
	if v.issuer.skipAudience {
		expected = "anything, since SkipAudienceCheck is set"
	}
	return expected, "[" + strings.Join(v.candidate.audience, " ") + "]"
}

func seenExpiry(v *verification) (expected, got string) {
	return fmt.Sprintf("exp after %s, give or take %v", stamp(v.now), v.issuer.leeway), stamp(v.candidate.expiry)
}

func seenKind(v *verification) (expected, got string) {
	return "an access token that is not bound to a key", "header typ " + v.jws.header.typ + ", claim typ " + v.candidate.kind
}

func seenSignature(v *verification) (expected, got string) {
	if v.set != nil {
		expected = "a key of " + v.set.ids
	}
	return expected, v.jws.header.alg + " by kid " + v.jws.header.kid
}

func seenNotBefore(v *verification) (expected, got string) {
	if !v.candidate.notBefore.IsZero() {
		got = stamp(v.candidate.notBefore)
	}
	return fmt.Sprintf("no nbf, or one before %s, give or take %v", stamp(v.now), v.issuer.leeway), got
}
