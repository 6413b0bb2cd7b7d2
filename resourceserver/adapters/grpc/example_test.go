package grpcauth_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/svcauth/svcauth/keycloak/keycloaktest"
	"github.com/svcauth/svcauth/resourceserver"
	grpcauth "github.com/svcauth/svcauth/resourceserver/adapters/grpc"
)

func Example() {
	realm := keycloaktest.NewServer(keycloaktest.Config{}) // stands for a Keycloak
	defer realm.Close()

	config := realm.Realm().ServerConfig("service")
	config.Logger = slog.New(slog.DiscardHandler)
	auth, err := resourceserver.New(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	guard := grpcauth.New(auth, grpcauth.Methods{
		Public: []string{"/grpc.health.v1.Health/Check"},
		Rules:  map[string][]resourceserver.Rule{"/grpc.testing.TestService/UnaryCall": {resourceserver.Role("ADMIN")}},
	})
	server := grpc.NewServer(guard.ServerOptions()...)
	testpb.RegisterTestServiceServer(server, service{}) // answers with resourceserver.PrincipalFrom's name
	healthpb.RegisterHealthServer(server, health.NewServer())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	go func() { _ = server.Serve(listener) }()
	defer server.Stop()

	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	for _, user := range []string{"alice", "bob"} {
		ctx := metadata.AppendToOutgoingContext(context.Background(), "authorization", "Bearer "+realm.Token(keycloaktest.Token{User: user}))
		answer, err := testpb.NewTestServiceClient(conn).UnaryCall(ctx, &testpb.SimpleRequest{})
		fmt.Printf("%s: %s %q\n", user, status.Code(err), answer.GetUsername())
	}
	_, err = testpb.NewTestServiceClient(conn).UnaryCall(context.Background(), &testpb.SimpleRequest{})
	fmt.Println("nobody:", status.Code(err))
	_, err = healthpb.NewHealthClient(conn).Check(context.Background(), &healthpb.HealthCheckRequest{})
	fmt.Println("health:", status.Code(err))
	// Output:
	// alice: OK "alice"
	// bob: PermissionDenied ""
	// nobody: Unauthenticated
	// health: OK
}
