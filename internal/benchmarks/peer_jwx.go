package benchmarks

import (
	"context"

	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jwt"
)

// newJWX is jwx v2 with its cache of keys. The keys name their algorithm, which it goes by.
func newJWX(ctx context.Context, want Want) (Verifier, error) {
	cache := jwk.NewCache(ctx)
	if err := cache.Register(want.keysURL()); err != nil {
		return Verifier{}, err
	}
	if _, err := cache.Refresh(ctx, want.keysURL()); err != nil {
		return Verifier{}, err
	}
	options := []jwt.ParseOption{
		jwt.WithKeySet(jwk.NewCachedSet(cache, want.keysURL())), jwt.WithValidate(true), jwt.WithIssuer(want.Issuer), jwt.WithAudience(want.Audience),
		jwt.WithRequiredClaim(jwt.ExpirationKey),
	}
	verify := func(_ context.Context, token string) (jwt.Token, error) { return jwt.ParseString(token, options...) }
	return Verifier{
		Name: "jwx v2",
		Verify: func(ctx context.Context, token string) (bool, error) {
			verified, err := verify(ctx, token)
			if err != nil {
				return false, err
			}
			return isAdmin(jwxRoles(verified)), nil
		},
		Middleware: bearer(verify),
	}, nil
}

func jwxRoles(token jwt.Token) []string {
	value, _ := token.Get("realm_access")
	access, _ := value.(map[string]any)
	list, _ := access["roles"].([]any)
	names := make([]string, 0, len(list))
	for _, element := range list {
		if name, ok := element.(string); ok {
			names = append(names, name)
		}
	}
	return names
}
