package resourceserver

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// audienceHint tells the mend for the most frequent misconfiguration: Keycloak puts no service into aud on its own (RFC 7519 §4.1.3 leaves it to the issuer).
func audienceHint(want, got []string) string {
	name := want[0]
	if len(got) == 0 {
		return fmt.Sprintf("the token has no aud: in Keycloak add an Audience mapper for %s to the calling client or to a client scope of it", name)
	}
	return fmt.Sprintf("aud is %s: in Keycloak add an Audience mapper for %s to the calling client or to a client scope of it", plain("["+strings.Join(got, " ")+"]"), name)
}

// issuerHint tells apart the ways in which a token's issuer comes to differ from the configured ones.
func issuerHint(configured []*issuer, got string) string {
	if got == "" {
		return "the token has no iss"
	}
	from, err := url.Parse(got)
	for _, i := range configured {
		if strings.TrimSuffix(i.name, "/") == strings.TrimSuffix(got, "/") {
			return "they differ by the slash at the end: set Config.Issuer to exactly what the tokens say"
		}
		if u, parsed := url.Parse(i.name); parsed == nil && err == nil && u.Host == from.Host && u.Scheme == from.Scheme {
			return "the token is from another realm of the same server: check the realm's name in Config.Issuer, or in the client's configuration"
		}
	}
	return "the issuer names itself by the host its clients use: give all of them one host name (in Keycloak KC_HOSTNAME), and reach its keys by an internal one with JWKSURL"
}

// maxHintClients bounds how many clients of resource_access are looked at for a hint, which every 403 makes.
const maxHintClients = 32

// roleHint tells a role that was not assigned from one that is not looked for where it stands. wanted are the roles of the rule.
func roleHint(p *Principal, wanted []string) string {
	if p.verified == nil {
		return ""
	}
	var clients []string
	for client, access := range p.verified.claims.lookup("resource_access").Members {
		for element := range access.Member("roles").Elements {
			role, _ := element.Text()
			if slices.Contains(wanted, role) || slices.Contains(wanted, strings.TrimPrefix(role, "ROLE_")) {
				return fmt.Sprintf("%s is a client role of %s: if it should count, merge keycloak.ClientRoles(%s) into Config.Roles",
					plain(role), plain("["+client+"]"), quoted(client))
			}
		}
		if clients = append(clients, client); len(clients) == maxHintClients {
			break
		}
	}
	switch {
	case len(p.verified.roles) > 0:
		return "the token holds other roles: in Keycloak assign the role to the user, or to the client's service account; names compare exactly, in case too"
	case len(clients) > 0:
		slices.Sort(clients)
		return fmt.Sprintf("Config.Roles finds no roles, but the token holds client roles of %s: if they should count, merge keycloak.ClientRoles of that client into Config.Roles",
			plain("["+strings.Join(clients, " ")+"]"))
	}
	return "the token holds no roles at all: in Keycloak assign the role to the user or to the client's service account, and check that the client has the scope \"roles\" " +
		"and is not set to lightweight access tokens"
}

// expiredHint tells a client that keeps its token too long from clocks that differ.
func expiredHint(ago time.Duration) string {
	if ago > 10*time.Minute {
		return fmt.Sprintf("the token expired %v ago: the client keeps tokens and does not renew them, or this machine's clock is wrong", ago.Round(time.Second))
	}
	return fmt.Sprintf("the token expired %v ago: the client renews too late, or the clocks of issuer and service differ by more than Config.Leeway", ago.Round(time.Second))
}

func kindHint(reason Reason, kind string) string {
	switch {
	case reason == ReasonSenderBound:
		return "the client asked for a token bound to its key or certificate (DPoP, mutual TLS) and sends it as a plain bearer token: let it ask without"
	case strings.EqualFold(kind, "ID") || kind == "":
		return "this looks like an ID token, which tells the client who signed in: let it send the access_token of the same answer"
	case strings.EqualFold(kind, "Refresh") || strings.EqualFold(kind, "Offline"):
		return "this is a refresh token, which belongs to the issuer alone: let the client send the access_token of the same answer"
	}
	return "let the client send the access_token that the token endpoint gave it"
}

func notYetValidHint(ahead time.Duration) string {
	return fmt.Sprintf("the token is valid only in %v: the clocks of issuer and service differ by more than Config.Leeway, so let both keep time by NTP, or it was made for later",
		ahead.Round(time.Second))
}

// heldBackHint is for a key that may be a new one: this token was not worth a fetch, since another has caused one just now.
func heldBackHint(age time.Duration) string {
	return fmt.Sprintf("the key is not among those fetched %v ago, and unknown keys are fetched for at most every %v: after a rotation this passes by itself; "+
		"if it stays, the token is from another issuer", age.Round(time.Second), kidCooldown)
}

// fixedHints go with every refusal for the reason.
var fixedHints = map[Reason]string{
	ReasonMalformedHeader: "want one token after Bearer: is a variable of the client empty, or does the value have quotes, a comma or a line break?",
	ReasonSignature:       "the token was altered or cut on its way, or is signed by another key that goes by the same name: look who sends it",
}

const unknownKeyHint = "the issuer does not publish the key that the token names: the token is from another realm or from before the issuer was set up anew, " +
	"or JWKSURL points at another issuer"

const keysHint = "this service can't get the issuer's keys: see the log of the key fetch, and set JWKSURL if the issuer has another name inside the network"
