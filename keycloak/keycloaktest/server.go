// Package keycloaktest is an embedded Keycloak realm in the shape of net/http/httptest, for tests and examples only: it keeps secrets and passwords in the clear
// and listens on loopback addresses alone. It reads the realm JSON that Keycloak exports and imports, and gives the statuses,
// headers and bodies of Keycloak 26.7 for what it serves.
//
//	realm := keycloaktest.NewServer(keycloaktest.Config{RealmFile: "sivalabs-realm.json"})
//	defer realm.Close()
//	token := realm.Token(keycloaktest.Token{User: "admin"})
//
// It has the discovery documents, the key set, the token endpoint with the grants client_credentials, authorization_code and refresh_token, and what a browser
// needs to sign in and out: the authorization endpoint with a login page, single sign-on, userinfo and RP-initiated logout. [Server.Token] makes the tokens that
// a person would get without all that. What it doesn't have it doesn't advertise.
//
// It differs from Keycloak where people sign in: nobody is asked to complete a profile or to consent, the refresh token of scope offline_access ends with the
// session, a login page that has expired is not started anew, and cookies are SameSite=Lax without Secure, so that cookie jars send them over http.
package keycloaktest

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Config says which realm to serve, and where. The zero Config serves test-realm.json of this package at a free port of 127.0.0.1: realm "test" with
//
//   - client "service", bearer-only: the audience of all tokens
//   - client "job", a service account with the secret "job-secret" and the realm role ROLE_JOB
//   - client "webapp", where people sign in, with the secret "webapp-secret" and redirect URIs anywhere on http://127.0.0.1, whatever the port
//   - alice with the realm roles ROLE_ADMIN and ROLE_USER, and bob with ROLE_USER; their passwords are "alice-password" and "bob-password"
type Config struct {
	// RealmFile is the path of a realm's JSON, RealmJSON the JSON itself. At most one may be set.
	RealmFile string
	RealmJSON []byte

	// Addr is where to listen, host:port; empty means a free port of 127.0.0.1. The host must be localhost or a loopback address, and stands in the issuer as it
	// is written here: for "localhost:9191" the issuer is http://localhost:9191/realms/{name}, reached on 127.0.0.1.
	Addr string
}

// Server is one running realm. Its methods may be called concurrently, and while requests are served. Make it with NewServer or Start.
type Server struct {
	URL string // base URL, http://host:port without a slash at the end

	realm     *realm
	keys      *keyring
	refresh   refreshKey
	sso       sso
	endpoints map[string]http.HandlerFunc // by path; written once
	http      *http.Server
	served    chan struct{} // closed when no more connections are accepted
	down      atomic.Bool
	closing   sync.Once

	mu       sync.Mutex        // guards the following
	secrets  map[string]string // by client ID
	requests map[string]int    // by path
	lifetime time.Duration     // of access tokens and ID tokens; 0: the realm's
}

//go:embed test-realm.json
var testRealm []byte

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
	s.http = &http.Server{
		Handler:           s,
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
	s := &Server{URL: base, realm: r, keys: newKeyring(r.name), refresh: newRefreshKey(), secrets: map[string]string{}, requests: map[string]int{}}
	for id, c := range r.clients {
		s.secrets[id] = c.secret
	}
	path := "/realms/" + r.name
	s.endpoints = map[string]http.HandlerFunc{
		path + "/.well-known/openid-configuration":       s.discovery,
		path + "/.well-known/oauth-authorization-server": s.discovery,
		"/.well-known/oauth-authorization-server" + path: s.discovery,
		path + "/protocol/openid-connect/auth":           s.authorize,
		path + "/protocol/openid-connect/certs":          s.certs,
		path + "/protocol/openid-connect/logout":         s.logout,
		path + "/protocol/openid-connect/token":          s.token,
		path + "/protocol/openid-connect/userinfo":       s.userinfo,
		path + loginPath:         s.login,
		path + logoutConfirmPath: s.confirmLogout,
	}
	return s
}

// Issuer is the realm's issuer, URL + "/realms/" + name, whatever name a request used to reach the server: as a Keycloak does whose hostname is set.
func (s *Server) Issuer() string { return s.URL + "/realms/" + url.PathEscape(s.realm.name) }

// String shows no secret.
func (s *Server) String() string { return "keycloaktest.Server(" + s.Issuer() + ")" }

// GoString is String.
func (s *Server) GoString() string { return s.String() }

// Close stops the server. It waits up to a second for requests under way and then cuts them. Further calls do nothing.
func (s *Server) Close() {
	s.closing.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if s.http.Shutdown(ctx) != nil {
			s.http.Close()
		}
		<-s.served
		s.keys.release()
	})
}

// ServeHTTP answers as Keycloak does. It is here for http.Server; use URL.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.count(r.URL.Path)
	if s.down.Load() {
		panic(http.ErrAbortHandler) // closes the connection without an answer
	}
	header := w.Header()
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Frame-Options", "SAMEORIGIN")
	header.Set("X-Robots-Tag", "none")

	path := strings.TrimSuffix(r.URL.Path, "/")
	if endpoint, ok := s.endpoints[path]; ok {
		endpoint(w, r)
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

func readRealm(config Config) (*realm, error) {
	switch {
	case config.RealmFile != "" && config.RealmJSON != nil:
		return nil, errors.New("RealmFile and RealmJSON are both set: choose one")
	case config.RealmJSON != nil:
		r, err := parseRealm(config.RealmJSON)
		if err != nil {
			return nil, fmt.Errorf("RealmJSON: %w", err)
		}
		return r, nil
	case config.RealmFile != "":
		data, err := os.ReadFile(config.RealmFile)
		if err != nil {
			return nil, fmt.Errorf("RealmFile: %w", err)
		}
		r, err := parseRealm(data)
		if err != nil {
			return nil, fmt.Errorf("RealmFile %q: %w", config.RealmFile, err)
		}
		return r, nil
	}
	return parseRealm(testRealm)
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
