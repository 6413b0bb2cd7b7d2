package benchmarks

import (
	"context"
	"net/http"
)

// TokenClient is one library that gets tokens by the client credentials grant (RFC 6749 §4.4).
type TokenClient struct {
	Name string
	// Token gets a token, from memory if there is one. A library that takes no context ignores it.
	Token func(context.Context) error
	// Transport puts the token on requests.
	Transport func(base http.RoundTripper) http.RoundTripper
}

// TokenPeer makes the TokenClient of one library, for a token endpoint.
type TokenPeer struct {
	Name   string
	Module string
	New    func(ctx context.Context, tokenURL string) (TokenClient, error)
}

// TokenPeers are the libraries that are compared, this one first.
var TokenPeers = []TokenPeer{
	{"svcauth", "github.com/svcauth/svcauth", newSvcauthClient},
	{"x/oauth2", "golang.org/x/oauth2", newOAuth2},
}
