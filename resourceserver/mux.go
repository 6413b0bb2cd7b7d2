package resourceserver

import (
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
)

// Mux routes requests as http.ServeMux does, and denies by default: every route is either public or has rules, and what has no route is refused with 401 unless
// the caller has a valid token, so that strangers can't map the service. Register all routes before serving; after that a Mux may be used concurrently.
//
// Host and path are cleaned first, so that rule and route always see the same ones; then the caller is authenticated; then the rules are checked, with path
// values at hand. No answer, not even a redirect, comes before the rule of its route. A GET route serves HEAD too. CONNECT, and paths whose decoding brings
// forth dot segments or NUL, have no route.
type Mux struct {
	auth   *Authenticator
	table  *http.ServeMux
	routes map[string]*route
	order  []string
}

// route is what the table holds for a pattern: the handler behind its rule.
type route struct {
	auth   *Authenticator
	public bool
	rules  []Rule
	next   http.Handler
}

func (e *route) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !e.public {
		var ok bool
		if r, ok = e.auth.admit(w, r, e.rules); !ok {
			return
		}
	}
	e.next.ServeHTTP(w, r)
}

// Route is one line of an audit of a Mux.
type Route struct {
	Pattern string
	Public  bool
	Rule    string // "public", "any valid token", or the rules in words
}

// NewMux returns a Mux without routes, which refuses everything. One request never reaches it, or any handler: net/http answers OPTIONS * by itself unless
// http.Server.DisableGeneralOptionsHandler is set.
func (a *Authenticator) NewMux() *Mux {
	return &Mux{auth: a, table: http.NewServeMux(), routes: map[string]*route{}}
}

// Handle routes a pattern of http.ServeMux to h for callers with a valid token for whom all rules hold; without rules, any valid token will do. It panics where
// http.ServeMux or Require would.
func (m *Mux) Handle(pattern string, h http.Handler, rules ...Rule) {
	m.auth.checkRules(rules)
	m.add(pattern, h, &route{rules: slices.Clone(rules)})
}

// HandleFunc is Handle for a function.
func (m *Mux) HandleFunc(pattern string, h func(http.ResponseWriter, *http.Request), rules ...Rule) {
	if h == nil {
		panic("resourceserver: a nil handler")
	}
	m.Handle(pattern, http.HandlerFunc(h), rules...)
}

// Public routes a pattern to h for everybody. Nothing is checked, not even a token that is there, so the route stays up while the issuer is down.
func (m *Mux) Public(pattern string, h http.Handler) {
	m.add(pattern, h, &route{public: true})
}

func (m *Mux) add(pattern string, h http.Handler, r *route) {
	mustHandler(h)
	r.auth, r.next = m.auth, h
	m.table.Handle(pattern, r) // panics on a bad, doubled or conflicting pattern
	m.routes[pattern] = r
	m.order = append(m.order, pattern)
}

// Routes lists every route with its rule in the order they were added, for a test that holds the list.
func (m *Mux) Routes() []Route {
	var list []Route
	for _, pattern := range m.order {
		r := m.routes[pattern]
		line := Route{Pattern: pattern, Public: r.public, Rule: "any valid token"}
		switch {
		case r.public:
			line.Rule = "public"
		case len(r.rules) > 0:
			line.Rule = joined(r.rules)
		}
		list = append(list, line)
	}
	return list
}

// ServeHTTP implements http.Handler.
func (m *Mux) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodConnect || hidesDots(r.URL) {
		m.unrouted(w, r, http.NotFoundHandler())
		return
	}
	r = cleaned(r)
	handler, pattern := m.table.Handler(r)
	found := m.routes[pattern]
	if found == nil {
		m.unrouted(w, r, handler)
		return
	}
	if handler != found && !found.public { // a redirect to the route, which may not tell strangers that it is there
		var ok bool
		if r, ok = m.auth.admit(w, r, found.rules); !ok {
			return
		}
	}
	m.table.ServeHTTP(w, r)
}

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
	clean := path.Clean("/" + escaped)
	if strings.HasSuffix(escaped, "/") && clean != "/" {
		clean += "/"
	}
	host, port, _ := strings.Cut(r.Host, ":")
	if strings.HasPrefix(r.Host, "[") {
		host, port = r.Host, ""
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if port != "" {
		host += ":" + port
	}
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

// unrouted answers a request for which http.ServeMux found no route: strangers with 401, others with 404, or 405 with Allow where another method has one.
func (m *Mux) unrouted(w http.ResponseWriter, r *http.Request, handler http.Handler) {
	r, ok := m.auth.admit(w, r, nil)
	if !ok {
		return
	}
	probe := probeWriter{header: http.Header{}}
	handler.ServeHTTP(&probe, r)
	status := http.StatusNotFound
	if allow := probe.header.Get("Allow"); allow != "" && probe.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", allow)
		status = http.StatusMethodNotAllowed
	}
	sendProblem(w, problem{Status: status})
}

// probeWriter learns what http.ServeMux would answer, of which only the status and Allow are used.
type probeWriter struct {
	header http.Header
	status int
}

func (p *probeWriter) Header() http.Header            { return p.header }
func (p *probeWriter) WriteHeader(status int)         { p.status = status }
func (p *probeWriter) Write(data []byte) (int, error) { return len(data), nil }
