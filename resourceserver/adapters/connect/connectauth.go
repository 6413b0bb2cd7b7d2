// Package connectauth protects Connect handlers with a [resourceserver.Authenticator] and its rules, for callers by Connect, gRPC and gRPC-Web alike.
//
// Connect handlers are http.Handlers, so the library's middleware and Mux fit them as they are, and are what most programs want: they refuse before a message is
// read, and their rules see the request. All that is missing is [WriteError], which makes refusals what each protocol's clients read:
//
//	config.WriteError = connectauth.WriteError
//	…
//	routes := auth.NewMux()
//	path, handler := ordersv1connect.NewOrdersHandler(orders{})
//	routes.Handle("POST "+path+"List", handler) // any valid token
//	routes.Handle("POST "+path+"Delete", handler, resourceserver.Role("ADMIN"))
//
// [Guard] is the other way, an interceptor with a table of its own, for handlers that something else routes. Either way handlers find the caller with
// [resourceserver.PrincipalFrom].
package connectauth

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"connectrpc.com/connect"

	"github.com/svcauth/svcauth/resourceserver"
)

var writer = connect.NewErrorWriter()

// WriteError is for [resourceserver.Config.WriteError]: it answers a Connect, gRPC or gRPC-Web request in its protocol, and any other one as Connect would, with
// JSON and the refusal's HTTP status.
func WriteError(w http.ResponseWriter, r *http.Request, e *resourceserver.Error) {
	_ = writer.Write(w, r, refusal(e)) // the client may be gone; nobody is left to tell
}

// Methods says who may call what, by procedure: "/orders.v1.Orders/List". A procedure that is not in it is refused. The zero value lets nobody call anything.
type Methods struct {
	// Rules are the procedures for callers with a valid token for whom all rules hold; without rules, any valid token will do. Rules are checked with a nil request.
	Rules map[string][]resourceserver.Rule
	// Public are the procedures for everybody. Nothing is checked, not even a token that is there, so they stay up while the issuer is down.
	Public []string
}

// Guard is an interceptor of handlers; clients pass through it. It runs once Connect has read a unary call's message: [connect.WithReadMaxBytes] bounds that.
// A stream is decided about when it opens. Make a Guard with [New]. All methods may be called concurrently.
type Guard struct {
	auth   *resourceserver.Authenticator
	public map[string]bool
	rules  map[string][]resourceserver.Rule
}

var _ connect.Interceptor = (*Guard)(nil)

// New copies methods and makes their Guard. It panics where [resourceserver.Authenticator.Require] would, on a name that no procedure has, and on a procedure
// that is listed twice.
func New(auth *resourceserver.Authenticator, methods Methods) *Guard {
	if auth == nil {
		panic("connectauth: a nil Authenticator")
	}
	g := &Guard{auth: auth, public: map[string]bool{}, rules: map[string][]resourceserver.Rule{}}
	for name, rules := range methods.Rules {
		mustName(name)
		auth.Require(rules...) // for its panics
		g.rules[name] = slices.Clone(rules)
	}
	for _, name := range methods.Public {
		mustName(name)
		if _, ruled := g.rules[name]; ruled || g.public[name] {
			panic("connectauth: procedure " + strconv.Quote(name) + " is listed twice: it is either public or has rules")
		}
		g.public[name] = true
	}
	return g
}

// mustName refuses what would silently never match.
func mustName(name string) {
	service, method, _ := strings.Cut(strings.TrimPrefix(name, "/"), "/")
	if !strings.HasPrefix(name, "/") || service == "" || method == "" || strings.Contains(method, "/") {
		panic("connectauth: " + strconv.Quote(name) + " is no procedure: write /package.Service/Method")
	}
}

// WrapUnary implements [connect.Interceptor].
func (g *Guard) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, call connect.AnyRequest) (connect.AnyResponse, error) {
		if call.Spec().IsClient {
			return next(ctx, call)
		}
		ctx, err := g.admit(ctx, call.Spec(), call.Peer(), call.Header())
		if err != nil {
			return nil, err
		}
		return next(ctx, call)
	}
}

// WrapStreamingHandler implements [connect.Interceptor].
func (g *Guard) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, conn connect.StreamingHandlerConn) error {
		ctx, err := g.admit(ctx, conn.Spec(), conn.Peer(), conn.RequestHeader())
		if err != nil {
			return err
		}
		return next(ctx, conn)
	}
}

// WrapStreamingClient implements [connect.Interceptor].
func (g *Guard) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}

// admit decides about one call. The context that it returns carries the principal; the error is a *connect.Error.
func (g *Guard) admit(ctx context.Context, spec connect.Spec, peer connect.Peer, header http.Header) (context.Context, error) {
	if g.public[spec.Procedure] {
		return ctx, nil
	}
	rules, listed := g.rules[spec.Procedure]
	ctx, err := g.auth.Admit(ctx, spec.Procedure, header["Authorization"], rules...)
	var e *resourceserver.Error
	switch {
	case errors.As(err, &e):
		refused := refusal(e)
		if peer.Protocol == connect.ProtocolGRPC {
			return nil, refused // there they would be trailers, which these must not be (RFC 9110 §6.5.1): net/http leaves them out and writes to the log
		}
		e.SetHeader(refused.Meta())
		return nil, refused
	case err != nil: // can't happen: Admit has no others
		return nil, connect.NewError(connect.CodeInternal, errors.New("the call can't be decided about"))
	case !listed:
		return nil, connect.NewError(connect.CodeUnimplemented, errors.New("connectauth: no rule lists the procedure"))
	}
	return ctx, nil
}

// refusal is the one place where refusals become Connect errors. Of one only Description is sent, which is from a fixed list.
func refusal(e *resourceserver.Error) *connect.Error {
	code := connect.CodePermissionDenied
	switch e.Status {
	case http.StatusBadRequest:
		code = connect.CodeInvalidArgument
	case http.StatusUnauthorized:
		code = connect.CodeUnauthenticated
	case http.StatusServiceUnavailable:
		code = connect.CodeUnavailable
	}
	return connect.NewError(code, errors.New(e.Description))
}
