package grpcauth_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"github.com/svcauth/svcauth/clientcreds"
	grpccreds "github.com/svcauth/svcauth/clientcreds/adapters/grpc"
	"github.com/svcauth/svcauth/keycloak/keycloaktest"
	"github.com/svcauth/svcauth/resourceserver"
	grpcauth "github.com/svcauth/svcauth/resourceserver/adapters/grpc"
)

const (
	emptyCall = "/grpc.testing.TestService/EmptyCall"
	unaryCall = "/grpc.testing.TestService/UnaryCall"
	streaming = "/grpc.testing.TestService/StreamingOutputCall"
	unlisted  = "/grpc.testing.TestService/UnimplementedCall"
	health1   = "/grpc.health.v1.Health/Check"
	nonesuch  = "/grpc.testing.Nonesuch/Call"
)

// methods are the rules of most tests.
func methods() grpcauth.Methods {
	return grpcauth.Methods{
		Public: []string{health1},
		Rules: map[string][]resourceserver.Rule{
			emptyCall: nil,
			unaryCall: {resourceserver.Role("ADMIN"), resourceserver.Person()},
			streaming: {resourceserver.Role("ADMIN")},
		},
	}
}

// service answers with the caller's name.
type service struct {
	testpb.UnimplementedTestServiceServer
}

func (service) EmptyCall(context.Context, *testpb.Empty) (*testpb.Empty, error) {
	return &testpb.Empty{}, nil
}

func (service) UnaryCall(ctx context.Context, _ *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
	return &testpb.SimpleResponse{Username: caller(ctx)}, nil
}

func (service) StreamingOutputCall(_ *testpb.StreamingOutputCallRequest, stream grpc.ServerStreamingServer[testpb.StreamingOutputCallResponse]) error {
	return stream.Send(&testpb.StreamingOutputCallResponse{Payload: &testpb.Payload{Body: []byte(caller(stream.Context()))}})
}

func (service) UnimplementedCall(context.Context, *testpb.Empty) (*testpb.Empty, error) {
	return nil, errors.New("a method without a rule ran")
}

func caller(ctx context.Context) string {
	if p, ok := resourceserver.PrincipalFrom(ctx); ok {
		return p.Username
	}
	return "nobody"
}

// record is what a resource server said of its decisions.
type record struct {
	mu        sync.Mutex // guards the rest
	decisions []resourceserver.Decision
	log       bytes.Buffer
}

func (r *record) Write(line []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.Write(line)
}

func newAuth(t *testing.T, realm *keycloaktest.Server, r *record) *resourceserver.Authenticator {
	t.Helper()
	config := realm.Realm().ServerConfig("service")
	config.Logger = slog.New(slog.NewJSONHandler(r, nil))
	config.OnDecision = func(_ context.Context, d resourceserver.Decision) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.decisions = append(r.decisions, d)
	}
	auth, err := resourceserver.New(config)
	require.NoError(t, err)
	return auth
}

func newRealm(t *testing.T) *keycloaktest.Server {
	t.Helper()
	realm := keycloaktest.NewServer(keycloaktest.Config{})
	t.Cleanup(realm.Close)
	return realm
}

// serve runs a server behind guard and returns a connection to it.
func serve(t *testing.T, guard *grpcauth.Guard, opts ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	return serveWith(t, guard.ServerOptions(), opts...)
}

func serveWith(t *testing.T, options []grpc.ServerOption, opts ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	server := grpc.NewServer(options...)
	testpb.RegisterTestServiceServer(server, service{})
	healthpb.RegisterHealthServer(server, health.NewServer())
	listener := bufconn.Listen(1 << 16)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	conn, err := grpc.NewClient("passthrough:///orders.example", append(opts, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))...)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return conn
}

// call calls any method with an empty message, as a stream or not, and returns who the server says called.
func call(ctx context.Context, conn *grpc.ClientConn, method string) (string, error) {
	if method == streaming {
		stream, err := testpb.NewTestServiceClient(conn).StreamingOutputCall(ctx, &testpb.StreamingOutputCallRequest{})
		if err != nil {
			return "", err
		}
		answer, err := stream.Recv()
		return string(answer.GetPayload().GetBody()), err
	}
	answer := &testpb.SimpleResponse{}
	err := conn.Invoke(ctx, method, &testpb.Empty{}, answer)
	return answer.GetUsername(), err
}

func with(t *testing.T, authorization ...string) context.Context {
	return metadata.NewOutgoingContext(t.Context(), metadata.MD{"authorization": authorization})
}

func TestCalls(t *testing.T) {
	realm := newRealm(t)
	var r record
	conn := serve(t, grpcauth.New(newAuth(t, realm, &r), methods()))
	alice, bob := "Bearer "+realm.Token(keycloaktest.Token{User: "alice"}), "Bearer "+realm.Token(keycloaktest.Token{User: "bob"})
	job, jobAdmin := "Bearer "+realm.Token(keycloaktest.Token{}), "Bearer "+realm.Token(keycloaktest.Token{Roles: []string{"ROLE_ADMIN"}})
	expired := "Bearer " + realm.Token(keycloaktest.Token{User: "alice", Lifetime: -time.Hour})
	foreign := "Bearer " + realm.Token(keycloaktest.Token{User: "alice", Audience: []string{"other"}})

	for _, c := range []struct {
		name          string
		method        string
		authorization []string
		code          codes.Code
		caller        string
	}{
		{"any valid token: a person", emptyCall, []string{bob}, codes.OK, ""},
		{"any valid token: a service", emptyCall, []string{job}, codes.OK, ""},
		{"no token", emptyCall, nil, codes.Unauthenticated, ""},
		{"another scheme", emptyCall, []string{"Basic YTpi"}, codes.Unauthenticated, ""},
		{"garbage", emptyCall, []string{"Bearer garbage"}, codes.Unauthenticated, ""},
		{"two values", emptyCall, []string{alice, alice}, codes.InvalidArgument, ""},
		{"expired", emptyCall, []string{expired}, codes.Unauthenticated, ""},
		{"of another service", emptyCall, []string{foreign}, codes.Unauthenticated, ""},

		{"all rules hold", unaryCall, []string{alice}, codes.OK, "alice"},
		{"the first rule fails", unaryCall, []string{bob}, codes.PermissionDenied, ""},
		{"the second rule fails", unaryCall, []string{jobAdmin}, codes.PermissionDenied, ""},
		{"rules, no token", unaryCall, nil, codes.Unauthenticated, ""},

		{"stream, the rule holds", streaming, []string{alice}, codes.OK, "alice"},
		{"stream, the rule fails", streaming, []string{bob}, codes.PermissionDenied, ""},
		{"stream, no token", streaming, nil, codes.Unauthenticated, ""},
		{"stream, garbage", streaming, []string{"Bearer garbage"}, codes.Unauthenticated, ""},

		{"public, no token", health1, nil, codes.OK, ""},
		{"public, garbage", health1, []string{"Bearer garbage"}, codes.OK, ""},

		{"unlisted, no token", unlisted, nil, codes.Unauthenticated, ""},
		{"unlisted, a token", unlisted, []string{alice}, codes.Unimplemented, ""},
		{"unlisted service, no token", "/grpc.health.v1.Health/List", nil, codes.Unauthenticated, ""},
		{"unknown, no token", nonesuch, nil, codes.Unauthenticated, ""},
		{"unknown, a token", nonesuch, []string{alice}, codes.Unimplemented, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			caller, err := call(with(t, c.authorization...), conn, c.method)
			assert.Equal(t, c.code, status.Code(err), "%v", err)
			assert.Equal(t, c.caller, caller)
			assert.NotContains(t, status.Convert(err).Message(), "eyJ", "no token in an answer")
		})
	}
	assert.NotContains(t, r.log.String(), "eyJ", "no token in the log")
	known, unknown := status.Convert(callErr(with(t, alice), conn, unlisted)), status.Convert(callErr(with(t, alice), conn, nonesuch))
	assert.Equal(t, known.Proto(), unknown.Proto(), "what is there and what is not look the same")
}

func callErr(ctx context.Context, conn *grpc.ClientConn, method string) error {
	_, err := call(ctx, conn, method)
	return err
}

// TestOtherSpellingsAreUnlisted holds that a method is compared exactly.
func TestOtherSpellingsAreUnlisted(t *testing.T) {
	guard := grpcauth.New(newAuth(t, newRealm(t), &record{}), grpcauth.Methods{Public: []string{health1}})
	for name, want := range map[string]codes.Code{
		health1: codes.OK, health1[1:]: codes.Unauthenticated, "/" + health1: codes.Unauthenticated, health1 + "/": codes.Unauthenticated, "": codes.Unauthenticated,
		"/grpc.health.v1.health/check": codes.Unauthenticated,
	} {
		_, err := guard.UnaryInterceptor(t.Context(), nil, &grpc.UnaryServerInfo{FullMethod: name}, func(context.Context, any) (any, error) { return nil, nil })
		assert.Equal(t, want, status.Code(err), name)
	}
}

func TestIssuerOutOfReach(t *testing.T) {
	realm := newRealm(t)
	conn := serve(t, grpcauth.New(newAuth(t, realm, &record{}), methods()))
	alice := "Bearer " + realm.Token(keycloaktest.Token{User: "alice"})
	realm.SetDown(true)
	for _, method := range []string{unaryCall, streaming, unlisted} {
		s := status.Convert(callErr(with(t, alice), conn, method))
		assert.Equal(t, codes.Unavailable, s.Code())
		require.Len(t, s.Details(), 1)
		info, ok := s.Details()[0].(*errdetails.RetryInfo)
		require.True(t, ok)
		assert.GreaterOrEqual(t, info.GetRetryDelay().AsDuration(), time.Second)
	}
	assert.NoError(t, callErr(with(t, alice), conn, health1), "what is public stays up")
}

// TestDecisionsAreToldAsOfHTTP compares what OnDecision and the log get with what they get of the middleware.
func TestDecisionsAreToldAsOfHTTP(t *testing.T) {
	realm := newRealm(t)
	var ofGRPC, ofHTTP record
	conn := serve(t, grpcauth.New(newAuth(t, realm, &ofGRPC), methods()))
	mux := http.NewServeMux()
	auth := newAuth(t, realm, &ofHTTP)
	for method, rules := range methods().Rules {
		mux.Handle("POST "+method, auth.Require(rules...)(http.NotFoundHandler()))
	}
	for _, c := range []struct{ method, authorization string }{
		{emptyCall, "Bearer " + realm.Token(keycloaktest.Token{User: "bob"})}, // passes
		{emptyCall, ""},
		{emptyCall, "Bearer garbage"},
		{emptyCall, "Bearer " + realm.Token(keycloaktest.Token{User: "alice", Lifetime: -time.Hour})},
		{unaryCall, "Bearer " + realm.Token(keycloaktest.Token{User: "alice", Audience: []string{"other"}})},
		{unaryCall, "Bearer " + realm.Token(keycloaktest.Token{User: "bob"})},
		{streaming, "Bearer " + realm.Token(keycloaktest.Token{User: "bob"})},
	} {
		_ = callErr(with(t, c.authorization), conn, c.method)
		request := httptest.NewRequest(http.MethodPost, c.method, nil)
		request.Header.Set("Authorization", c.authorization)
		mux.ServeHTTP(httptest.NewRecorder(), request)
	}
	assert.Len(t, ofGRPC.decisions, 7)
	assert.Equal(t, ofHTTP.decisions, ofGRPC.decisions)
	got, want := ofGRPC.lines(t), ofHTTP.lines(t)
	require.Len(t, got, 6)
	for i := range want {
		for _, key := range []string{"level", "msg", "reason", "status", "expected", "hint", "caller"} {
			assert.Equal(t, want[i][key], got[i][key], "%s of %v", key, want[i])
		}
		delete(want[i]["unverified"].(map[string]any), "method")
		assert.Equal(t, want[i]["unverified"], got[i]["unverified"])
	}
}

func (r *record) lines(t *testing.T) []map[string]any {
	var all []map[string]any
	for line := range bytes.Lines(r.log.Bytes()) {
		var one map[string]any
		require.NoError(t, json.Unmarshal(line, &one))
		all = append(all, one)
	}
	return all
}

type secretive struct{}

func (secretive) Check(r *http.Request, _ *resourceserver.Principal) error {
	if r != nil {
		return nil
	}
	return errors.New("account 4711 is closed")
}
func (secretive) String() string { return "open account" }

func TestRulesOfTheProgramsOwn(t *testing.T) {
	realm := newRealm(t)
	var r record
	var seen []*resourceserver.Principal
	conn := serve(t, grpcauth.New(newAuth(t, realm, &r), grpcauth.Methods{Rules: map[string][]resourceserver.Rule{
		unaryCall: {secretive{}},
		streaming: {resourceserver.RuleFunc("never", func(_ *http.Request, p *resourceserver.Principal) bool { seen = append(seen, p); return false })},
	}}))
	alice := with(t, "Bearer "+realm.Token(keycloaktest.Token{User: "alice"}))
	s := status.Convert(callErr(alice, conn, unaryCall))
	assert.Equal(t, codes.PermissionDenied, s.Code(), "the request is nil")
	assert.NotContains(t, s.Message(), "4711")
	assert.Contains(t, r.log.String(), "4711")
	assert.Contains(t, r.log.String(), `"expected":"open account"`)
	assert.Equal(t, codes.PermissionDenied, status.Code(callErr(alice, conn, streaming)))
	require.Len(t, seen, 1)
	assert.Equal(t, "alice", seen[0].Username)
}

// TestRefusedTokenIsReplaced runs both ends: a key that the issuer has withdrawn costs the client one call, whose answer makes it ask for another token.
func TestRefusedTokenIsReplaced(t *testing.T) {
	realm := newRealm(t)
	client := realm.ClientConfig("job")
	client.Logger = slog.New(slog.DiscardHandler)
	source, err := clientcreds.New(client)
	require.NoError(t, err)
	creds := grpccreds.Credentials{Source: source, AllowInsecureTransport: true}
	config := realm.Realm().ServerConfig("service")
	config.Logger = slog.New(slog.DiscardHandler)
	auth, err := resourceserver.New(config)
	require.NoError(t, err)
	conn := serve(t, grpcauth.New(auth, methods()), creds.DialOptions()...)
	require.NoError(t, callErr(t.Context(), conn, emptyCall))
	assert.Equal(t, codes.PermissionDenied, status.Code(callErr(t.Context(), conn, unaryCall)))
	assert.False(t, source.Status().Refused, "a lack of permission is not the token's fault")
	auth.Forget()
	realm.RotateKeys(false)
	other := "Bearer " + realm.Token(keycloaktest.Token{User: "bob"}) // with the new key, which makes the server look for it
	require.NoError(t, callErr(with(t, other), serve(t, grpcauth.New(auth, methods())), emptyCall))
	assert.Equal(t, codes.Unauthenticated, status.Code(callErr(t.Context(), conn, emptyCall)))
	assert.True(t, source.Status().Refused, "the client heard of it")
}

func TestMistakesShowAtTheStart(t *testing.T) {
	realm := newRealm(t)
	auth := newAuth(t, realm, &record{})
	config := realm.Realm().ServerConfig("service")
	config.Roles = nil
	roleless, err := resourceserver.New(config)
	require.NoError(t, err)
	ruled := func(name string, rules ...resourceserver.Rule) grpcauth.Methods {
		return grpcauth.Methods{Rules: map[string][]resourceserver.Rule{name: rules}}
	}
	both := ruled(emptyCall)
	both.Public = []string{emptyCall}
	for _, c := range []struct {
		name    string
		auth    *resourceserver.Authenticator
		methods grpcauth.Methods
		panics  string
	}{
		{"no authenticator", nil, grpcauth.Methods{}, "a nil Authenticator"},
		{"nil rule", auth, ruled(emptyCall, nil), "a nil rule"},
		{"role rule without roles", roleless, ruled(emptyCall, resourceserver.Role("ADMIN")), "Config.Roles is nil"},
		{"no slash", auth, ruled("grpc.testing.TestService/EmptyCall"), "no full method name"},
		{"no method", auth, ruled("/grpc.testing.TestService/"), "no full method name"},
		{"no service", auth, ruled("//EmptyCall"), "no full method name"},
		{"three parts", auth, ruled("/a/b/c"), "no full method name"},
		{"public, no full name", auth, grpcauth.Methods{Public: []string{"*"}}, "no full method name"},
		{"public and ruled", auth, both, "listed twice"},
		{"public twice", auth, grpcauth.Methods{Public: []string{health1, health1}}, "listed twice"},
	} {
		t.Run(c.name, func(t *testing.T) {
			defer func() {
				text, _ := recover().(string)
				assert.Contains(t, text, c.panics)
			}()
			grpcauth.New(c.auth, c.methods)
		})
	}
}

// TestInterceptorsRunAfterTheGuard holds that a chained one sees the principal and no refused call, wherever it stands among the options, and that no
// other may take the guard's place.
func TestInterceptorsRunAfterTheGuard(t *testing.T) {
	realm := newRealm(t)
	guard := grpcauth.New(newAuth(t, realm, &record{}), methods())
	var mu sync.Mutex
	var seen []string
	note := func(ctx context.Context) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, caller(ctx))
	}
	unary := func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		note(ctx)
		return next(ctx, req)
	}
	stream := func(srv any, s grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
		note(s.Context())
		return next(srv, s)
	}
	chained := []grpc.ServerOption{grpc.ChainUnaryInterceptor(unary), grpc.ChainStreamInterceptor(stream)}
	for _, options := range [][]grpc.ServerOption{append(guard.ServerOptions(), chained...), append(chained, guard.ServerOptions()...)} {
		seen = nil
		client := testpb.NewTestServiceClient(serveWith(t, options))
		for _, user := range []string{"", "bob", "alice"} {
			ctx := t.Context()
			if user != "" {
				ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+realm.Token(keycloaktest.Token{User: user}))
			}
			_, err := client.UnaryCall(ctx, &testpb.SimpleRequest{})
			assert.Equal(t, user == "alice", err == nil, user)
			answers, err := client.StreamingOutputCall(ctx, &testpb.StreamingOutputCallRequest{})
			require.NoError(t, err)
			_, err = answers.Recv()
			assert.Equal(t, user == "alice", err == nil, user)
		}
		mu.Lock()
		assert.Equal(t, []string{"alice", "alice"}, seen)
		mu.Unlock()
	}
	assert.Panics(t, func() { grpc.NewServer(append(guard.ServerOptions(), grpc.UnaryInterceptor(unary))...) })
	assert.Panics(t, func() { grpc.NewServer(append(guard.ServerOptions(), grpc.StreamInterceptor(stream))...) })
}

func TestTheTableIsCopied(t *testing.T) {
	realm := newRealm(t)
	table := methods()
	guard := grpcauth.New(newAuth(t, realm, &record{}), table)
	table.Rules[unaryCall][0], table.Public[0] = resourceserver.Role("USER"), unlisted
	table.Rules[unlisted] = nil
	want := []resourceserver.Route{
		{Pattern: health1, Public: true, Rule: "public"},
		{Pattern: emptyCall, Rule: "any valid token"},
		{Pattern: streaming, Rule: "role ADMIN"},
		{Pattern: unaryCall, Rule: "role ADMIN; person"},
	}
	assert.Equal(t, want, guard.Routes())
	conn := serve(t, guard)
	assert.Equal(t, codes.PermissionDenied, status.Code(callErr(with(t, "Bearer "+realm.Token(keycloaktest.Token{User: "bob"})), conn, unaryCall)))
}

// TestEveryMethodHasARule is how a program holds its own table against its services.
func TestEveryMethodHasARule(t *testing.T) {
	guard := grpcauth.New(newAuth(t, newRealm(t), &record{}), methods())
	server := grpc.NewServer(guard.ServerOptions()...)
	testpb.RegisterTestServiceServer(server, service{})
	healthpb.RegisterHealthServer(server, health.NewServer())
	var served []string
	for name, info := range server.GetServiceInfo() {
		for _, m := range info.Methods {
			served = append(served, "/"+name+"/"+m.Name)
		}
	}
	for _, route := range guard.Routes() {
		assert.True(t, slices.Contains(served, route.Pattern), "%s has a rule and is not served", route.Pattern)
	}
}
