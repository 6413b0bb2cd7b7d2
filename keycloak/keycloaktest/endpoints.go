package keycloaktest

import (
	"net/url"
	"slices"
	"strings"
)

// The endpoints by which [Server.SetTrouble] and [Server.Requests] know what is meant: the path below the issuer. DiscoveryEndpoint stands for all three places
// where the metadata is, that of RFC 8414 included; AllEndpoints for every request, those to unknown paths included.
const (
	AllEndpoints          = "*"
	DiscoveryEndpoint     = "/.well-known/openid-configuration"
	JWKSEndpoint          = "/protocol/openid-connect/certs"
	TokenEndpoint         = "/protocol/openid-connect/token"
	AuthorizationEndpoint = "/protocol/openid-connect/auth"
	UserinfoEndpoint      = "/protocol/openid-connect/userinfo"
	LogoutEndpoint        = "/protocol/openid-connect/logout"
)

var allEndpoints = []string{
	AllEndpoints, DiscoveryEndpoint, JWKSEndpoint, TokenEndpoint, AuthorizationEndpoint, UserinfoEndpoint, LogoutEndpoint,
}

// resolve reads what a test calls an endpoint: one of the constants, which it returns as it is, or a path or URL of this server, of which it returns the decoded
// path.
func (s *Server) resolve(given string) (name, path string) {
	s.test.Helper()
	if slices.Contains(allEndpoints, given) {
		return given, ""
	}
	u, err := url.Parse(strings.TrimPrefix(given, s.URL))
	if err != nil || u.IsAbs() || u.Host != "" || given != s.URL && !strings.HasPrefix(u.Path, "/") {
		s.misuse("%q is no path or URL of this server, which is %s: take one of the constants, such as TokenEndpoint", given, s.URL)
	}
	return "", strings.TrimSuffix(u.Path, "/")
}
