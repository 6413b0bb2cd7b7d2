package connectauth_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/svcauth/svcauth/clientcreds"
	"github.com/svcauth/svcauth/keycloak/keycloaktest"
	"github.com/svcauth/svcauth/resourceserver"
	connectauth "github.com/svcauth/svcauth/resourceserver/adapters/connect"
)

const (
	health   = "/orders.v1.Orders/Health"
	list     = "/orders.v1.Orders/List"
	remove   = "/orders.v1.Orders/Delete"
	watch    = "/orders.v1.Orders/Watch"
	unlisted = "/orders.v1.Orders/Unlisted"
	nonesuch = "/orders.v1.Orders/Nonesuch"
)

func methods() connectauth.Methods {
	return connectauth.Methods{
		Public: []string{health},
		Rules: map[string][]resourceserver.Rule{
			list:   nil,
			remove: {resourceserver.Role("ADMIN"), resourceserver.Person()},
			watch:  {resourceserver.Role("ADMIN")},
		},
	}
}

func caller(ctx context.Context) *wrapperspb.StringValue {
	if p, ok := resourceserver.PrincipalFrom(ctx); ok {
		return wrapperspb.String(p.Username)
	}
	return wrapperspb.String("nobody")
}

// handlers are what generated code would make: one http.Handler for each procedure, whose answer is the caller's name.
func handlers(opts ...connect.HandlerOption) map[string]http.Handler {
	unary := func(ctx context.Context, _ *connect.Request[emptypb.Empty]) (*connect.Response[wrapperspb.StringValue], error) {
		return connect.NewResponse(caller(ctx)), nil
	}
	stream := func(ctx context.Context, _ *connect.Request[emptypb.Empty], stream *connect.ServerStream[wrapperspb.StringValue]) error {
		return stream.Send(caller(ctx))
	}
	all := map[string]http.Handler{watch: connect.NewServerStreamHandler(watch, stream, opts...)}
	for _, name := range []string{health, list, remove, unlisted} {
		all[name] = connect.NewUnaryHandler(name, unary, append(opts, connect.WithIdempotency(connect.IdempotencyNoSideEffects))...)
	}
	return all
}

// intercepted serves the handlers with a Guard.
func intercepted(auth *resourceserver.Authenticator, m connectauth.Methods) http.Handler {
	mux := http.NewServeMux()
	for name, handler := range handlers(connect.WithInterceptors(connectauth.New(auth, m))) {
		mux.Handle(name, handler)
	}
	return mux
}

// routed serves the handlers from the library's Mux.
func routed(auth *resourceserver.Authenticator, m connectauth.Methods) http.Handler {
	mux, all := auth.NewMux(), handlers()
	for name, rules := range m.Rules {
		mux.Handle("POST "+name, all[name], rules...)
	}
	for _, name := range m.Public {
		mux.Public("POST "+name, all[name])
	}
	return mux
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

func (r *record) lines(t *testing.T) []map[string]any {
	var all []map[string]any
	for line := range bytes.Lines(r.log.Bytes()) {
		var one map[string]any
		require.NoError(t, json.Unmarshal(line, &one))
		all = append(all, one)
	}
	return all
}

func newAuth(t *testing.T, realm *keycloaktest.Server, r *record) *resourceserver.Authenticator {
	t.Helper()
	config := realm.Realm().ServerConfig("service")
	config.HTTPClient = &http.Client{Transport: realm.Transport()}
	config.Logger = slog.New(slog.NewJSONHandler(r, nil))
	config.WriteError = connectauth.WriteError
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

func serve(t *testing.T, handler http.Handler) *httptest.Server {
	t.Helper()
	var complaints bytes.Buffer
	server := httptest.NewUnstartedServer(handler)
	server.EnableHTTP2, server.Config.ErrorLog = true, log.New(&complaints, "", 0)
	server.StartTLS()
	t.Cleanup(func() {
		server.Close()
		assert.Empty(t, complaints.String(), "what net/http complained about")
	})
	return server
}

// call returns who the server says called.
func call(ctx context.Context, client connect.HTTPClient, url, procedure string, authorization []string, opts ...connect.ClientOption) (string, error) {
	c := connect.NewClient[emptypb.Empty, wrapperspb.StringValue](client, url+procedure, opts...)
	request := connect.NewRequest(&emptypb.Empty{})
	for _, value := range authorization {
		request.Header().Add("Authorization", value)
	}
	if procedure == watch {
		stream, err := c.CallServerStream(ctx, request)
		if err != nil {
			return "", err
		}
		defer stream.Close()
		if !stream.Receive() {
			return "", stream.Err()
		}
		return stream.Msg().GetValue(), nil
	}
	answer, err := c.CallUnary(ctx, request)
	if err != nil {
		return "", err
	}
	return answer.Msg.GetValue(), nil
}

// ok stands for no error, for which Connect has no code.
const ok = connect.Code(0)

func codeOf(err error) connect.Code {
	if err == nil {
		return ok
	}
	return connect.CodeOf(err)
}

var protocols = map[string][]connect.ClientOption{"connect": nil, "grpc": {connect.WithGRPC()}, "grpc-web": {connect.WithGRPCWeb()}}

// challenged says whether a refusal brings the challenge along where a client finds it. By gRPC it can't: a challenge may not stand in a trailer.
func challenged(way, protocol, procedure string) bool {
	if way == "guard" {
		return protocol != "grpc"
	}
	return protocol == "connect" && procedure != watch
}

// TestCalls calls by each protocol what each of the two ways protects.
func TestCalls(t *testing.T) {
	realm := newRealm(t)
	var r record
	auth := newAuth(t, realm, &r)
	servers := map[string]*httptest.Server{"guard": serve(t, intercepted(auth, methods())), "mux": serve(t, routed(auth, methods()))}
	alice, bob := "Bearer "+realm.Token(keycloaktest.Token{User: "alice"}), "Bearer "+realm.Token(keycloaktest.Token{User: "bob"})
	job, jobAdmin := "Bearer "+realm.Token(keycloaktest.Token{}), "Bearer "+realm.Token(keycloaktest.Token{Roles: []string{"ROLE_ADMIN"}})
	expired := "Bearer " + realm.Token(keycloaktest.Token{User: "alice", Lifetime: -time.Hour})
	foreign := "Bearer " + realm.Token(keycloaktest.Token{User: "alice", Audience: []string{"other"}})

	for _, c := range []struct {
		name          string
		procedure     string
		authorization []string
		code          connect.Code
		caller        string
		challenge     string
	}{
		{"any valid token: a person", list, []string{bob}, ok, "bob", ""},
		{"any valid token: a service", list, []string{job}, ok, "service-account-job", ""},
		{"no token", list, nil, connect.CodeUnauthenticated, "", "Bearer"},
		{"another scheme", list, []string{"Basic YTpi"}, connect.CodeUnauthenticated, "", "Bearer"},
		{"garbage", list, []string{"Bearer garbage"}, connect.CodeUnauthenticated, "", `Bearer error="invalid_token"`},
		{"two values", list, []string{alice, alice}, connect.CodeInvalidArgument, "", `Bearer error="invalid_request"`},
		{"expired", list, []string{expired}, connect.CodeUnauthenticated, "", `Bearer error="invalid_token"`},
		{"of another service", list, []string{foreign}, connect.CodeUnauthenticated, "", `Bearer error="invalid_token"`},

		{"all rules hold", remove, []string{alice}, ok, "alice", ""},
		{"the first rule fails", remove, []string{bob}, connect.CodePermissionDenied, "", `Bearer error="insufficient_scope"`},
		{"the second rule fails", remove, []string{jobAdmin}, connect.CodePermissionDenied, "", `Bearer error="insufficient_scope"`},
		{"rules, no token", remove, nil, connect.CodeUnauthenticated, "", "Bearer"},

		{"stream, the rule holds", watch, []string{alice}, ok, "alice", ""},
		{"stream, the rule fails", watch, []string{bob}, connect.CodePermissionDenied, "", `Bearer error="insufficient_scope"`},
		{"stream, no token", watch, nil, connect.CodeUnauthenticated, "", "Bearer"},

		{"public, no token", health, nil, ok, "nobody", ""},
		{"public, garbage", health, []string{"Bearer garbage"}, ok, "nobody", ""},

		{"unlisted, no token", unlisted, nil, connect.CodeUnauthenticated, "", "Bearer"},
		{"unlisted, a token", unlisted, []string{alice}, connect.CodeUnimplemented, "", ""},
	} {
		for protocol, opts := range protocols {
			for way, server := range servers {
				t.Run(c.name+"/"+protocol+"/"+way, func(t *testing.T) {
					caller, err := call(t.Context(), server.Client(), server.URL, c.procedure, c.authorization, opts...)
					assert.Equal(t, c.code, codeOf(err), "%v", err)
					assert.Equal(t, c.caller, caller)
					var e *connect.Error
					if errors.As(err, &e) {
						assert.NotContains(t, err.Error(), "eyJ", "no token in an answer")
						if c.challenge != "" && challenged(way, protocol, c.procedure) {
							assert.True(t, strings.HasPrefix(e.Meta().Get("WWW-Authenticate"), c.challenge), "%v", e.Meta())
							assert.Len(t, e.Meta().Values("WWW-Authenticate"), 1)
						}
					}
				})
			}
		}
	}
	assert.NotContains(t, r.log.String(), "eyJ", "no token in the log")
	for protocol, opts := range protocols {
		_, err := call(t.Context(), servers["mux"].Client(), servers["mux"].URL, nonesuch, nil, opts...)
		assert.Equal(t, connect.CodeUnauthenticated, codeOf(err), "%s: the Mux tells strangers of no procedure", protocol)
	}
}

func TestIssuerOutOfReach(t *testing.T) {
	realm := newRealm(t)
	auth := newAuth(t, realm, &record{})
	servers := map[string]*httptest.Server{"guard": serve(t, intercepted(auth, methods())), "mux": serve(t, routed(auth, methods()))}
	alice := []string{"Bearer " + realm.Token(keycloaktest.Token{User: "alice"})}
	realm.SetDown(true)
	for way, server := range servers {
		for protocol, opts := range protocols {
			_, err := call(t.Context(), server.Client(), server.URL, list, alice, opts...)
			assert.Equal(t, connect.CodeUnavailable, codeOf(err), "%s, %s", way, protocol)
			var e *connect.Error
			if assert.ErrorAs(t, err, &e) && challenged(way, protocol, list) {
				assert.NotEmpty(t, e.Meta().Get("Retry-After"), "%s, %s", way, protocol)
				assert.NotContains(t, e.Meta(), "Www-Authenticate", "%s, %s", way, protocol)
			}
			_, err = call(t.Context(), server.Client(), server.URL, health, alice, opts...)
			assert.NoError(t, err, "what is public stays up")
		}
	}
}

// TestAnswersAreNotStored holds for GET, which Connect allows where nothing has side effects, and which caches between store.
func TestAnswersAreNotStored(t *testing.T) {
	realm := newRealm(t)
	server := serve(t, intercepted(newAuth(t, realm, &record{}), methods()))
	answer, err := server.Client().Get(server.URL + list + "?encoding=proto&message=&base64=1&connect=v1")
	require.NoError(t, err)
	answer.Body.Close()
	assert.Equal(t, http.StatusUnauthorized, answer.StatusCode)
	assert.Equal(t, "Bearer", answer.Header.Get("WWW-Authenticate"))
	assert.Equal(t, "no-store", answer.Header.Get("Cache-Control"))
	assert.Equal(t, []string{"application/json"}, answer.Header.Values("Content-Type"))
}

func TestOtherRequestsGetJSON(t *testing.T) {
	realm := newRealm(t)
	protected := newAuth(t, realm, &record{}).RequireRole("ADMIN")(http.NotFoundHandler())
	for token, want := range map[string]int{"": 401, "garbage": 401, realm.Token(keycloaktest.Token{User: "bob"}): 403} {
		request := httptest.NewRequest(http.MethodDelete, "/", nil)
		if token != "" {
			request.Header.Set("Authorization", "Bearer "+token)
		}
		w := httptest.NewRecorder()
		protected.ServeHTTP(w, request)
		assert.Equal(t, want, w.Code)
		assert.Equal(t, "application/json", w.Header().Get("Content-Type"))
		assert.Contains(t, w.Header().Get("WWW-Authenticate"), "Bearer")
		assert.Contains(t, w.Body.String(), `"code":`)
	}
}

// TestDecisionsAreToldAsOfHTTP compares what OnDecision and the log get with what they get of the middleware.
func TestDecisionsAreToldAsOfHTTP(t *testing.T) {
	realm := newRealm(t)
	var ofGuard, ofHTTP record
	guarded, plain := serve(t, intercepted(newAuth(t, realm, &ofGuard), methods())), serve(t, routed(newAuth(t, realm, &ofHTTP), methods()))
	for _, c := range []struct{ procedure, authorization string }{
		{list, "Bearer " + realm.Token(keycloaktest.Token{User: "bob"})}, // passes
		{list, ""},
		{list, "Bearer garbage"},
		{list, "Bearer " + realm.Token(keycloaktest.Token{User: "alice", Lifetime: -time.Hour})},
		{remove, "Bearer " + realm.Token(keycloaktest.Token{User: "alice", Audience: []string{"other"}})},
		{remove, "Bearer " + realm.Token(keycloaktest.Token{User: "bob"})},
		{watch, "Bearer " + realm.Token(keycloaktest.Token{User: "bob"})},
	} {
		for _, server := range []*httptest.Server{guarded, plain} {
			_, _ = call(t.Context(), server.Client(), server.URL, c.procedure, []string{c.authorization})
		}
	}
	assert.Len(t, ofGuard.decisions, 7)
	assert.Equal(t, ofHTTP.decisions, ofGuard.decisions)
	got, want := ofGuard.lines(t), ofHTTP.lines(t)
	require.Len(t, got, 6)
	for i := range want {
		for _, key := range []string{"level", "msg", "reason", "status", "expected", "hint", "caller"} {
			assert.Equal(t, want[i][key], got[i][key], "%s of %v", key, want[i])
		}
		delete(want[i]["unverified"].(map[string]any), "method")
		assert.Equal(t, want[i]["unverified"], got[i]["unverified"])
	}
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
	server := serve(t, intercepted(newAuth(t, realm, &r), connectauth.Methods{Rules: map[string][]resourceserver.Rule{
		list:   {secretive{}},
		remove: {resourceserver.RuleFunc("alice", func(_ *http.Request, p *resourceserver.Principal) bool { return p.Username == "alice" })},
	}}))
	alice, bob := "Bearer "+realm.Token(keycloaktest.Token{User: "alice"}), "Bearer "+realm.Token(keycloaktest.Token{User: "bob"})
	_, err := call(t.Context(), server.Client(), server.URL, list, []string{alice})
	assert.Equal(t, connect.CodePermissionDenied, codeOf(err), "the request is nil")
	assert.NotContains(t, err.Error(), "4711")
	assert.Contains(t, r.log.String(), "4711")
	assert.Contains(t, r.log.String(), `"expected":"open account"`)
	_, err = call(t.Context(), server.Client(), server.URL, remove, []string{alice})
	assert.NoError(t, err)
	_, err = call(t.Context(), server.Client(), server.URL, remove, []string{bob})
	assert.Equal(t, connect.CodePermissionDenied, codeOf(err))
}

// TestClientsPassThroughAGuard holds that one list of interceptors may serve both ends.
func TestClientsPassThroughAGuard(t *testing.T) {
	auth := newAuth(t, newRealm(t), &record{})
	server := serve(t, intercepted(auth, connectauth.Methods{Public: []string{list, watch}}))
	for _, procedure := range []string{list, watch} {
		_, err := call(t.Context(), server.Client(), server.URL, procedure, nil, connect.WithInterceptors(connectauth.New(auth, connectauth.Methods{})))
		assert.NoError(t, err)
	}
}

// memory is a transport without a network, for a bubble of synctest.
type memory struct{ handler http.Handler }

func (m memory) RoundTrip(r *http.Request) (*http.Response, error) {
	in := httptest.NewRequest(r.Method, r.URL.String(), r.Body).WithContext(r.Context())
	in.Header = r.Header
	w := httptest.NewRecorder()
	m.handler.ServeHTTP(w, in)
	return w.Result(), nil
}

// TestRefusedTokenIsReplacedWithinTheCall runs both ends: by Connect's own protocol a refusal is a 401 with a challenge, upon which the client half takes another
// token and sends the call again.
func TestRefusedTokenIsReplacedWithinTheCall(t *testing.T) {
	realm := newRealm(t)
	for name, serve := range map[string]func(*resourceserver.Authenticator, connectauth.Methods) http.Handler{"guard": intercepted, "mux": routed} {
		synctest.Test(t, func(t *testing.T) {
			config := realm.ClientConfig("job")
			config.HTTPClient, config.Logger = &http.Client{Transport: realm.Transport()}, slog.New(slog.DiscardHandler)
			source, err := clientcreds.New(config)
			require.NoError(t, err)
			var before, after record
			ask := func(r *record) {
				client := source.Client(&http.Client{Transport: memory{serve(newAuth(t, realm, r), methods())}})
				caller, err := call(t.Context(), client, "http://localhost", list, nil)
				assert.NoError(t, err, name)
				assert.Equal(t, "service-account-job", caller, name)
			}
			ask(&before)
			assert.NotContains(t, before.log.String(), "refused")
			time.Sleep(10 * time.Second) // the pace at which a token may be replaced
			realm.RotateKeys(false)
			ask(&after)
			assert.Contains(t, after.log.String(), `"reason":"unknown_key"`, "the first try was refused")
		})
	}
}

func TestMistakesShowAtTheStart(t *testing.T) {
	realm := newRealm(t)
	auth := newAuth(t, realm, &record{})
	config := realm.Realm().ServerConfig("service")
	config.Roles = nil
	roleless, err := resourceserver.New(config)
	require.NoError(t, err)
	ruled := func(name string, rules ...resourceserver.Rule) connectauth.Methods {
		return connectauth.Methods{Rules: map[string][]resourceserver.Rule{name: rules}}
	}
	both := ruled(list)
	both.Public = []string{list}
	for _, c := range []struct {
		name    string
		auth    *resourceserver.Authenticator
		methods connectauth.Methods
		panics  string
	}{
		{"no authenticator", nil, connectauth.Methods{}, "a nil Authenticator"},
		{"nil rule", auth, ruled(list, nil), "a nil rule"},
		{"role rule without roles", roleless, ruled(list, resourceserver.Role("ADMIN")), "Config.Roles is nil"},
		{"no slash", auth, ruled("orders.v1.Orders/List"), "no procedure"},
		{"no method", auth, ruled("/orders.v1.Orders/"), "no procedure"},
		{"no service", auth, ruled("//List"), "no procedure"},
		{"three parts", auth, ruled("/a/b/c"), "no procedure"},
		{"public, no procedure", auth, connectauth.Methods{Public: []string{"*"}}, "no procedure"},
		{"public and ruled", auth, both, "listed twice"},
		{"public twice", auth, connectauth.Methods{Public: []string{health, health}}, "listed twice"},
	} {
		t.Run(c.name, func(t *testing.T) {
			defer func() {
				text, _ := recover().(string)
				assert.Contains(t, text, c.panics)
			}()
			connectauth.New(c.auth, c.methods)
		})
	}
}

func TestTheTableIsCopied(t *testing.T) {
	realm := newRealm(t)
	table := methods()
	guard := connectauth.New(newAuth(t, realm, &record{}), table)
	mux := http.NewServeMux()
	for name, handler := range handlers(connect.WithInterceptors(guard)) {
		mux.Handle(name, handler)
	}
	table.Rules[remove][0], table.Rules[unlisted] = resourceserver.Role("USER"), nil
	server, bob := serve(t, mux), []string{"Bearer " + realm.Token(keycloaktest.Token{User: "bob"})}
	_, err := call(t.Context(), server.Client(), server.URL, remove, bob)
	assert.Equal(t, connect.CodePermissionDenied, codeOf(err))
	_, err = call(t.Context(), server.Client(), server.URL, unlisted, bob)
	assert.Equal(t, connect.CodeUnimplemented, codeOf(err))
}
