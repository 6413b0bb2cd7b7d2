package resourceserver

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// maxSeconds bounds numeric dates (RFC 7519 §2). Beyond it a sum of seconds could wrap around, and 1e300 would become a date in the past.
const maxSeconds = 1 << 62

// candidate holds the claims that decide, read once: the values that are checked are those that the handler sees.
type candidate struct {
	claims          Claims
	issuer, subject string
	audience        []string
	expiry          time.Time
	notBefore       time.Time // zero: absent
	kind            string    // claim typ
	authorizedParty string    // azp
	clientID        string
}

// readCandidate reads and type-checks the claims that decide. A registered claim of the wrong type is refused, never read as absent.
func readCandidate(claims Claims) (*candidate, *Error) {
	c := &candidate{claims: claims}
	for _, text := range []struct {
		name string
		into *string
	}{{"iss", &c.issuer}, {"sub", &c.subject}, {"typ", &c.kind}, {"azp", &c.authorizedParty}, {"client_id", &c.clientID}} {
		value, present := claims.lookup([]string{text.name})
		var ok bool
		if *text.into, ok = value.(string); present && !ok {
			return nil, refuse(ReasonMalformedClaims).because(text.name+" as text", fmt.Sprintf("%T", value))
		}
	}
	var refused *Error
	var issuedAt time.Time
	for _, date := range []struct {
		name string
		into *time.Time
	}{{"exp", &c.expiry}, {"nbf", &c.notBefore}, {"iat", &issuedAt}} {
		if *date.into, refused = numericDate(claims, date.name); refused != nil {
			return nil, refused
		}
	}
	if c.audience, refused = audience(claims); refused != nil {
		return nil, refused
	}
	if c.expiry.IsZero() {
		return nil, refuse(ReasonMalformedClaims).because("an exp", "none")
	}
	if issuedAt.After(c.expiry) {
		return nil, refuse(ReasonMalformedClaims).because("an iat before exp", "")
	}
	return c, nil
}

// numericDate reads a NumericDate (RFC 7519 §2): seconds, possibly with a fraction. An absent claim gives the zero time.
func numericDate(claims Claims, name string) (time.Time, *Error) {
	value, present := claims.lookup([]string{name})
	if !present {
		return time.Time{}, nil
	}
	number, ok := value.(json.Number)
	if !ok {
		return time.Time{}, refuse(ReasonMalformedClaims).because(name+" as a number of seconds", fmt.Sprintf("%T", value))
	}
	if whole, err := number.Int64(); err == nil && whole > -maxSeconds && whole < maxSeconds {
		return time.Unix(whole, 0), nil
	}
	seconds, err := number.Float64()
	if err != nil || math.Abs(seconds) >= maxSeconds {
		return time.Time{}, refuse(ReasonMalformedClaims).because(name+" within reach", number.String())
	}
	whole, fraction := math.Modf(seconds)
	return time.Unix(int64(whole), int64(fraction*1e9)), nil
}

// audience reads aud, a string or an array of strings (RFC 7519 §4.1.3).
func audience(claims Claims) ([]string, *Error) {
	value, present := claims.lookup([]string{"aud"})
	if !present {
		return nil, nil
	}
	texts := claims.Strings("aud")
	if array, isArray := value.([]any); isArray && len(array) != len(texts) || !isArray && texts == nil {
		return nil, refuse(ReasonMalformedClaims).because("aud as text or an array of texts", fmt.Sprintf("%T", value))
	}
	return texts, nil
}

// checkAudience makes sure that the token is meant for this service (RFC 7519 §4.1.3).
func checkAudience(_ context.Context, v *verification) *Error {
	i, c := v.issuer, v.candidate
	if i.skipAudience || slices.ContainsFunc(i.audiences, func(a string) bool { return slices.Contains(c.audience, a) }) {
		return nil
	}
	refused := refuse(ReasonAudience).because(strings.Join(i.audiences, " "), "["+strings.Join(c.audience, " ")+"]")
	refused.Hint = audienceHint(i.audiences, c.audience)
	if kind := tokenKind(c, v.jws); kind != nil { // a mapper would mend nothing
		refused.Hint = kindHint(kind.Reason, c.kind)
	}
	return refused
}

// checkExpiry comes before the key is looked for: an old token may not cause a fetch.
func checkExpiry(_ context.Context, v *verification) *Error {
	if v.now.Before(v.candidate.expiry.Add(v.issuer.leeway)) {
		return nil
	}
	refused := refuse(ReasonExpired).because("exp after "+stamp(v.now), stamp(v.candidate.expiry))
	refused.Hint = expiredHint(v.now.Sub(v.candidate.expiry))
	return refused
}

// checkNotBefore comes last, since only a verified token is worth waiting for.
func checkNotBefore(_ context.Context, v *verification) *Error {
	c := v.candidate
	if c.notBefore.IsZero() || !v.now.Before(c.notBefore.Add(-v.issuer.leeway)) {
		return nil
	}
	return refuse(ReasonNotYetValid).because("nbf before "+stamp(v.now), stamp(c.notBefore))
}

func checkKind(_ context.Context, v *verification) *Error {
	refused := tokenKind(v.candidate, v.jws)
	if refused != nil {
		refused.Hint = kindHint(refused.Reason, v.candidate.kind)
	}
	return refused
}

// tokenKind tells access tokens from their siblings. Keycloak signs ID tokens with the same key and gives all kinds the header typ JWT, so its claim typ decides;
// it also names its one-time action tokens there, so only what is known to be an access token passes. RFC 9068 §4 puts at+jwt into the header. Where neither
// speaks, the marks of an ID token do (OpenID Connect Core §2). Sender-constrained tokens (RFC 9449 §7.2, RFC 8705 §3) prove nothing without their proof.
func tokenKind(c *candidate, header *compact) *Error {
	if c.claims.Has("cnf") || strings.EqualFold(c.kind, "DPoP") {
		return refuse(ReasonSenderBound).because("a bearer token", c.kind)
	}
	switch strings.ToLower(c.kind) {
	case "bearer", "at+jwt", "access_token":
		return nil
	case "", "jwt": // some issuers repeat the header's typ as a claim
		if header.typ == "at+jwt" {
			return nil
		}
	default:
		return refuse(ReasonTokenKind).because("typ Bearer", c.kind)
	}
	for _, mark := range []string{"nonce", "at_hash", "c_hash"} {
		if c.claims.Has(mark) {
			return refuse(ReasonTokenKind).because("an access token", "an ID token's "+mark)
		}
	}
	return nil
}

// scopes reads scope as a string (RFC 8693 §4.2) or array, and scp, which some issuers send instead.
func scopes(claims Claims) []string {
	var all []string
	for _, name := range []string{"scope", "scp"} {
		for _, text := range claims.Strings(name) {
			all = append(all, strings.Fields(text)...)
		}
	}
	return distinct(all)
}

// identity is who v speaks for, once every check has passed.
func (v *verification) identity() *identity {
	c, i := v.candidate, v.issuer
	id := &identity{
		subject: c.subject, issuer: i.issuer, scopes: scopes(c.claims), expiry: c.expiry, until: c.expiry.Add(i.leeway), claims: c.claims,
		clientID: cmp.Or(c.authorizedParty, c.clientID), username: cmp.Or(c.claims.String("preferred_username"), c.subject),
	}
	if !c.notBefore.IsZero() {
		id.from = c.notBefore.Add(-i.leeway)
	}
	if i.mapper != nil {
		id.roles = distinct(i.mapper(c.claims))
	}
	return id
}

// distinct returns the names without duplicates and empty ones, in order. It is linear: a token of 16 KiB can hold thousands.
func distinct(names []string) []string {
	if len(names) == 0 {
		return nil
	}
	seen := make(map[string]struct{}, len(names))
	unique := make([]string, 0, len(names))
	for _, name := range names {
		if _, twice := seen[name]; !twice && name != "" {
			seen[name] = struct{}{}
			unique = append(unique, name)
		}
	}
	return slices.Clone(unique) // as long as it is: many duplicates must not keep their room in a remembered token
}

// stamp writes a date for the log; years that RFC 3339 can't write are given in seconds.
func stamp(t time.Time) string {
	if y := t.Year(); y < 0 || y > 9999 {
		return fmt.Sprintf("%d", t.Unix())
	}
	return t.UTC().Format(time.RFC3339)
}
