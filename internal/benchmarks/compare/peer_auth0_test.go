package compare

import (
	"context"
	"net/url"

	jwtmiddleware "github.com/auth0/go-jwt-middleware/v3"
	"github.com/auth0/go-jwt-middleware/v3/jwks"
	"github.com/auth0/go-jwt-middleware/v3/validator"
)

// auth0 is go-jwt-middleware as the example for production in its README has it.
var auth0 = column{
	name:    "auth0/go-jwt-middleware",
	modules: []string{"github.com/auth0/go-jwt-middleware/v3"},
	server: func(_ context.Context, n *network, o options) (guard, error) {
		issuer, err := url.Parse(issuerURL)
		if err != nil {
			return guard{}, err
		}
		keys, err := jwks.NewCachingProvider(jwks.WithIssuerURL(issuer), jwks.WithCustomClient(n.client()))
		if err != nil {
			return guard{}, err
		}
		checks := []validator.Option{validator.WithKeyFunc(keys.KeyFunc), validator.WithAlgorithm(validator.RS256), validator.WithIssuer(issuerURL)}
		if !o.noAudience {
			checks = append(checks, validator.WithAudience(audience))
		}
		tokens, err := validator.New(checks...)
		if err != nil {
			return guard{}, err
		}
		middleware, err := jwtmiddleware.New(jwtmiddleware.WithValidator(tokens))
		if err != nil {
			return guard{}, err
		}
		return guard{
			middleware: middleware.CheckJWT,
			verify: func(ctx context.Context, token string) error {
				_, err := tokens.ValidateToken(ctx, token)
				return err
			},
		}, nil
	},
}
