package resourceserver

import (
	"fmt"
	"strings"
)

// audienceHint tells the mend for the most frequent misconfiguration: Keycloak puts no service into aud on its own (RFC 7519 §4.1.3 leaves it to the issuer).
func audienceHint(want, got []string) string {
	name := want[0]
	if len(got) == 0 {
		return fmt.Sprintf("the token has no aud: in Keycloak add an Audience mapper for %s to the calling client or to a client scope of it", name)
	}
	return fmt.Sprintf("aud is %s: in Keycloak add an Audience mapper for %s to the calling client or to a client scope of it", clip("["+strings.Join(got, " ")+"]"), name)
}

func issuerHint(got string) string {
	if got == "" {
		return "the token has no iss"
	}
	return "the issuer names itself by the host its clients use: give all of them one host name (in Keycloak KC_HOSTNAME), and reach its keys by an internal one with JWKSURL"
}

func roleHint(p *Principal) string {
	if p.verified == nil || len(p.verified.roles) > 0 {
		return ""
	}
	return "the token holds no roles at all: in Keycloak assign the role to the user or to the client's service account, and check that the client has the scope \"roles\" " +
		"and is not set to lightweight access tokens"
}
