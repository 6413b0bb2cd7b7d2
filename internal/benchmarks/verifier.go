package benchmarks

import (
	"context"
	"net/http"
	"slices"
	"strings"
)

// Verifier is one library at work: it decides about a token, and whether the caller has the realm role that handlers ask for.
type Verifier struct {
	Name   string
	Verify func(ctx context.Context, token string) (admin bool, err error)
	// Middleware lets requests with a good token through to a handler, which can get at the claims.
	Middleware func(http.Handler) http.Handler
	// Forget drops the tokens that the verifier remembers. It is nil for those that remember none.
	Forget func()
}

// Want is what tokens must fulfil.
type Want struct {
	Issuer    string // found through its metadata
	Audience  string
	Algorithm string
}

// keysURL is where those fetch keys from that don't read metadata.
func (w Want) keysURL() string { return w.Issuer + "/protocol/openid-connect/certs" }

// Peer makes the Verifier of one library. What it starts in the background ends with ctx.
type Peer struct {
	Name   string
	Module string
	New    func(ctx context.Context, want Want) (Verifier, error)
}

// Peers are the libraries that are compared, this one first.
var Peers = []Peer{
	{"svcauth", "github.com/svcauth/svcauth", newSvcauth},
	{"golang-jwt + keyfunc", "github.com/golang-jwt/jwt/v5", newGolangJWT},
	{"go-oidc", "github.com/coreos/go-oidc/v3", newGoOIDC},
	{"jwx v2", "github.com/lestrrat-go/jwx/v2", newJWX},
	{"auth0", "github.com/auth0/go-jwt-middleware/v3", newAuth0},
}

func isAdmin(realmRoles []string) bool { return slices.Contains(realmRoles, "ROLE_"+adminRole) }

type claimsKey struct{}

// bearer is the middleware that services write around libraries that bring none.
func bearer[C any](verify func(ctx context.Context, token string) (C, error)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
			if !ok {
				w.Header().Set("WWW-Authenticate", "Bearer")
				http.Error(w, "unauthorized", http.StatusUnauthorized)
				return
			}
			claims, err := verify(r.Context(), token)
			if err != nil {
				w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
				http.Error(w, "unauthorized", http.StatusUnauthorized)
				return
			}
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), claimsKey{}, claims)))
		})
	}
}
