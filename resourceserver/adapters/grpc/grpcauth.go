// Package grpcauth protects the methods of a gRPC server with a [resourceserver.Authenticator] and its rules. What has no rule is refused.
//
//	guard := grpcauth.New(auth, grpcauth.Methods{
//		Public: []string{"/grpc.health.v1.Health/Check"},
//		Rules: map[string][]resourceserver.Rule{
//			"/orders.v1.Orders/List":   nil, // any valid token
//			"/orders.v1.Orders/Delete": {resourceserver.Role("ADMIN")},
//		},
//	})
//	server := grpc.NewServer(guard.ServerOptions()...)
//
// Handlers find the caller with [resourceserver.PrincipalFrom]. A stream is decided about when it opens: one that goes on after its token has expired is not cut.
package grpcauth

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/svcauth/svcauth/resourceserver"
)

// Methods says who may call what, by full method name: "/orders.v1.Orders/List". A method that is not in it is refused, those of the reflection and health
// services included. The zero value lets nobody call anything.
type Methods struct {
	// Rules are the methods for callers with a valid token for whom all rules hold; without rules, any valid token will do. Rules are checked with a nil request.
	Rules map[string][]resourceserver.Rule
	// Public are the methods for everybody. Nothing is checked, not even a token that is there, so they stay up while the issuer is down.
	Public []string
}

// Guard is the interceptors of a server. Make it with [New]. All methods may be called concurrently.
type Guard struct {
	auth   *resourceserver.Authenticator
	public map[string]bool
	rules  map[string][]resourceserver.Rule
}

// New copies methods and makes their Guard. It panics where [resourceserver.Authenticator.Require] would, on a name that no method has, and on a method that is
// listed twice.
func New(auth *resourceserver.Authenticator, methods Methods) *Guard {
	if auth == nil {
		panic("grpcauth: a nil Authenticator")
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
			panic("grpcauth: method " + strconv.Quote(name) + " is listed twice: it is either public or has rules")
		}
		g.public[name] = true
	}
	return g
}

// mustName refuses what would silently never match.
func mustName(name string) {
	service, method, _ := strings.Cut(strings.TrimPrefix(name, "/"), "/")
	if !strings.HasPrefix(name, "/") || service == "" || method == "" || strings.Contains(method, "/") {
		panic("grpcauth: " + strconv.Quote(name) + " is no full method name: write /package.Service/Method")
	}
}

// ServerOptions are the interceptors, and an [grpc.UnknownServiceHandler] that makes calls of methods that don't exist pass through them too. A program chains
// interceptors of its own with [grpc.ChainUnaryInterceptor] and [grpc.ChainStreamInterceptor]: they run after the guard, wherever they stand.
// [grpc.NewServer] panics with a second [grpc.UnaryInterceptor] or [grpc.StreamInterceptor], which would run in the guard's place. A program with a handler
// for unknown services of its own gives it in a later option.
//
// Strangers can still tell which unary methods exist: gRPC decodes a message before any interceptor runs, and a malformed one is answered differently where
// there is a method.
func (g *Guard) ServerOptions() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.UnaryInterceptor(g.UnaryInterceptor), grpc.StreamInterceptor(g.StreamInterceptor),
		grpc.UnknownServiceHandler(func(any, grpc.ServerStream) error { return unknown() }),
	}
}

// Routes lists every method with its rule, sorted by name, for a test that holds the list against [grpc.Server.GetServiceInfo].
func (g *Guard) Routes() []resourceserver.Route {
	var list []resourceserver.Route
	for name := range g.public {
		list = append(list, resourceserver.Route{Pattern: name, Public: true, Rule: "public"})
	}
	for name, rules := range g.rules {
		words := make([]string, len(rules))
		for i, rule := range rules {
			words[i] = rule.String()
		}
		if len(words) == 0 {
			words = []string{"any valid token"}
		}
		list = append(list, resourceserver.Route{Pattern: name, Rule: strings.Join(words, "; ")})
	}
	slices.SortFunc(list, func(a, b resourceserver.Route) int { return strings.Compare(a.Pattern, b.Pattern) })
	return list
}

// UnaryInterceptor is a [grpc.UnaryServerInterceptor].
func (g *Guard) UnaryInterceptor(ctx context.Context, req any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	ctx, err := g.admit(ctx, info.FullMethod)
	if err != nil {
		return nil, err
	}
	return handle(ctx, req)
}

// StreamInterceptor is a [grpc.StreamServerInterceptor].
func (g *Guard) StreamInterceptor(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	ctx, err := g.admit(stream.Context(), info.FullMethod)
	if err != nil {
		return err
	}
	return handle(srv, admitted{stream, ctx})
}

// admitted is a stream whose context carries the principal.
type admitted struct {
	grpc.ServerStream
	ctx context.Context
}

// Context implements [grpc.ServerStream].
func (a admitted) Context() context.Context { return a.ctx }

// admit decides about one call. The context that it returns carries the principal; the error is a gRPC status.
func (g *Guard) admit(ctx context.Context, method string) (context.Context, error) {
	if g.public[method] {
		return ctx, nil
	}
	md, _ := metadata.FromIncomingContext(ctx)
	rules, listed := g.rules[method]
	ctx, err := g.auth.Admit(ctx, method, md.Get("authorization"), rules...)
	if err != nil {
		return nil, refusal(err)
	}
	if !listed {
		return nil, unknown()
	}
	return ctx, nil
}

// unknown answers callers with a valid token as gRPC does for methods that it doesn't know.
func unknown() error {
	return status.Error(codes.Unimplemented, "grpcauth: the method does not exist, or no rule lists it")
}

// refusal is the one place where refusals become gRPC statuses. Of one only Description is sent, which is from a fixed list.
func refusal(err error) error {
	var e *resourceserver.Error
	if !errors.As(err, &e) { // can't happen: Admit has no others
		return status.Error(codes.Internal, "the call can't be decided about")
	}
	switch e.Status {
	case http.StatusBadRequest:
		return status.Error(codes.InvalidArgument, e.Description)
	case http.StatusUnauthorized:
		return status.Error(codes.Unauthenticated, e.Description)
	case http.StatusServiceUnavailable:
		s := status.New(codes.Unavailable, e.Description)
		if detailed, err := s.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(e.RetryAfter)}); err == nil {
			s = detailed
		}
		return s.Err()
	}
	return status.Error(codes.PermissionDenied, e.Description)
}

var (
	_ grpc.UnaryServerInterceptor  = (*Guard)(nil).UnaryInterceptor
	_ grpc.StreamServerInterceptor = (*Guard)(nil).StreamInterceptor
)
