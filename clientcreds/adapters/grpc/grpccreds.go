// Package grpccreds puts the tokens of a [clientcreds.Source] on gRPC calls, and tells the Source when a server refuses one.
//
//	source, err := clientcreds.New(clientcreds.Config{…, Origins: []string{"https://orders.example"}})
//	…
//	conn, err := grpc.NewClient("orders.example:443", append(grpccreds.DialOptions(source), grpc.WithTransportCredentials(tls))...)
//
// A call that a server answers with Unauthenticated makes the Source replace the token, once for however many calls; the old token goes on being used until
// the new one is there. The call itself is not repeated, for only the caller knows whether its server acted on it: the next call carries the new token.
package grpccreds

import (
	"context"
	"errors"
	"net/url"
	"sync/atomic"

	"golang.org/x/oauth2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	"github.com/svcauth/svcauth/clientcreds"
)

// Credentials are the tokens of a Source as [credentials.PerRPCCredentials]. Most programs want [DialOptions], which also makes the Source learn of refused
// tokens. All methods may be called concurrently.
type Credentials struct {
	// Source gives the tokens. Its Origins, if it has any, hold for gRPC: a call to https://orders.example or orders.example:443 counts as that origin.
	Source *clientcreds.Source
	// AllowInsecureTransport lets tokens go over connections without TLS. It is acceptable only where the network between is trusted, for whoever reads
	// it has the token: within a pod, or in a test.
	AllowInsecureTransport bool
}

var _ credentials.PerRPCCredentials = Credentials{}

// RequireTransportSecurity implements [credentials.PerRPCCredentials].
func (c Credentials) RequireTransportSecurity() bool { return !c.AllowInsecureTransport }

// GetRequestMetadata implements [credentials.PerRPCCredentials]. It waits for a token no longer than ctx. Its errors are gRPC statuses: Unavailable if later
// attempts may bring a token, Unauthenticated if the issuer refused the client, PermissionDenied if the token may not go to this server, and those of ctx.
func (c Credentials) GetRequestMetadata(ctx context.Context, uri ...string) (map[string]string, error) {
	if c.Source == nil {
		return nil, status.Error(codes.Internal, "grpccreds: Credentials.Source is nil: set it")
	}
	if !c.AllowInsecureTransport {
		info, _ := credentials.RequestInfoFromContext(ctx)
		if err := credentials.CheckSecurityLevel(info.AuthInfo, credentials.PrivacyAndIntegrity); err != nil {
			return nil, status.Error(codes.Unauthenticated, "grpccreds: the connection has no TLS, so the token is not sent")
		}
	}
	for _, audience := range uri {
		u, err := url.Parse(audience)
		if err != nil {
			return nil, status.Error(codes.Internal, "grpccreds: the call's audience is not a URL")
		}
		if err := c.Source.CheckOrigin(u); err != nil {
			return nil, status.Error(codes.PermissionDenied, err.Error())
		}
	}
	token, err := c.Source.TokenContext(ctx)
	if err != nil {
		return nil, status.Error(code(ctx, err), err.Error())
	}
	if u, ok := ctx.Value(usedKey{}).(*used); ok {
		u.token.Store(token)
	}
	return map[string]string{"authorization": "Bearer " + token.AccessToken}, nil
}

func code(ctx context.Context, err error) codes.Code {
	switch {
	case ctx.Err() != nil:
		return status.FromContextError(ctx.Err()).Code()
	case errors.Is(err, clientcreds.ErrRefused):
		return codes.Unauthenticated
	case errors.Is(err, clientcreds.ErrUnavailable):
		return codes.Unavailable
	}
	return codes.Internal
}

// DialOptions are what a client connection needs to carry source's tokens: [Credentials], which want TLS, and the two interceptors.
func DialOptions(source *clientcreds.Source) []grpc.DialOption {
	return Credentials{Source: source}.DialOptions()
}

// DialOptions are the credentials and the two interceptors.
func (c Credentials) DialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithPerRPCCredentials(c), grpc.WithChainUnaryInterceptor(c.UnaryInterceptor), grpc.WithChainStreamInterceptor(c.StreamInterceptor),
	}
}

type usedKey struct{}

// used is where a call's token is found after the call.
type used struct {
	token atomic.Pointer[oauth2.Token] // of the last try, if gRPC made several
}

// refused tells the Source of a token that the server did not take. An Unauthenticated of our own, without a token, says nothing about one.
func (c Credentials) refused(u *used, err error) {
	if token := u.token.Load(); token != nil && status.Code(err) == codes.Unauthenticated {
		c.Source.Invalidate(token)
	}
}

// UnaryInterceptor is a [grpc.UnaryClientInterceptor].
func (c Credentials) UnaryInterceptor(ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	u := &used{}
	err := invoke(context.WithValue(ctx, usedKey{}, u), method, req, reply, conn, opts...)
	c.refused(u, err)
	return err
}

// StreamInterceptor is a [grpc.StreamClientInterceptor].
func (c Credentials) StreamInterceptor(ctx context.Context, desc *grpc.StreamDesc, conn *grpc.ClientConn, method string, open grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	u := &used{}
	stream, err := open(context.WithValue(ctx, usedKey{}, u), desc, conn, method, opts...)
	if err != nil {
		c.refused(u, err)
		return nil, err
	}
	return &watched{ClientStream: stream, creds: c, used: u}, nil
}

// watched is a stream whose end is looked at: that is where a refusal shows.
type watched struct {
	grpc.ClientStream
	creds Credentials
	used  *used
}

// RecvMsg implements [grpc.ClientStream].
func (w *watched) RecvMsg(m any) error {
	err := w.ClientStream.RecvMsg(m)
	if err != nil {
		w.creds.refused(w.used, err)
	}
	return err
}
