package compare

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/svcauth/svcauth/clientcreds"
	"github.com/svcauth/svcauth/keycloak"
	"github.com/svcauth/svcauth/resourceserver"
)

// svcauth is this library as its README shows it.
var svcauth = column{
	name: "svcauth",
	client: func(_ context.Context, n *network, secretFile string) (*http.Client, error) {
		source, err := clientcreds.New(clientcreds.Config{
			Issuer: issuerURL, ClientID: clientID, Auth: clientcreds.SecretBasic{Secret: clientcreds.FromFile(secretFile)}, HTTPClient: n.client(), Logger: silent,
		})
		if err != nil {
			return nil, err
		}
		return source.Client(n.client()), nil
	},
	server: func(_ context.Context, n *network, o options) (guard, error) {
		config := resourceserver.Config{
			Issuer: issuerURL, Audiences: []string{audience}, Roles: keycloak.RealmRoles, HTTPClient: n.client(), Logger: silent,
		}
		if o.noAudience {
			config.Audiences = nil
		}
		auth, err := resourceserver.New(config)
		if err != nil {
			return guard{}, err
		}
		return guard{
			middleware: auth.Require(),
			verify: func(ctx context.Context, token string) error {
				_, err := auth.Verify(ctx, token)
				return err
			},
			requireRole: auth.RequireRole("ADMIN"),
		}, nil
	},
}

var silent = slog.New(slog.DiscardHandler)
