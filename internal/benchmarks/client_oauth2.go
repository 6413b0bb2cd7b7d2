package benchmarks

import (
	"context"
	"net/http"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// newOAuth2 is x/oauth2 with the method of authentication named, so that it need not find it out by a second request. Its Token takes no context.
func newOAuth2(ctx context.Context, tokenURL string) (TokenClient, error) {
	config := clientcredentials.Config{ClientID: "archival-service", ClientSecret: "not-a-secret", TokenURL: tokenURL, AuthStyle: oauth2.AuthStyleInHeader}
	source := config.TokenSource(ctx)
	return TokenClient{
		Name: "x/oauth2",
		Token: func(context.Context) error {
			_, err := source.Token()
			return err
		},
		Transport: func(base http.RoundTripper) http.RoundTripper { return &oauth2.Transport{Source: source, Base: base} },
	}, nil
}
