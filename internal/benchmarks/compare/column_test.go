package compare

import (
	"context"
	"net/http"
	"net/http/httptest"
)

const clientID = "archival-service"

// column is one way to build a service.
type column struct {
	name    string
	modules []string // which its versions are named of; none for this library
	// client makes a client that puts tokens on requests. The client's secret stands in a file. Nil: there is no client half.
	client func(ctx context.Context, n *network, secretFile string) (*http.Client, error)
	// server makes what protects handlers. What it starts in the background ends with ctx.
	server func(ctx context.Context, n *network, o options) (guard, error)
}

// columns stand in the order of the table.
var columns = [4]column{svcauth, oauth2GoOIDC, golangJWT, auth0}

// options are what some rows set up in another way. A column that offers no such choice ignores it.
type options struct {
	noAudience   bool // name no audience
	demandExpiry bool // switch on what demands exp
	typedClaims  bool // decode claims into a struct
}

// guard is what stands before a service's handlers.
type guard struct {
	verify      func(ctx context.Context, token string) error
	middleware  func(http.Handler) http.Handler // nil: the library brings none
	requireRole func(http.Handler) http.Handler // lets callers with the realm role ADMIN pass. Nil: the library knows no such role
}

// accepts reports whether a request with token gets through.
func (g guard) accepts(ctx context.Context, token string) bool {
	if g.middleware != nil {
		return status(ctx, g.middleware, token) == http.StatusNoContent
	}
	return g.verify(ctx, token) == nil
}

// status is what middleware answers, or 204 if it lets the request through.
func status(ctx context.Context, middleware func(http.Handler) http.Handler, token string) int {
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })).ServeHTTP(w, r)
	return w.Code
}
