package resourceserver

import (
	"net/http"
	"slices"
)

// Mux routes requests as http.ServeMux does, and denies by default: every route is either public or has rules, and what has no route is refused with 401 unless
// the caller has a valid token, so that strangers can't map the service. Register all routes before serving; after that a Mux may be used concurrently.
//
// Host and path are cleaned first, so that rule and route always see the same ones; then the caller is authenticated; then the rules are checked, with path
// values at hand. No answer, not even a redirect, comes before the rule of its route. A GET route serves HEAD too. CONNECT, the target "*", and paths whose
// decoding brings forth dot segments or NUL, have no route.
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
	t, fromTable := w.(*tableWriter)
	if fromTable {
		t.routed, w = true, t.to
	}
	if !e.public {
		var ok bool
		if r, ok = e.auth.admit(w, r, e.rules); !ok {
			return
		}
	}
	if fromTable && t.probes {
		t.admitted = true
		return
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
	if r.Method == http.MethodConnect || r.RequestURI == "*" || hidesDots(r.URL) {
		m.unrouted(w, r, "")
		return
	}
	r = cleaned(r)
	t := &tableWriter{to: w}
	m.table.ServeHTTP(t, r)
	if t.routed {
		return
	}
	if t.status/100 != 3 {
		m.unrouted(w, r, t.allow())
		return
	}
	// A redirect may not tell strangers that its route is there: the route of the path with a slash is asked first.
	t = &tableWriter{to: w, probes: true}
	m.table.ServeHTTP(t, slashed(r))
	switch {
	case t.admitted:
		m.table.ServeHTTP(w, r)
	case !t.routed:
		m.unrouted(w, r, "")
	}
}

// unrouted answers a request for which http.ServeMux found no route: strangers with 401, others with 404, or 405 where allow names methods that have one.
func (m *Mux) unrouted(w http.ResponseWriter, r *http.Request, allow string) {
	if _, ok := m.auth.admit(w, r, nil); !ok {
		return
	}
	status := http.StatusNotFound
	if allow != "" {
		w.Header().Set("Allow", allow)
		status = http.StatusMethodNotAllowed
	}
	sendProblem(w, problem{Status: status})
}

// tableWriter is what the table writes to: a route takes the real writer out of it, and what http.ServeMux would answer by itself ends here.
type tableWriter struct {
	to       http.ResponseWriter
	probes   bool // the route is to say whether it admits the caller, and no more
	routed   bool
	admitted bool
	header   http.Header
	status   int
}

func (t *tableWriter) Header() http.Header {
	if t.header == nil {
		t.header = http.Header{}
	}
	return t.header
}

func (t *tableWriter) WriteHeader(status int)         { t.status = status }
func (t *tableWriter) Write(data []byte) (int, error) { return len(data), nil }

func (t *tableWriter) allow() string {
	if t.status != http.StatusMethodNotAllowed {
		return ""
	}
	return t.header.Get("Allow")
}
