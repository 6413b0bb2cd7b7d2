package benchmarks

import (
	"context"

	"github.com/svcauth/svcauth/clientcreds"
)

// newSvcauthClient is this library's client half, with its defaults and a logger.
func newSvcauthClient(_ context.Context, tokenURL string) (TokenClient, error) {
	source, err := clientcreds.New(clientcreds.Config{
		TokenURL: tokenURL, ClientID: "archival-service", ClientSecret: "not-a-secret", Origins: []string{"http://localhost:8181"}, Logger: logger(),
	})
	if err != nil {
		return TokenClient{}, err
	}
	return TokenClient{
		Name: "svcauth",
		Token: func(ctx context.Context) error {
			_, err := source.TokenContext(ctx)
			return err
		},
		Transport: source.Transport,
	}, nil
}
