package benchmarks

import (
	"context"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
)

type golangJWTClaims struct {
	jwt.RegisteredClaims
	AuthorizedParty   string `json:"azp"`
	Scope             string `json:"scope"`
	PreferredUsername string `json:"preferred_username"`
	RealmAccess       access `json:"realm_access"`
}

// newGolangJWT is golang-jwt with the keys from keyfunc, and claims in a struct, which is quicker than its maps.
func newGolangJWT(ctx context.Context, want Want) (Verifier, error) {
	keys, err := keyfunc.NewDefaultCtx(ctx, []string{want.keysURL()})
	if err != nil {
		return Verifier{}, err
	}
	parser := jwt.NewParser(jwt.WithIssuer(want.Issuer), jwt.WithAudience(want.Audience), jwt.WithExpirationRequired(), jwt.WithValidMethods([]string{want.Algorithm}))
	verify := func(_ context.Context, token string) (*golangJWTClaims, error) {
		claims := &golangJWTClaims{}
		if _, err := parser.ParseWithClaims(token, claims, keys.Keyfunc); err != nil {
			return nil, err
		}
		return claims, nil
	}
	return Verifier{
		Name: "golang-jwt + keyfunc",
		Verify: func(ctx context.Context, token string) (bool, error) {
			claims, err := verify(ctx, token)
			if err != nil {
				return false, err
			}
			return isAdmin(claims.RealmAccess.Roles), nil
		},
		Middleware: bearer(verify),
	}, nil
}
