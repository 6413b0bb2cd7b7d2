package keycloaktest

import (
	"net/url"
	"strings"
)

// redirectAllowed says whether a browser may be sent to uri with something for the client. valid holds exact URIs, and patterns: one that ends in "*" stands for
// all that begin so, "*" alone for all of http and https. An application on http://localhost or http://127.0.0.1 registered without a port may have any
// (RFC 8252 §7.3). User names in a URI and ways up out of a path are refused, also where Keycloak only refuses them for some patterns.
func redirectAllowed(valid []string, uri string) bool {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme == "" || u.User != nil || strings.ContainsFunc(uri, outsideURI) || climbs(u.Path) {
		return false
	}
	if matchesAny(valid, uri, u) {
		return true
	}
	if host := u.Hostname(); u.Scheme != "http" || u.Port() == "" || host != "localhost" && host != "127.0.0.1" {
		return false
	}
	return matchesAny(valid, strings.Replace(uri, ":"+u.Port(), "", 1), u)
}

func matchesAny(valid []string, uri string, u *url.URL) bool {
	bare, _, _ := strings.Cut(uri, "#")
	bare, _, _ = strings.Cut(bare, "?")
	for _, pattern := range valid {
		start, wild := strings.CutSuffix(pattern, "*")
		switch {
		case !wild:
			if uri == pattern {
				return true
			}
		case start == "":
			if (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" {
				return true
			}
		case !hasPath(start): // http://host* would stand for other hosts too
		case strings.HasPrefix(bare, start), bare == strings.TrimSuffix(start, "/"):
			return true
		}
	}
	return false
}

func hasPath(uri string) bool {
	_, rest, ok := strings.Cut(uri, "://")
	return ok && strings.Contains(rest, "/")
}

// outsideURI says whether RFC 3986 has no place for the character; browsers read a backslash as a slash.
func outsideURI(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`"<>\^{|}`+"`", r) }

// climbs says whether a path has "..", however often it is encoded.
func climbs(path string) bool {
	for range 5 {
		for _, segment := range strings.Split(path, "/") {
			if segment == ".." {
				return true
			}
		}
		decoded, err := url.PathUnescape(path)
		if err != nil || decoded == path {
			return false
		}
		path = decoded
	}
	return true // nobody encodes a path that often for a good reason
}

// withParameters adds name and value pairs to a redirect URI, to its query or in its fragment. Empty names are left out.
func withParameters(uri string, fragment bool, pairs ...string) string {
	var query strings.Builder
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i] == "" {
			continue
		}
		if query.Len() > 0 {
			query.WriteByte('&')
		}
		query.WriteString(pairs[i] + "=" + url.QueryEscape(pairs[i+1]))
	}
	base, rest, hasFragment := strings.Cut(uri, "#")
	switch {
	case query.Len() == 0:
		return uri
	case fragment:
		return base + "#" + query.String()
	case strings.Contains(base, "?"):
		base += "&" + query.String()
	default:
		base += "?" + query.String()
	}
	if hasFragment {
		base += "#" + rest
	}
	return base
}
