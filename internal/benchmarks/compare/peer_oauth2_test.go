package compare

import (
	"context"
	"net/http"
	"os"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// oauth2GoOIDC is what many services are made of: x/oauth2 gets tokens, and go-oidc's verifier of ID tokens checks access tokens too.
var oauth2GoOIDC = column{
	name:    "x/oauth2 + go-oidc",
	modules: []string{"golang.org/x/oauth2", "github.com/coreos/go-oidc/v3"},
	client: func(ctx context.Context, n *network, secretFile string) (*http.Client, error) {
		secret, err := os.ReadFile(secretFile)
		if err != nil {
			return nil, err
		}
		config := clientcredentials.Config{ClientID: clientID, ClientSecret: strings.TrimSpace(string(secret)), TokenURL: tokenURL}
		return config.Client(context.WithValue(ctx, oauth2.HTTPClient, n.client())), nil
	},
	server: func(ctx context.Context, n *network, o options) (guard, error) {
		provider, err := oidc.NewProvider(oidc.ClientContext(ctx, n.client()), issuerURL)
		if err != nil {
			return guard{}, err
		}
		config := &oidc.Config{ClientID: audience}
		if o.noAudience {
			config.ClientID = ""
		}
		verifier := provider.Verifier(config)
		return guard{verify: func(ctx context.Context, token string) error {
			_, err := verifier.Verify(ctx, token)
			return err
		}}, nil
	},
}
