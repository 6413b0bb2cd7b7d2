package benchmarks

import (
	"context"
	"errors"
	"net/url"

	jwtmiddleware "github.com/auth0/go-jwt-middleware/v3"
	"github.com/auth0/go-jwt-middleware/v3/jwks"
	"github.com/auth0/go-jwt-middleware/v3/validator"
)

type auth0Claims struct {
	Scope             string `json:"scope"`
	PreferredUsername string `json:"preferred_username"`
	RealmAccess       access `json:"realm_access"`
}

// Validate implements validator.CustomClaims.
func (*auth0Claims) Validate(context.Context) error { return nil }

// newAuth0 is go-jwt-middleware, which brings its own middleware and cache of keys. Roles are custom claims to it.
func newAuth0(_ context.Context, want Want) (Verifier, error) {
	issuer, err := url.Parse(want.Issuer)
	if err != nil {
		return Verifier{}, err
	}
	keys, err := jwks.NewCachingProvider(jwks.WithIssuerURL(issuer))
	if err != nil {
		return Verifier{}, err
	}
	tokens, err := validator.New(
		validator.WithKeyFunc(keys.KeyFunc), validator.WithAlgorithm(validator.SignatureAlgorithm(want.Algorithm)),
		validator.WithIssuer(want.Issuer), validator.WithAudience(want.Audience),
		validator.WithCustomClaims(func() *auth0Claims { return &auth0Claims{} }),
	)
	if err != nil {
		return Verifier{}, err
	}
	middleware, err := jwtmiddleware.New(jwtmiddleware.WithValidator(tokens))
	if err != nil {
		return Verifier{}, err
	}
	return Verifier{
		Name: "auth0",
		Verify: func(ctx context.Context, token string) (bool, error) {
			verified, err := tokens.ValidateToken(ctx, token)
			if err != nil {
				return false, err
			}
			claims, ok := verified.(*validator.ValidatedClaims)
			if !ok {
				return false, errors.New("auth0 has changed the type of its claims")
			}
			custom, ok := claims.CustomClaims.(*auth0Claims)
			if !ok {
				return false, errors.New("auth0 has changed the type of its custom claims")
			}
			return isAdmin(custom.RealmAccess.Roles), nil
		},
		Middleware: middleware.CheckJWT,
	}, nil
}
