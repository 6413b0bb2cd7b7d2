package grpccreds_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"github.com/svcauth/svcauth/clientcreds"
	grpccreds "github.com/svcauth/svcauth/clientcreds/adapters/grpc"
)

// issuer gives token-1, token-2 and so on, or what its status says.
type issuer struct {
	*httptest.Server
	n      atomic.Int64
	status atomic.Int64
}

func newIssuer(t *testing.T) *issuer {
	i := &issuer{}
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if code := int(i.status.Load()); code != 0 {
			w.WriteHeader(code)
			return
		}
		fmt.Fprintf(w, `{"access_token":"token-%d","expires_in":300}`, i.n.Add(1))
	}))
	t.Cleanup(i.Close)
	return i
}

func newSource(t *testing.T, i *issuer, origins ...string) *clientcreds.Source {
	t.Helper()
	source, err := clientcreds.New(clientcreds.Config{
		TokenURL: i.URL, ClientID: "c", ClientSecret: "s", Origins: origins, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	return source
}

// api is a gRPC server that accepts one token.
type api struct {
	mu     sync.Mutex // guards the rest
	accept string
	seen   []string
	lis    *bufconn.Listener
	roots  *x509.CertPool
}

func (a *api) check(ctx context.Context) error {
	md, _ := metadata.FromIncomingContext(ctx)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seen = append(a.seen, md.Get("authorization")...)
	if got := md.Get("authorization"); len(got) != 1 || got[0] != "Bearer "+a.accept {
		return status.Error(codes.Unauthenticated, "invalid token")
	}
	return nil
}

func newAPI(t *testing.T, secure bool) *api {
	a := &api{accept: "token-1", lis: bufconn.Listen(1 << 16), roots: x509.NewCertPool()}
	opts := []grpc.ServerOption{
		grpc.UnaryInterceptor(func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			if err := a.check(ctx); err != nil {
				return nil, err
			}
			return next(ctx, req)
		}),
		grpc.StreamInterceptor(func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
			if err := a.check(stream.Context()); err != nil {
				return err
			}
			return next(srv, stream)
		}),
	}
	if secure {
		public, key, err := ed25519.GenerateKey(rand.Reader)
		require.NoError(t, err)
		template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"api.example"}, IsCA: true, BasicConstraintsValid: true}
		der, err := x509.CreateCertificate(rand.Reader, template, template, public, key)
		require.NoError(t, err)
		parsed, err := x509.ParseCertificate(der)
		require.NoError(t, err)
		a.roots.AddCert(parsed)
		opts = append(opts, grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12})))
	}
	server := grpc.NewServer(opts...)
	healthpb.RegisterHealthServer(server, health.NewServer())
	go func() { _ = server.Serve(a.lis) }()
	t.Cleanup(server.Stop)
	return a
}

func (a *api) dial(t *testing.T, secure bool, opts ...grpc.DialOption) healthpb.HealthClient {
	t.Helper()
	transport := insecure.NewCredentials()
	if secure {
		transport = credentials.NewTLS(&tls.Config{RootCAs: a.roots, MinVersion: tls.VersionTLS12})
	}
	opts = append(opts, grpc.WithTransportCredentials(transport), grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return a.lis.DialContext(ctx) }))
	conn, err := grpc.NewClient("passthrough:///api.example:443", opts...)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return healthpb.NewHealthClient(conn)
}

func (a *api) setAccept(token string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.accept = token
}

func TestCallsCarryTheToken(t *testing.T) {
	i, a := newIssuer(t), newAPI(t, true)
	client := a.dial(t, true, grpccreds.DialOptions(newSource(t, i, "https://api.example"))...)
	for range 3 {
		_, err := client.Check(t.Context(), &healthpb.HealthCheckRequest{})
		require.NoError(t, err)
	}
	stream, err := client.Watch(t.Context(), &healthpb.HealthCheckRequest{})
	require.NoError(t, err)
	_, err = stream.Recv()
	require.NoError(t, err)
	assert.Equal(t, []string{"Bearer token-1", "Bearer token-1", "Bearer token-1", "Bearer token-1"}, a.seen)
	assert.EqualValues(t, 1, i.n.Load())
}

func TestRefusedTokenIsReplacedForTheCallsToCome(t *testing.T) {
	for name, call := range map[string]func(context.Context, healthpb.HealthClient) error{
		"unary": func(ctx context.Context, c healthpb.HealthClient) error {
			_, err := c.Check(ctx, &healthpb.HealthCheckRequest{})
			return err
		},
		"stream": func(ctx context.Context, c healthpb.HealthClient) error {
			stream, err := c.Watch(ctx, &healthpb.HealthCheckRequest{})
			if err == nil {
				_, err = stream.Recv()
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			i, a := newIssuer(t), newAPI(t, true)
			client := a.dial(t, true, grpccreds.DialOptions(newSource(t, i))...)
			require.NoError(t, call(t.Context(), client))
			a.setAccept("token-2")
			var wg sync.WaitGroup
			for range 50 {
				wg.Go(func() { _ = call(t.Context(), client) })
			}
			wg.Wait()
			assert.NoError(t, call(t.Context(), client))
			assert.EqualValues(t, 2, i.n.Load(), "one refresh for all of them")
		})
	}
}

func TestOtherStatusesRefuseNoToken(t *testing.T) {
	i, a := newIssuer(t), newAPI(t, true)
	client := a.dial(t, true, grpccreds.DialOptions(newSource(t, i))...)
	_, err := client.Check(t.Context(), &healthpb.HealthCheckRequest{Service: "unknown"})
	require.Equal(t, codes.NotFound, status.Code(err))
	_, err = client.Check(t.Context(), &healthpb.HealthCheckRequest{})
	require.NoError(t, err)
	assert.EqualValues(t, 1, i.n.Load())
}

func TestTokenGoesNowhereElse(t *testing.T) {
	i, a := newIssuer(t), newAPI(t, true)
	client := a.dial(t, true, grpccreds.DialOptions(newSource(t, i, "https://other.example"))...)
	_, err := client.Check(t.Context(), &healthpb.HealthCheckRequest{})
	assert.Equal(t, codes.PermissionDenied, status.Code(err))
	assert.ErrorContains(t, err, `"https://api.example" is not among Origins`)
	assert.Empty(t, a.seen)
	assert.EqualValues(t, 0, i.n.Load())
}

func TestPlainConnections(t *testing.T) {
	i, a := newIssuer(t), newAPI(t, false)
	source := newSource(t, i)
	assert.True(t, grpccreds.Credentials{Source: source}.RequireTransportSecurity())
	_, err := grpc.NewClient("passthrough:///api.example", append(grpccreds.DialOptions(source), grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	assert.Error(t, err, "gRPC refuses to dial")
	_, err = grpccreds.Credentials{Source: source}.GetRequestMetadata(t.Context(), "https://api.example/s")
	assert.Equal(t, codes.Unauthenticated, status.Code(err), "and we refuse whoever asks without TLS")
	assert.EqualValues(t, 0, i.n.Load())

	client := a.dial(t, false, grpccreds.Credentials{Source: source, AllowInsecureTransport: true}.DialOptions()...)
	_, err = client.Check(t.Context(), &healthpb.HealthCheckRequest{})
	require.NoError(t, err)
	assert.Equal(t, []string{"Bearer token-1"}, a.seen)
}

func TestWithoutAToken(t *testing.T) {
	a := newAPI(t, true)
	for code, want := range map[int64]codes.Code{503: codes.Unavailable, 401: codes.Unauthenticated} {
		i := newIssuer(t)
		i.status.Store(code)
		source := newSource(t, i)
		_, err := a.dial(t, true, grpccreds.DialOptions(source)...).Check(t.Context(), &healthpb.HealthCheckRequest{})
		assert.Equal(t, want, status.Code(err))
		assert.False(t, source.Status().Refused, "no token was refused")
	}
	assert.Empty(t, a.seen)

	hanging := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer hanging.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	source := newSource(t, &issuer{Server: hanging})
	_, err := grpccreds.Credentials{Source: source, AllowInsecureTransport: true}.GetRequestMetadata(ctx)
	assert.Equal(t, codes.Canceled, status.Code(err))
	_, err = grpccreds.Credentials{AllowInsecureTransport: true}.GetRequestMetadata(ctx)
	assert.ErrorContains(t, err, "Source is nil")
	_, err = grpccreds.Credentials{Source: source, AllowInsecureTransport: true}.GetRequestMetadata(ctx, "::")
	assert.Equal(t, codes.Internal, status.Code(err))
}
