package clientcreds

import (
	"net/http"
	"slices"
	"strings"
)

// issuerMend is what to do about an issuer whose document can't be had.
const issuerMend = "see that the issuer runs and can be reached from here, and that Issuer is exactly what it calls itself; a 404 of Keycloak means that there is no such realm, or that an old one has /auth before /realms"

// blame reads a failed token request as Keycloak means it: which of the subjects is wrong, and where in its admin console that is put right. Elsewhere the
// codes mean what RFC 6749 §5.2 says, which the subjects still fit.
func blame(e *Error, clientID string, auth ClientAuth) (Subject, string) {
	switch e.Class {
	case ClassCredential:
		return SubjectSecret, "mend what the error names; nothing was sent"
	case ClassPanic:
		return SubjectSecret, "mend the code of the Secret, ClientAuth or HTTPClient that the configuration brings"
	case ClassDiscovery:
		return SubjectDiscovery, issuerMend
	case ClassTimeout, ClassNetwork:
		return SubjectDiscovery, "see that the token endpoint can be reached from here; if Keycloak's metadata names an address that only others can reach, set its hostname option (KC_HOSTNAME), and hostname-backchannel-dynamic for those inside"
	case ClassTLS:
		if authenticator(auth) == byCertificate {
			return SubjectSecret, "see that the issuer trusts the authority of the client's certificate (Keycloak: truststore-paths), and that HTTPClient's Transport trusts the issuer's"
		}
		return SubjectDiscovery, "give HTTPClient a Transport that trusts the authority of that certificate, and see that it is for this host"
	case ClassMalformed:
		return SubjectDiscovery, "what answers there is no token endpoint of OAuth 2.0: look at TokenURL, and at proxies between"
	case ClassStatus:
		switch {
		case e.Status >= 300 && e.Status < 400, e.Status == http.StatusNotFound, e.Status == http.StatusMethodNotAllowed, e.Status == http.StatusGone:
			return SubjectDiscovery, "there is no token endpoint at this address: Keycloak's is {base}/realms/{realm}/protocol/openid-connect/token, and Issuer instead of TokenURL finds it"
		case e.Status == http.StatusTooManyRequests || e.Status >= 500:
			return SubjectDiscovery, "the issuer is overloaded or down: look at its log"
		}
	}
	said := strings.ToLower(e.Description)
	for _, r := range slices.Concat(otherIssuersRefusals, keycloakRefusals) {
		if (r.code == "" || r.code == e.Code) && (r.says == "" || strings.Contains(said, r.says)) && (r.by == "" || r.by == authenticator(auth)) {
			return r.subject, strings.NewReplacer("{client}", clientID, "{authenticator}", authenticator(auth)).Replace(r.mend)
		}
	}
	return SubjectSecret, "ask the issuer what this refusal means; Keycloak logs CLIENT_LOGIN_ERROR with the cause"
}

// hinted is e with its hint; a copy, for other Sources of the client may have e, too.
func (e *Error) hinted(c *client) *Error {
	copied := *e
	_, copied.Hint = blame(e, c.id, c.auth)
	return &copied
}

// knownRefusal is a refusal that is known by its text.
type knownRefusal struct {
	code    string // exact; empty: any
	says    string // in the description, in lower case; empty: anything
	by      string // authenticator of the method; empty: any
	subject Subject
	mend    string
}

// otherIssuersRefusals are those of other issuers, by texts that Keycloak does not use: Microsoft Entra ID numbers them, then Auth0's and Okta's.
var otherIssuersRefusals = []knownRefusal{
	{"", "aadsts7000222:", "", SubjectSecret, "Entra ID: the secret has expired: App registrations > {client} > Certificates & secrets: make a new one"},
	{"", "aadsts7000215:", "", SubjectSecret, "Entra ID: App registrations > {client} > Certificates & secrets: send the secret's Value, which is shown once, not its Secret ID"},
	{"", "aadsts700016:", "", SubjectSecret, "Entra ID: there is no application {client} in this tenant: look at ClientID, and at the tenant in Issuer or TokenURL"},
	{"", "aadsts90002:", "", SubjectDiscovery, "Entra ID: there is no such tenant: look at Issuer or TokenURL"},
	{"", "aadsts1002012:", "", SubjectScope, "Entra ID: Scopes is one entry for this grant, the API's Application ID URI with /.default, such as api://messages/.default"},
	{"", "aadsts70011:", "", SubjectScope, "Entra ID: Scopes is one entry for this grant, the API's Application ID URI with /.default, such as api://messages/.default"},
	{"", "aadsts900144:", "", SubjectScope, "Entra ID: set Scopes to the API's Application ID URI with /.default, such as api://messages/.default"},
	{"", "aadsts500011:", "", SubjectAudience, "Entra ID: the API that Scopes names is not registered in this tenant: look at its Application ID URI"},
	{"", "aadsts700027:", "", SubjectSecret, "Entra ID: the assertion names a certificate that is not the application's: App registrations > {client} > Certificates & secrets > Certificates"},
	{"", "aadsts", "", SubjectSecret, "Entra ID: look up the AADSTS number of the description in its error codes"},
	{"access_denied", "no audience parameter", "", SubjectAudience, "Auth0 gives a token for one API: set Params, audience to the API's identifier"},
	{"access_denied", "service not found", "", SubjectAudience, "Auth0 knows no API of that identifier: look at audience in Params"},
	{"access_denied", "not authorized to access", "", SubjectAudience, "Auth0: Applications > APIs > the API > Machine to Machine Applications: authorize {client}"},
	{"access_denied", "unauthorized", "", SubjectSecret, "Auth0: Applications > {client} > Settings: compare the secret, and the method under Credentials"},
	{"unauthorized_client", "grant type", "", SubjectMethod, "allow the client the grant client_credentials (Auth0: Applications > {client} > Settings > Advanced > Grant Types; Okta: the application is of the kind API Services)"},
	{"invalid_scope", "must be provided", "", SubjectScope, "set Scopes: this issuer gives no token without (Okta: a scope of the authorization server)"},
	{"invalid_scope", "one or more scopes are not configured", "", SubjectScope, "Okta: Security > API > the authorization server > Scopes: add it, and an access policy that gives it to {client}"},
}

// keycloakRefusals are Keycloak's refusals of a token request, the first that fits counts. They are known by the texts of their descriptions, for it uses a
// few codes for all of them.
var keycloakRefusals = []knownRefusal{
	{"", "audience", byForeignJWT, SubjectAudience, "let the assertion be issued for the realm's issuer, as its only audience (a projected Kubernetes token has it in serviceAccountToken.audience)"},
	{"", "token reuse", byForeignJWT, SubjectMethod, "Keycloak takes an assertion once: let Token give a new one for each request, or turn the reuse of client assertions on at Keycloak's identity provider"},
	{"invalid_client", "", byForeignJWT, SubjectSecret, "Keycloak: Identity providers: the one with the assertion's iss must accept client assertions; Clients > the client > Credentials: Client Authenticator must be {authenticator}, with that identity provider and the assertion's sub"},
	{"", "missing client_id", "", SubjectMethod, "Keycloak: Clients > {client} > Credentials > Client Authenticator is X509 Certificate: choose {authenticator}, or set Auth to MutualTLS"},
	{"invalid_client", "", byCertificate, SubjectSecret, "Keycloak: Clients > {client} > Credentials: Client Authenticator must be {authenticator}, with the certificate's Subject DN; Keycloak must ask for certificates (https-client-auth) and trust their authority (truststore-paths)"},
	{"invalid_scope", "", "", SubjectScope, "Keycloak refuses the whole request for one scope it does not know: Clients > {client} > Client scopes: add it, as Default or Optional, or remove it from Scopes"},
	{"invalid_target", "", "", SubjectAudience, "the issuer knows no such resource: look at Resources"},
	{"unsupported_grant_type", "", "", SubjectMethod, "Keycloak: Clients > {client} > Settings > Capability config: turn Service accounts roles on"},
	{"", "public client", "", SubjectMethod, "Keycloak: Clients > {client} > Settings > Capability config: turn Client authentication on, then Service accounts roles"},
	{"", "service account", "", SubjectMethod, "Keycloak: Clients > {client} > Settings > Capability config: turn Service accounts roles on"},
	{"", "bearer-only", "", SubjectMethod, "Keycloak: the client is bearer-only and gets no tokens: make one that is not"},
	{"", "disabled", "", SubjectMethod, "Keycloak: Users: enable the user service-account-{client}"},
	{"", "audience", "", SubjectAudience, "leave the method's Audience empty, so that the assertion is for the issuer; if the issuer still refuses it, it calls itself something else: set its hostname option (KC_HOSTNAME)"},
	{"", "token reuse", "", SubjectMethod, "an assertion may be sent once: make a new one, with a new jti, in each AuthenticateClient"},
	{"", "signature algorithm", "", SubjectMethod, "Keycloak: Clients > {client} > Credentials > Signature algorithm: choose the one in use here or Any, or set the method's Algorithm"},
	{"", "public key", "", SubjectSecret, "Keycloak: Clients > {client} > Keys: give it the public key, with the kid that is KeyID here (or none in both places)"},
	{"", "by client secret", "", SubjectSecret, "Keycloak: Clients > {client} > Credentials: the secret there is another one"},
	{"", "signature on jwt", "", SubjectSecret, "Keycloak: Clients > {client} > Keys: the public key there belongs to another private key"},
	{"", "not active", "", SubjectClock, "synchronize both clocks (NTP): Keycloak refuses assertions of a clock that is 15 seconds ahead or a minute behind"},
	{"", "expired", "", SubjectClock, "synchronize both clocks (NTP): Keycloak refuses assertions of a clock that is 15 seconds ahead or a minute behind"},
	{"", "issued", "", SubjectClock, "synchronize both clocks (NTP): Keycloak refuses assertions of a clock that is 15 seconds ahead or a minute behind"},
	{"", "exp claim", "", SubjectClock, "give the assertion an exp at most 60 seconds ahead"},
	{"", "claim is required", "", SubjectMethod, "give the assertion the claim that is named"},
	{"", "expiration", "", SubjectClock, "give the assertion an exp at most 60 seconds ahead, and synchronize both clocks (NTP)"},
	{"", "client_assertion", "", SubjectMethod, "Keycloak: Clients > {client} > Credentials > Client Authenticator is one of the Signed JWT kinds: choose {authenticator}, or set Auth to PrivateKeyJWT or SecretJWT"},
	{"", "certificat", "", SubjectSecret, "Keycloak: Clients > {client} > Credentials: the certificate's subject must be the one named there, and Keycloak must be told to ask for certificates (https-client-auth)"},
	{"", "unexpected error", "", SubjectSecret, "Keycloak could not read the credential: id and secret must be form-encoded, so leave SkipFormEncoding off; its log has more"},
	{"invalid_client", "", "", SubjectSecret, "Keycloak has no enabled client {client} in this realm: look at ClientID and the realm (a wrong secret is unauthorized_client there; other issuers say invalid_client for both)"},
	{"unauthorized_client", "", "", SubjectSecret, "Keycloak: Clients > {client} > Credentials: compare the secret, and see that Client Authenticator is {authenticator}: a right secret by another method looks like a wrong one"},
	{"access_denied", "", "", SubjectSecret, "the issuer knows the client and denies it a token: look at its policies"},
}

const (
	byCertificate = "X509 Certificate"
	byForeignJWT  = "Signed JWT - Federated"
)

// authenticator is the name of auth's method in Keycloak's admin console.
func authenticator(auth ClientAuth) string {
	switch auth.(type) {
	case SecretBasic, *SecretBasic, SecretPost, *SecretPost:
		return "Client Id and Secret"
	case SecretJWT, *SecretJWT:
		return "Signed JWT with Client Secret"
	case PrivateKeyJWT, *PrivateKeyJWT:
		return "Signed JWT"
	case MutualTLS, *MutualTLS:
		return byCertificate
	case Assertion, *Assertion:
		return byForeignJWT
	}
	return "the one that Auth implements"
}
