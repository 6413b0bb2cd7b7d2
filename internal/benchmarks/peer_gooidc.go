package benchmarks

import (
	"context"

	"github.com/coreos/go-oidc/v3/oidc"
)

type goOIDCClaims struct {
	AuthorizedParty   string `json:"azp"`
	Scope             string `json:"scope"`
	PreferredUsername string `json:"preferred_username"`
	RealmAccess       access `json:"realm_access"`
}

// newGoOIDC is go-oidc, whose verifier of ID tokens many services use for access tokens. Its audience is what it calls the client.
func newGoOIDC(ctx context.Context, want Want) (Verifier, error) {
	provider, err := oidc.NewProvider(ctx, want.Issuer)
	if err != nil {
		return Verifier{}, err
	}
	verifier := provider.VerifierContext(ctx, &oidc.Config{ClientID: want.Audience, SupportedSigningAlgs: []string{want.Algorithm}})
	verify := func(ctx context.Context, token string) (*goOIDCClaims, error) {
		verified, err := verifier.Verify(ctx, token)
		if err != nil {
			return nil, err
		}
		claims := &goOIDCClaims{}
		return claims, verified.Claims(claims)
	}
	return Verifier{
		Name: "go-oidc",
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
