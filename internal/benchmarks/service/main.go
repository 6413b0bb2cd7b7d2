// Command service is the program messages-service of the examples, as far as the load needs it, in two other ways: without any authentication, and with go-oidc.
// Server, route, headers and answer are those of the example, so that what differs under load is what a token costs.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "service: %v\n", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	flags := flag.NewFlagSet("service", flag.ContinueOnError)
	auth := flags.String("auth", "", "`how` callers are authenticated: none or go-oidc")
	addr := flags.String("addr", "localhost:8181", "`host:port` to listen on")
	issuer := flags.String("issuer", "", "`URL` of the issuer")
	audience := flags.String("audience", "messages-service", "`name` of this service in the tokens' aud")
	if err := flags.Parse(args); err != nil {
		return err
	}
	routes := http.NewServeMux()
	switch *auth {
	case "none":
		routes.HandleFunc("GET /api/me", func(w http.ResponseWriter, _ *http.Request) { writeMe(w, anybody) })
	case "go-oidc":
		provider, err := oidc.NewProvider(ctx, *issuer)
		if err != nil {
			return err
		}
		authenticated := authenticate(provider.VerifierContext(ctx, &oidc.Config{ClientID: *audience, SupportedSigningAlgs: []string{oidc.RS256}}))
		routes.Handle("GET /api/me", authenticated(http.HandlerFunc(me)))
	default:
		return errors.New("-auth must be none or go-oidc")
	}

	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", *addr)
	if err != nil {
		return err
	}
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	server := &http.Server{
		Handler: withSecurityHeaders(routes), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 20 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10, ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
	defer context.AfterFunc(ctx, func() { server.Close() })()
	logger.Info("service is ready", "addr", listener.Addr().String())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

type claims struct {
	Subject           string `json:"sub"`
	Issuer            string `json:"iss"`
	AuthorizedParty   string `json:"azp"`
	Scope             string `json:"scope"`
	PreferredUsername string `json:"preferred_username"`
	Email             string `json:"email"`
	Name              string `json:"name"`
	RealmAccess       struct {
		Roles []string `json:"roles"`
	} `json:"realm_access"`
}

// anybody is who calls where nobody asks.
var anybody = func() *claims {
	c := &claims{
		Subject: "00000001-5d5f-4b62-9d0d-1a7c0c9f3b55", Issuer: "http://127.0.0.1:9191/realms/sivalabs", AuthorizedParty: "archival-service",
		Scope: "openid profile email messages:read messages:write", PreferredUsername: "service-account-archival-service-1",
	}
	c.RealmAccess.Roles = []string{"default-roles-sivalabs", "offline_access", "ROLE_ADMIN_JOB", "uma_authorization"}
	return c
}()

type claimsKey struct{}

func authenticate(verifier *oidc.IDTokenVerifier) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
			if !ok {
				w.Header().Set("WWW-Authenticate", "Bearer")
				http.Error(w, "unauthorized", http.StatusUnauthorized)
				return
			}
			verified, err := verifier.Verify(r.Context(), token)
			c := &claims{}
			if err == nil {
				err = verified.Claims(c)
			}
			if err != nil {
				w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
				http.Error(w, "unauthorized", http.StatusUnauthorized)
				return
			}
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), claimsKey{}, c)))
		})
	}
}

func me(w http.ResponseWriter, r *http.Request) {
	c, ok := r.Context().Value(claimsKey{}).(*claims)
	if !ok {
		http.Error(w, "unauthorized", http.StatusUnauthorized)
		return
	}
	writeMe(w, c)
}

// writeMe answers with what the example's GET /api/me does.
func writeMe(w http.ResponseWriter, c *claims) {
	data, err := json.Marshal(struct {
		Subject  string   `json:"subject"`
		Username string   `json:"username"`
		Email    string   `json:"email"`
		Name     string   `json:"name"`
		Client   string   `json:"client"`
		Issuer   string   `json:"issuer"`
		Roles    []string `json:"roles"`
		Scopes   []string `json:"scopes"`
	}{c.Subject, c.PreferredUsername, c.Email, c.Name, c.AuthorizedParty, c.Issuer, c.RealmAccess.Roles, strings.Fields(c.Scope)})
	if err != nil {
		http.Error(w, "the answer can't be encoded", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(data)
}

func withSecurityHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		next.ServeHTTP(w, r)
	})
}
