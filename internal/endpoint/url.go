// Package endpoint talks to an issuer's HTTP endpoints under the rules that both halves of the library share: which URLs may be reached over
// plain http, no redirects, a deadline on every exchange and a cap on every answer. It knows nothing of tokens or keys.
package endpoint

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
)

// ParseURL parses an absolute http or https URL that a configuration or a discovery document names. User information and fragments are refused,
// and plain http is refused unless the host is loopback or in allowHTTP. The URL stands in the error but for what people put secrets in: one with user
// information is not echoed, and of others the query is cut off.
func ParseURL(raw string, allowHTTP []string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if strings.Contains(raw, "@") && (err != nil || u.User == nil) {
		return nil, errors.New("it can't be parsed as a URL: it must begin with https:// (or http:// for a loopback host), and have no @ in it (in a path write %40)")
	}
	raw, fragment := WithoutQuery(raw), strings.Contains(raw, "#")
	switch {
	case err != nil:
		return nil, fmt.Errorf("%q can't be parsed as a URL: it must begin with https:// (or http:// for a loopback host)", raw)
	case u.User != nil:
		return nil, errors.New("the URL has user information in it: remove the part before the @")
	case u.Scheme == "" || u.Host == "" && u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("%q is not an absolute URL: it must begin with https:// (or http:// for a loopback host)", raw)
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("%q has scheme %q: want https (or http for a loopback host)", raw, u.Scheme)
	case u.Hostname() == "":
		return nil, fmt.Errorf("%q has no host", raw)
	case fragment:
		return nil, fmt.Errorf("%q has a fragment: remove the part after #", raw)
	case !PlainAllowed(u, allowHTTP):
		return nil, fmt.Errorf("%q is plain http to a host that is not loopback: use https, or name %q in AllowHTTP if the network between is trusted", raw, u.Host)
	}
	return u, nil
}

// WithoutQuery is raw up to its query, for errors.
func WithoutQuery(raw string) string {
	before, _, some := strings.Cut(raw, "?")
	if some {
		before += "?..."
	}
	return before
}

// PlainAllowed reports whether a request to u may be sent: always over https; over http only to loopback or to a host in allow.
// An entry of allow is a host, which covers all its ports, or host:port; a host that is an IPv6 literal may have its brackets.
func PlainAllowed(u *url.URL, allow []string) bool {
	if u.Scheme == "https" {
		return true
	}
	if u.Scheme != "http" {
		return false
	}
	if Loopback(u.Hostname()) {
		return true
	}
	host, port := u.Hostname(), u.Port()
	if port == "" {
		port = "80"
	}
	for _, entry := range allow {
		if covers(entry, host, port) {
			return true
		}
	}
	return false
}

// covers reports whether an entry of an AllowHTTP list is for host, which has no brackets, and port. It allocates nothing, for each request asks.
func covers(entry, host, port string) bool {
	if sameHost(entry, host) {
		return true
	}
	name, after, bracketed := strings.Cut(strings.TrimPrefix(entry, "["), "]")
	if !bracketed {
		if name, after, _ = strings.Cut(entry, ":"); strings.Contains(after, ":") {
			return false // an IPv6 literal, which has no port without brackets
		}
	}
	after = strings.TrimPrefix(after, ":")
	return sameHost(name, host) && (after == "" || after == port)
}

// sameHost compares host names without regard to ASCII case. Unicode's rules for case are not those of host names: two names that are equal by them may be two
// hosts.
func sameHost(a, b string) bool { return LowerHost(a) == LowerHost(b) }

// LowerHost returns host with ASCII letters in lower case, and everything else as it is.
func LowerHost(host string) string {
	for i := range len(host) {
		if isUpper(host[i]) { // most hosts have none, and each request asks
			lower := []byte(host)
			for i, c := range lower {
				if isUpper(c) {
					lower[i] = c + 'a' - 'A'
				}
			}
			return string(lower)
		}
	}
	return host
}

func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }

// CheckAllowHTTP finds entries of an AllowHTTP list that can never match, such as URLs and empty strings.
func CheckAllowHTTP(allow []string) error {
	for _, entry := range allow {
		host := entry
		if h, _, err := net.SplitHostPort(entry); err == nil {
			host = h
		}
		if host == "" || strings.ContainsAny(entry, "/@?#* ") {
			return fmt.Errorf("AllowHTTP: %q is not a host: write the host name alone, or host:port", entry)
		}
	}
	return nil
}

// Loopback reports whether host names this machine: "localhost" or a loopback literal. Other names are not resolved, for an attacker may own what they
// resolve to.
func Loopback(host string) bool {
	if sameHost(host, "localhost") {
		return true
	}
	if !strings.HasPrefix(host, "127.") && !strings.Contains(host, ":") { // a name, for which ParseAddr would make an error; each request asks
		return false
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}
