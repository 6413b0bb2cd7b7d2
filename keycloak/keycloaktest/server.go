package keycloaktest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Server is one running realm. Its methods may be called concurrently, and while requests are served. Make it with New, NewServer or
// Start.
type Server struct {
	URL string // base URL, http://host:port without a slash at the end; in memory https

	realm     *realm
	keys      *keyring
	refresh   refreshKey
	sso       sso
	endpoints map[string]endpoint // by path; written once
	test      TB                  // noTest without New
	http      *http.Server        // nil in memory, as are the next two
	hangUp    context.CancelFunc  // ends requests that a Trouble holds
	served    chan struct{}       // closed when no more connections are accepted
	down      atomic.Bool
	skew      atomic.Int64 // nanoseconds
	closing   sync.Once

	mu        sync.Mutex           // guards the following
	secrets   map[string]secret    // by client ID
	disabled  map[string]bool      // by client ID
	troubles  map[string][]Trouble // by endpoint; the first is in effect
	counts    counts
	lifetime  time.Duration // of access tokens and ID tokens; 0: the realm's
	notBefore int64         // Unix time; 0: none
}

// endpoint is what serves at a path.
type endpoint struct {
	name  string // one of the constants; empty: a page that people see
	serve http.HandlerFunc
}

// memories counts the servers in memory, so that no two have the same issuer.
var memories atomic.Int64

// NewServer is Start for tests, in the shape of httptest.NewServer: it panics where Start returns an error.
func NewServer(config Config) *Server {
	s, err := Start(config)
	if err != nil {
		panic(err)
	}
	return s
}

// Start reads the realm and serves it until Close. The error of a malformed realm names the member that is wrong; it never holds a secret.
func Start(config Config) (*Server, error) {
	r, err := readRealm(config)
	if err != nil {
		return nil, fmt.Errorf("keycloaktest: %w", err)
	}
	if config.InMemory {
		return newServer(r, fmt.Sprintf("https://keycloak%d.test", memories.Add(1))), nil // a name that never resolves (RFC 6761 §6.2)
	}
	listener, host, err := listen(config.Addr)
	if err != nil {
		return nil, fmt.Errorf("keycloaktest: %w", err)
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		listener.Close()
		return nil, fmt.Errorf("keycloaktest: %w", err)
	}
	s := newServer(r, "http://"+net.JoinHostPort(host, port))
	ctx, cancel := context.WithCancel(context.Background())
	s.hangUp = cancel
	s.http = &http.Server{
		Handler:           s,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      10 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
	s.served = make(chan struct{})
	go func() {
		defer close(s.served)
		_ = s.http.Serve(listener) // it always ends with ErrServerClosed, or with an accept that failed because the listener is gone
	}()
	return s, nil
}

func newServer(r *realm, base string) *Server {
	s := &Server{
		URL: base, realm: r, keys: newKeyring(r.name, r.algorithm), refresh: newRefreshKey(),
		test: noTest{}, secrets: map[string]secret{}, disabled: map[string]bool{}, troubles: map[string][]Trouble{}, counts: newCounts(),
	}
	for id, c := range r.clients {
		s.secrets[id] = secret{current: c.secret}
		s.disabled[id] = !c.enabled
	}
	path := "/realms/" + r.name
	s.endpoints = map[string]endpoint{
		path + "/.well-known/openid-configuration":       {DiscoveryEndpoint, s.discovery},
		path + "/.well-known/oauth-authorization-server": {DiscoveryEndpoint, s.discovery},
		"/.well-known/oauth-authorization-server" + path: {DiscoveryEndpoint, s.discovery},
		path + AuthorizationEndpoint:                     {AuthorizationEndpoint, s.authorize},
		path + JWKSEndpoint:                              {JWKSEndpoint, s.certs},
		path + LogoutEndpoint:                            {LogoutEndpoint, s.logout},
		path + TokenEndpoint:                             {TokenEndpoint, s.token},
		path + UserinfoEndpoint:                          {UserinfoEndpoint, s.userinfo},
		path + loginPath:                                 {"", s.login},
		path + logoutConfirmPath:                         {"", s.confirmLogout},
	}
	return s
}

// Issuer is the realm's issuer, URL + "/realms/" + name, whatever name a request used to reach the server: as a Keycloak does whose hostname is set.
func (s *Server) Issuer() string { return s.URL + "/realms/" + url.PathEscape(s.realm.name) }

// String names the issuer, and shows no secret.
func (s *Server) String() string { return "keycloaktest.Server(" + s.Issuer() + ")" }

// GoString is String.
func (s *Server) GoString() string { return s.String() }

// Close stops the server. It waits up to a second for requests under way and then cuts them; those that a [Trouble] holds it cuts at once. Further calls do
// nothing.
func (s *Server) Close() {
	s.closing.Do(func() {
		defer s.keys.release()
		if s.http == nil {
			s.down.Store(true)
			return
		}
		s.hangUp()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if s.http.Shutdown(ctx) != nil {
			s.http.Close()
		}
		<-s.served
	})
}

// ServeHTTP answers as Keycloak does. It is here for http.Server; use URL.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimSuffix(r.URL.Path, "/")
	s.countRequest(path)
	if s.down.Load() {
		panic(http.ErrAbortHandler) // closes the connection without an answer
	}
	header := w.Header()
	header["Date"] = nil // Keycloak sends none, and its clock may be another one
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Frame-Options", "SAMEORIGIN")
	header.Set("X-Robots-Tag", "none")
	if trouble := s.nextTrouble(s.endpoints[path].name); trouble.serve != nil {
		trouble.serve(w, r, s.route)
		return
	}
	s.route(w, r)
}

// route gives the answer of a Keycloak that is well.
func (s *Server) route(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimSuffix(r.URL.Path, "/")
	if endpoint, ok := s.endpoints[path]; ok {
		endpoint.serve(w, r)
		return
	}
	path = strings.TrimPrefix(path, "/.well-known/oauth-authorization-server")
	rest, ok := strings.CutPrefix(path, "/realms/")
	name, _, _ := strings.Cut(rest, "/")
	switch {
	case !ok:
		writeJSON(w, http.StatusNotFound, map[string]string{"error": "Unable to find matching target resource method"})
	case name != s.realm.name:
		writeJSON(w, http.StatusNotFound, map[string]string{"error": "Realm does not exist"})
	default:
		writeStatus(w, http.StatusNotFound)
	}
}

// listen opens addr, which must be loopback: this server gives tokens to whoever reads its realm file. It also returns the host as the caller wrote it.
func listen(addr string) (net.Listener, string, error) {
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, "", fmt.Errorf("Addr %q is not host:port", addr)
	}
	bind := host
	if host == "localhost" {
		bind = "127.0.0.1" // not looked up: what the name resolves to is not ours to trust
	} else if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return nil, "", fmt.Errorf("Addr %q: the host must be localhost or a loopback address, because this server is for tests and examples only", addr)
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(bind, port))
	if err != nil {
		return nil, "", fmt.Errorf("Addr %q: %w", addr, err)
	}
	return listener, host, nil
}
