package compare

import (
	"context"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
)

// golangJWT is golang-jwt with the keys from keyfunc, both with their defaults, and with the checks of issuer, audience and algorithm that golang-jwt offers.
var golangJWT = column{
	name:    "golang-jwt + keyfunc",
	modules: []string{"github.com/golang-jwt/jwt/v5", "github.com/MicahParks/keyfunc/v3"},
	server: func(ctx context.Context, n *network, o options) (guard, error) {
		quiet := func(string) func(context.Context, error) { return func(context.Context, error) {} }
		keys, err := keyfunc.NewDefaultOverrideCtx(ctx, []string{jwksURL}, keyfunc.Override{Client: n.client(), RefreshErrorHandlerFunc: quiet})
		if err != nil {
			return guard{}, err
		}
		checks := []jwt.ParserOption{jwt.WithIssuer(issuerURL), jwt.WithValidMethods([]string{"RS256"})}
		if !o.noAudience {
			checks = append(checks, jwt.WithAudience(audience))
		}
		if o.demandExpiry {
			checks = append(checks, jwt.WithExpirationRequired())
		}
		return guard{verify: func(ctx context.Context, token string) error {
			var claims jwt.Claims = jwt.MapClaims{}
			if o.typedClaims {
				claims = &jwt.RegisteredClaims{}
			}
			_, err := jwt.ParseWithClaims(token, claims, keys.KeyfuncCtx(ctx), checks...)
			return err
		}}, nil
	},
}
