package connectauth_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/svcauth/svcauth/clientcreds"
	"github.com/svcauth/svcauth/keycloak/keycloaktest"
	"github.com/svcauth/svcauth/resourceserver"
	connectauth "github.com/svcauth/svcauth/resourceserver/adapters/connect"
)

// A handler behind the library's Mux, and a client that carries tokens of its own.
func Example() {
	realm := keycloaktest.NewServer(keycloaktest.Config{}) // stands for a Keycloak
	defer realm.Close()

	config := realm.Realm().ServerConfig("service")
	config.WriteError = connectauth.WriteError
	config.Logger = slog.New(slog.DiscardHandler)
	auth, err := resourceserver.New(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	whoami := func(ctx context.Context, _ *connect.Request[emptypb.Empty]) (*connect.Response[wrapperspb.StringValue], error) {
		caller, _ := resourceserver.PrincipalFrom(ctx)
		return connect.NewResponse(wrapperspb.String(caller.ClientID)), nil
	}
	routes := auth.NewMux()
	routes.Handle("POST /orders.v1.Orders/List", connect.NewUnaryHandler("/orders.v1.Orders/List", whoami))
	routes.Handle("POST /orders.v1.Orders/Delete", connect.NewUnaryHandler("/orders.v1.Orders/Delete", whoami), resourceserver.Role("ADMIN"))
	server := httptest.NewServer(routes)
	defer server.Close()

	job := realm.ClientConfig("job")
	job.Origins = []string{server.URL}
	job.Logger = slog.New(slog.DiscardHandler)
	source, err := clientcreds.New(job)
	if err != nil {
		fmt.Println(err)
		return
	}
	client := source.Client(&http.Client{Timeout: 10 * time.Second})
	for _, procedure := range []string{"List", "Delete", "Unlisted"} {
		orders := connect.NewClient[emptypb.Empty, wrapperspb.StringValue](client, server.URL+"/orders.v1.Orders/"+procedure)
		answer, err := orders.CallUnary(context.Background(), connect.NewRequest(&emptypb.Empty{}))
		if err != nil {
			fmt.Println(procedure, connect.CodeOf(err))
			continue
		}
		fmt.Println(procedure, "called by", answer.Msg.GetValue())
	}
	// Output:
	// List called by job
	// Delete permission_denied
	// Unlisted unimplemented
}

// An interceptor with a table of its own.
func ExampleGuard() {
	realm := keycloaktest.NewServer(keycloaktest.Config{})
	defer realm.Close()

	config := realm.Realm().ServerConfig("service")
	config.Logger = slog.New(slog.DiscardHandler)
	auth, err := resourceserver.New(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	guard := connectauth.New(auth, connectauth.Methods{
		Public: []string{"/orders.v1.Orders/Health"},
		Rules:  map[string][]resourceserver.Rule{"/orders.v1.Orders/Delete": {resourceserver.Role("ADMIN")}},
	})
	mux := http.NewServeMux()
	for path, handler := range handlers(connect.WithInterceptors(guard)) { // of all procedures, which generated code makes one of
		mux.Handle(path, handler)
	}
	server := httptest.NewServer(mux)
	defer server.Close()

	bearer := func(user string) []string { return []string{"Bearer " + realm.Token(keycloaktest.Token{User: user})} }
	for _, c := range []struct {
		procedure     string
		authorization []string
	}{{"Health", nil}, {"Delete", bearer("alice")}, {"Delete", bearer("bob")}, {"Delete", nil}, {"List", bearer("alice")}} {
		_, err := call(context.Background(), server.Client(), server.URL, "/orders.v1.Orders/"+c.procedure, c.authorization)
		if err != nil {
			fmt.Println(c.procedure, connect.CodeOf(err))
			continue
		}
		fmt.Println(c.procedure, "ok")
	}
	// Output:
	// Health ok
	// Delete ok
	// Delete permission_denied
	// Delete unauthenticated
	// List unimplemented
}
