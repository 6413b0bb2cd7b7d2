package benchmarks

import (
	"context"
	"io"
	"log/slog"

	"github.com/svcauth/svcauth/keycloak"
	"github.com/svcauth/svcauth/resourceserver"
)

// newSvcauth is this library as its README shows it: the defaults, and a logger.
func newSvcauth(ctx context.Context, want Want) (Verifier, error) {
	return svcauthWith(ctx, want, func(*resourceserver.Config) {})
}

// svcauthWith is the same with something changed.
func svcauthWith(ctx context.Context, want Want, change func(*resourceserver.Config)) (Verifier, error) {
	config := resourceserver.Config{
		Issuer:    want.Issuer,
		Audiences: []string{want.Audience},
		Roles:     keycloak.RealmRoles,
		Logger:    logger(),
	}
	change(&config)
	auth, err := resourceserver.New(config)
	if err != nil {
		return Verifier{}, err
	}
	if err := auth.Warm(ctx); err != nil {
		return Verifier{}, err
	}
	return Verifier{
		Name: "svcauth",
		Verify: func(ctx context.Context, token string) (bool, error) {
			principal, err := auth.Verify(ctx, token)
			if err != nil {
				return false, err
			}
			return principal.HasRole("ROLE_" + adminRole), nil
		},
		Middleware: auth.Require(),
		Forget:     auth.Forget,
	}, nil
}

// logger formats what it gets, as a service's would, and drops it.
func logger() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }
