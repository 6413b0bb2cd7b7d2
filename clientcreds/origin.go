package clientcreds

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/svcauth/svcauth/internal/endpoint"
)

// origin is scheme, host and port (RFC 6454 §4), with ASCII letters in lower case and the scheme's default port filled in. Origins compare by ==. Other letters
// stay as they are: net/http folds them by the rules of host names, which are not those of strings.ToLower, so two spellings count as two origins.
type origin struct {
	scheme, host, port string
}

func originOf(u *url.URL) origin {
	o := origin{scheme: endpoint.LowerHost(u.Scheme), host: endpoint.LowerHost(u.Hostname()), port: u.Port()}
	if o.port == "" {
		o.port = defaultPort(o.scheme)
	}
	return o
}

func defaultPort(scheme string) string {
	switch scheme {
	case "https":
		return "443"
	case "http":
		return "80"
	}
	return ""
}

func (o origin) String() string {
	host := o.host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if o.port != "" && o.port != defaultPort(o.scheme) {
		host = net.JoinHostPort(o.host, o.port)
	}
	return o.scheme + "://" + host
}

func parseOrigin(raw string, allowHTTP []string) (origin, error) {
	if raw == "" {
		return origin{}, errors.New("an entry is empty: remove it (if it comes from an environment variable, that variable is not set)")
	}
	u, err := endpoint.ParseURL(raw, allowHTTP)
	if err != nil {
		return origin{}, err
	}
	o := originOf(u)
	if u.Path != "" || u.RawQuery != "" || u.ForceQuery {
		return origin{}, fmt.Errorf("%q is more than an origin: write %q", endpoint.WithoutQuery(raw), o)
	}
	if strings.Contains(o.host, "*") {
		return origin{}, fmt.Errorf("%q has a *, and there are no patterns: give each origin an entry of its own", raw)
	}
	return o, nil
}

// mayCarry reports whether the token goes on req. False without an error: req is sent without one. The error, an [ErrOrigin], comes before anything is sent.
//
// Only the origin that the caller named gets the token. net/http re-sends a redirected request through the transport, and whoever can make the first host
// answer with a redirect would otherwise choose who gets the token.
func (t *target) mayCarry(req *http.Request) (bool, error) {
	o := originOf(req.URL)
	if len(t.origins) > 0 && !t.lists(o) {
		return false, fmt.Errorf("%w: %q is not among Origins", ErrOrigin, o)
	}
	// req.Response is set by http.Client on redirects alone: the answer that caused this hop.
	for hop := req; hop.Response != nil; {
		hop = hop.Response.Request
		if hop == nil || hop.URL == nil || originOf(hop.URL) != o {
			return false, nil
		}
	}
	if !endpoint.PlainAllowed(req.URL, t.allowHTTP) {
		if o.scheme != "http" {
			return false, fmt.Errorf("%w: %q is neither https nor http", ErrOrigin, o)
		}
		return false, fmt.Errorf("%w: %q is plain http to a host that is not loopback: use https, or name %q in AllowHTTP if the network between is trusted", ErrOrigin, o, o.host)
	}
	return true, nil
}

// open reports whether requests may go anywhere, or at least where req goes.
func (t *target) open(req *http.Request) bool {
	return len(t.origins) == 0 || t.lists(originOf(req.URL))
}

func (t *target) lists(o origin) bool {
	for _, listed := range t.origins {
		if listed == o {
			return true
		}
	}
	return false
}
