package clientcreds

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// maxSkew is how far apart the clocks may be before it is worth a word. Keycloak refuses assertions of a clock that is 15 seconds ahead.
const maxSkew = 10 * time.Second

// compareClocks measures this machine's clock against the issuer's: by the answer's Date field (RFC 9110 §6.6.1), or by the token's iat, for Keycloak sends no
// Date. Both have whole seconds.
func (d *Diagnosis) compareClocks(header http.Header, token string, sent, received time.Time, auth ClientAuth) {
	theirs, err := http.ParseTime(header.Get("Date"))
	if c := peek(token); err != nil && c != nil && c.Iat > 0 && c.Iat < 1<<40 {
		theirs, err = time.Unix(int64(c.Iat), 0), nil
	}
	if err != nil {
		d.set(SubjectClock, ResultUnknown, "the answer does not tell the issuer's time", "")
		return
	}
	var skew time.Duration // of the issuer's clock, as seen from here
	switch {
	case theirs.After(received):
		skew = theirs.Sub(received)
	case theirs.Add(time.Second).Before(sent):
		skew = theirs.Add(time.Second).Sub(sent)
	}
	if skew.Abs() <= maxSkew {
		d.set(SubjectClock, ResultOK, "within a few seconds of the issuer's", "")
		return
	}
	where := "ahead of"
	if skew > 0 {
		where = "behind"
	}
	mend := "synchronize both clocks (NTP): services would take tokens to be expired, or not yet valid"
	if strings.HasSuffix(methodOf(auth), "_jwt") {
		mend = "synchronize both clocks (NTP): Keycloak refuses assertions of a clock that is 15 seconds ahead or a minute behind"
	}
	d.set(SubjectClock, ResultWarning, fmt.Sprintf("this machine's clock is %v %s the issuer's", skew.Abs().Round(time.Second), where), mend)
}

// claims are what is looked at of a token that is a JWT. Nothing is verified: the token came from the issuer, and is not acted on.
type claims struct {
	Iss         string          `json:"iss"`
	Aud         json.RawMessage `json:"aud"`
	Azp         string          `json:"azp"`
	Iat         float64         `json:"iat"`
	RealmAccess struct {
		Roles []string `json:"roles"`
	} `json:"realm_access"`
	ResourceAccess map[string]struct {
		Roles []string `json:"roles"`
	} `json:"resource_access"`
}

// peek returns nil for a token that is no JWT.
func peek(token string) *claims {
	var c claims
	if json.Unmarshal(jwtPayload(token), &c) != nil {
		return nil
	}
	return &c
}

func (c *claims) audiences() []string {
	var one string
	if json.Unmarshal(c.Aud, &one) == nil && one != "" {
		return []string{one}
	}
	var many []string
	_ = json.Unmarshal(c.Aud, &many)
	return many
}

func (c *claims) roles() []string {
	roles := slices.Clone(c.RealmAccess.Roles)
	for client, access := range c.ResourceAccess {
		for _, role := range access.Roles {
			roles = append(roles, client+"/"+role)
		}
	}
	slices.Sort(roles)
	return roles
}

// look compares the token with what was declared.
func (d *Diagnosis) look(h *held, c *client, t *target) {
	switch missing := missingScopes(t.Scopes, h.granted); {
	case len(missing) > 0:
		d.set(SubjectScope, ResultWarning, fmt.Sprintf("not granted: %q", missing), c.inTermsOf(
			"Keycloak: Clients > "+c.id+" > Client scopes: add them; one that is there and granted but not listed has Include in token scope off",
			"let the issuer give them to the client, or remove them from Scopes"))
	case h.granted == nil:
		d.set(SubjectScope, ResultOK, "the issuer says nothing, which means as asked for", "")
	default:
		d.set(SubjectScope, ResultOK, "granted: "+listed(h.granted), "")
	}
	own := peek(h.value)
	if own == nil {
		d.set(SubjectAudience, ResultUnknown, "the token is opaque", "")
		return
	}
	if c.issuer != "" && own.Iss != c.issuer {
		d.set(SubjectIssuer, ResultWarning, fmt.Sprintf("the token's iss is %q, Issuer is %q", printable(own.Iss, 200), printableURL(c.issuer)),
			c.inTermsOf("services compare it exactly: set Keycloak's hostname option (KC_HOSTNAME), so that it names itself alike for everybody",
				"services compare it exactly: give them the token's as Issuer (Entra ID: sts.windows.net until the API's manifest has requestedAccessTokenVersion 2)"))
	}
	audiences := own.audiences()
	wanted := slices.Concat(t.Resources, t.Params["audience"])
	found := fmt.Sprintf("the token's aud is %s, azp %q, roles %s", listed(audiences), printable(own.Azp, 100), listed(own.roles()))
	lacks := func(audience string) bool { return !slices.Contains(audiences, audience) }
	switch {
	case slices.ContainsFunc(wanted, lacks), len(audiences) == 0, len(audiences) == 1 && audiences[0] == "account":
		d.set(SubjectAudience, ResultWarning, found, "a service that checks the audience refuses it. "+c.inTermsOf("Keycloak: Clients > "+c.id+" > Client scopes > "+c.id+
			"-dedicated > Add mapper > Audience: name the service, and add it to the access token",
			"Ask for the service as the issuer wants it: audience in Params, Resources, or one of Scopes (AWS Cognito writes no aud at all)"))
	default:
		d.set(SubjectAudience, ResultOK, found, "")
	}
}

// inTermsOf returns keycloaks for an issuer that is named as Keycloak's realms are, or that is not known, and else others.
func (c *client) inTermsOf(keycloaks, others string) string {
	if c.issuer == "" || strings.Contains(c.issuer, "/realms/") {
		return keycloaks
	}
	return others
}

// listed shows names that the issuer made up: few, short, printable.
func listed(names []string) string {
	text := "[" + strings.Join(names, " ") + "]"
	if len(names) > 20 {
		text = fmt.Sprintf("[%s … and %d more]", strings.Join(names[:20], " "), len(names)-20)
	}
	return printable(strings.ReplaceAll(text, "…", "..."), 400)
}
