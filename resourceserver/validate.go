package resourceserver

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/svcauth/svcauth/internal/strictjson"
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
func readCandidate(claims Claims) (c candidate, refused *Error) {
	c.claims = claims
	for _, text := range []struct {
		name string
		into *string
	}{{"iss", &c.issuer}, {"sub", &c.subject}, {"typ", &c.kind}, {"azp", &c.authorizedParty}, {"client_id", &c.clientID}} {
		value := claims.lookup(text.name)
		var ok bool
		if *text.into, ok = value.Text(); !ok && value != "" {
			return c, refuse(ReasonMalformedClaims).because(text.name+" as text", string(value.Kind()))
		}
	}
	var issuedAt time.Time
	for _, date := range []struct {
		name string
		into *time.Time
	}{{"exp", &c.expiry}, {"nbf", &c.notBefore}, {"iat", &issuedAt}} {
		if *date.into, refused = numericDate(claims, date.name); refused != nil {
			return c, refused
		}
	}
	if c.audience, refused = audience(claims); refused != nil {
		return c, refused
	}
	if c.expiry.IsZero() {
		return c, refuse(ReasonMalformedClaims).because("an exp", "none")
	}
	if issuedAt.After(c.expiry) {
		return c, refuse(ReasonMalformedClaims).because("an iat before exp", "")
	}
	return c, nil
}

// numericDate reads a NumericDate (RFC 7519 §2): seconds, possibly with a fraction. An absent claim gives the zero time.
func numericDate(claims Claims, name string) (time.Time, *Error) {
	value := claims.lookup(name)
	switch value.Kind() {
	case strictjson.KindNone:
		return time.Time{}, nil
	case strictjson.KindNumber:
	default:
		return time.Time{}, refuse(ReasonMalformedClaims).because(name+" as a number of seconds", string(value.Kind()))
	}
	number := string(value)
	if whole, err := strconv.ParseInt(number, 10, 64); err == nil && whole > -maxSeconds && whole < maxSeconds {
		return time.Unix(whole, 0), nil
	}
	seconds, err := strconv.ParseFloat(number, 64)
	if err != nil || math.Abs(seconds) >= maxSeconds {
		return time.Time{}, refuse(ReasonMalformedClaims).because(name+" within reach", number)
	}
	whole, fraction := math.Modf(seconds)
	return time.Unix(int64(whole), int64(fraction*1e9)), nil
}

// audience reads aud, a string or an array of strings (RFC 7519 §4.1.3).
func audience(claims Claims) ([]string, *Error) {
	value := claims.lookup("aud")
	text, isText := value.Text()
	switch {
	case value == "":
		return nil, nil
	case isText:
		return []string{text}, nil
	case value.Kind() != strictjson.KindArray:
		return nil, oddAudience(value)
	}
	all := make([]string, 0, 4)
	for element := range value.Elements {
		text, isText := element.Text()
		if !isText {
			return nil, oddAudience(element)
		}
		all = append(all, text)
	}
	return all, nil
}

func oddAudience(odd strictjson.Value) *Error {
	return refuse(ReasonMalformedClaims).because("aud as text or an array of texts", string(odd.Kind()))
}

// checkAudience makes sure that the token is meant for this service (RFC 7519 §4.1.3).
func checkAudience(_ context.Context, v *verification) *Error {
	i, c := v.issuer, &v.candidate
	if i.skipAudience || slices.ContainsFunc(i.audiences, func(a string) bool { return slices.Contains(c.audience, a) }) {
		return nil
	}
	refused := refuse(ReasonAudience).because(strings.Join(i.audiences, " "), "["+strings.Join(c.audience, " ")+"]")
	refused.Hint = audienceHint(i, c.audience)
	if kind := tokenKind(c, v.jws.header); kind != nil { // a mapper would mend nothing
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
	c := &v.candidate
	if c.notBefore.IsZero() || !v.now.Before(c.notBefore.Add(-v.issuer.leeway)) {
		return nil
	}
	refused := refuse(ReasonNotYetValid).because("nbf before "+stamp(v.now), stamp(c.notBefore))
	refused.Hint = notYetValidHint(c.notBefore.Sub(v.now))
	return refused
}

func checkKind(_ context.Context, v *verification) *Error {
	refused := tokenKind(&v.candidate, v.jws.header)
	if refused != nil {
		refused.Hint = kindHint(refused.Reason, v.candidate.kind)
	}
	return refused
}

// tokenKind tells access tokens from their siblings. Keycloak signs ID tokens with the same key and gives all kinds the header typ JWT, so its claim typ
// decides; it also names its one-time action tokens there, so only what is known to be an access token passes. RFC 9068 §4 puts at+jwt into the header. Where
// neither speaks, the marks of an ID token do (OpenID Connect Core §2), and the claim token_use, with which AWS Cognito tells its own apart: its access
// tokens have no aud, so the audience would not. Sender-constrained tokens (RFC 9449 §7.2, RFC 8705 §3) prove nothing without their proof.
func tokenKind(c *candidate, header *header) *Error {
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
	if c.claims.String("token_use") == "id" {
		return refuse(ReasonTokenKind).because("an access token", "token_use id")
	}
	return nil
}

// client is the client that the token was issued to. RFC 9068 §2.2 and most issuers name it client_id, OpenID Connect azp. Where neither stands, Microsoft's
// appid (Entra ID before version 2, AD FS) and Okta's cid count; elsewhere they may be anything, so another type than text is no client and no fault.
func (c *candidate) client() string {
	if named := cmp.Or(c.authorizedParty, c.clientID); named != "" || c.claims.Has("azp") || c.claims.Has("client_id") {
		return named
	}
	return cmp.Or(c.claims.String("appid"), c.claims.String("cid"))
}

// scopes reads scope as a string (RFC 8693 §4.2) or array, and scp, which some issuers send instead.
func scopes(claims Claims) []string {
	all := newNameList(fewNames)
	for _, claim := range []string{"scope", "scp"} {
		value := claims.lookup(claim)
		text, _ := value.Text()
		all.addFields(text)
		for element := range value.Elements {
			text, _ := element.Text()
			all.addFields(text)
		}
	}
	return all.exact()
}

// identity is who v speaks for, once every check has passed.
func (v *verification) identity() identity {
	c, i := &v.candidate, v.issuer
	id := identity{
		subject: c.subject, issuer: i, scopes: scopes(c.claims), expiry: c.expiry, notBefore: c.notBefore, claims: c.claims,
		clientID: c.client(), username: cmp.Or(c.claims.String("preferred_username"), c.subject),
	}
	if i.mapper != nil {
		mapped := i.mapper(c.claims)
		all := newNameList(len(mapped))
		for _, role := range mapped {
			all.add(role)
		}
		id.roles = all.exact()
	}
	return id
}

// stamp writes a date for the log; years that RFC 3339 can't write are given in seconds.
func stamp(t time.Time) string {
	if y := t.Year(); y < 0 || y > 9999 {
		return fmt.Sprintf("%d", t.Unix())
	}
	return t.UTC().Format(time.RFC3339)
}
