package resourceserver

import (
	"net/http"
	"net/url"
	"path"
	"strings"
)

// hidesDots reports whether a segment of the path is, once decoded, not what it was when the path was cleaned: what stands behind a route may decode once more
// and see "..", as proxies and file servers do.
func hidesDots(u *url.URL) bool {
	if u.RawPath == "" && !strings.ContainsAny(u.Path, "\\\x00") {
		return false // nothing was encoded that matters
	}
	for _, segment := range strings.Split(u.EscapedPath(), "/") {
		if !strings.ContainsAny(segment, "%\\") {
			continue // plain dots are what cleaning is for
		}
		decoded, err := url.PathUnescape(segment)
		if err != nil || strings.IndexByte(decoded, 0) >= 0 {
			return true
		}
		for _, part := range strings.FieldsFunc(decoded, func(c rune) bool { return c == '/' || c == '\\' }) {
			if part == "." || part == ".." {
				return true
			}
		}
	}
	return false
}

// cleaned returns r with its host in one spelling and its path cleaned as http.ServeMux would redirect it, so that no unclean one reaches the table: a pattern
// with a host would miss, and a redirect would be an answer before authentication.
func cleaned(r *http.Request) *http.Request {
	escaped := r.URL.EscapedPath()
	clean, host := cleanPath(escaped), cleanHost(r.Host)
	if clean == escaped && host == r.Host {
		return r
	}
	u := *r.URL
	u.RawPath = clean
	var err error
	if u.Path, err = url.PathUnescape(clean); err != nil {
		u.Path, u.RawPath = clean, ""
	}
	out := r.WithContext(r.Context())
	out.URL, out.Host = &u, host
	return out
}

// slashed returns r with a slash at the end of its path, which is the only thing for which http.ServeMux redirects a clean one.
func slashed(r *http.Request) *http.Request {
	u := *r.URL
	u.Path += "/"
	if u.RawPath != "" {
		u.RawPath += "/"
	}
	out := r.WithContext(r.Context())
	out.URL = &u
	return out
}

// cleanPath removes what is empty or a dot segment from an escaped path (RFC 3986 §5.2.4).
func cleanPath(escaped string) string {
	if strings.HasPrefix(escaped, "/") && !strings.Contains(escaped, "//") && !strings.Contains(escaped, "/.") {
		return escaped // as nearly all are
	}
	clean := path.Clean("/" + escaped)
	if strings.HasSuffix(escaped, "/") && clean != "/" {
		clean += "/"
	}
	return clean
}

// cleanHost writes a host in lower case, without the dot of the root and without an empty port (RFC 3986 §3.2.2, §3.2.3).
func cleanHost(host string) string {
	host = strings.TrimSuffix(host, ":")
	name, port := host, ""
	if colon := strings.IndexByte(host, ':'); colon >= 0 && !strings.HasPrefix(host, "[") {
		name, port = host[:colon], host[colon:]
	}
	lower := strings.ToLower(strings.TrimSuffix(name, "."))
	if lower == name {
		return host
	}
	return lower + port
}
