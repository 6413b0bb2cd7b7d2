package resourceserver

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// audienceHint tells the mend for the most frequent misconfiguration: Keycloak puts no service into aud on its own (RFC 7519 §4.1.3 leaves it to the issuer).
// Elsewhere an aud comes from what the client asks for.
func audienceHint(i *issuer, got []string) string {
	name, came := i.audiences[0], "the token has no aud"
	if len(got) > 0 {
		came = "aud is " + plain("["+strings.Join(got, " ")+"]")
	}
	mapper := "in Keycloak add an Audience mapper for " + name
	switch {
	case i.keycloak():
		came += ": " + mapper + " to the calling client or to a client scope of it"
		if slices.ContainsFunc(got, func(name string) bool { return name != "account" }) {
			came += "; or mend Audiences, if this service is called otherwise"
		}
		return came
	case len(got) == 0:
		return fmt.Sprintf("%s: let the client ask for %s as the issuer wants it (an audience, a resource, a scope; %s); for one that never writes aud, as AWS Cognito, set "+
			"SkipAudienceCheck, and let rules name the clients or scopes that may call, since tokens for other services of it pass then", came, name, mapper)
	}
	return fmt.Sprintf("%s: let the client ask for %s as the issuer wants it (an audience, a resource, a scope; %s); if aud is another name of this very service, as Entra ID's "+
		"client id and api:// URI are, set Audiences to it", came, name, mapper)
}

// keycloak reports whether the issuer is named as Keycloak's realms are, so that hints may be in its terms.
func (i *issuer) keycloak() bool { return strings.Contains(i.name, "/realms/") }

// issuerHint tells apart the ways in which a token's issuer comes to differ from the configured ones.
func issuerHint(configured []*issuer, got string) string {
	if got == "" {
		return "the token has no iss: let the issuer write it (SPIRE: jwt_issuer)"
	}
	from, err := url.Parse(got)
	for _, i := range configured {
		if strings.TrimSuffix(i.name, "/") == strings.TrimSuffix(got, "/") {
			return "they differ by the slash at the end: set Config.Issuer to exactly what the tokens say"
		}
		if strings.HasSuffix(got, "://"+i.name) || strings.HasSuffix(i.name, "://"+got) {
			return "they differ by the scheme: set Config.Issuer to exactly what the tokens say; if the issuer writes both, add an entry to Config.Issuers"
		}
		u, parsed := url.Parse(i.name)
		if parsed != nil || err != nil {
			continue
		}
		if entraHosts[u.Host] && entraHosts[from.Host] {
			return "Entra ID names itself sts.windows.net in tokens of version 1 and login.microsoftonline.com in those of version 2, and by the tenant: let the registration of this API ask for " +
				"version 2 (requestedAccessTokenVersion in its manifest), or set Config.Issuer and Audiences to what the tokens say"
		}
		if u.Host == from.Host && u.Scheme == from.Scheme {
			if !i.keycloak() {
				return "the token is from another tenant or server of the same host: set Config.Issuer to exactly what the tokens say, if they are to be trusted"
			}
			return "the token is from another realm of the same server: check the realm's name in Config.Issuer, or in the client's configuration"
		}
	}
	if !slices.ContainsFunc(configured, (*issuer).keycloak) {
		return "the token is from another issuer: set Config.Issuer to exactly what the tokens say, if it is to be trusted; JWKSURL reaches its keys by an internal name"
	}
	return "the issuer names itself by the host its clients use: give all of them one host name (in Keycloak KC_HOSTNAME), and reach its keys by an internal one with JWKSURL"
}

// entraHosts are where issuers of Microsoft Entra ID live, of both versions.
var entraHosts = map[string]bool{"login.microsoftonline.com": true, "sts.windows.net": true}

// usualRoleClaims are where issuers other than Keycloak write roles.
var usualRoleClaims = []string{"roles", "role", "groups", "permissions", "authorities", "entitlements", "cognito:groups", "urn:zitadel:iam:org:project:roles"}

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
	case !p.verified.issuer.keycloak() && len(clients) == 0 && !p.verified.claims.Has("realm_access"):
		if len(p.verified.roles) > 0 {
			return "the token holds other roles: assign the role to the caller at the issuer; names compare exactly, in case too"
		}
		found := slices.DeleteFunc(slices.Clone(usualRoleClaims), func(name string) bool { return !p.verified.claims.Has(name) })
		return fmt.Sprintf("Config.Roles finds no roles in the token, whose claims of the usual names are [%s]: let the issuer write roles into access tokens, and have Config.Roles read where "+
			"they stand (RolesFromClaim, RolesFromNames)", strings.Join(found, " "))
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
		return "this looks like an ID token, which tells the client who signed in: let it send the access_token of the same answer " +
			"(Dex and authentik write nonce or at_hash into both, so that nobody can tell them apart: with authentik sign in without a nonce)"
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
	ReasonMalformedToken: "want a signed JWT: if the token is whole, it may be a reference or encrypted, and the issuer must be told to give JWTs " +
		"(Auth0: audience in the token request; Zitadel and Curity: the client's kind of access token)",
	ReasonSignature: "the token was altered or cut on its way, or is signed by another key that goes by the same name: look who sends it",
}

const unknownKeyHint = "the issuer does not publish the key that the token names: the token is from another realm or from before the issuer was set up anew, " +
	"or JWKSURL points at another issuer"

const keysHint = "this service can't get the issuer's keys: see the log of the key fetch, and set JWKSURL if the issuer has another name inside the network"
