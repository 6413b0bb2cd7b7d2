// Package resourceserver protects a service's handlers with OAuth 2.0 access tokens that are JWTs (RFC 6750, RFC 7519, RFC 9068).
//
// An [Authenticator] verifies the bearer token of each request against the keys of one issuer, or of several, and rules decide what the caller may do:
//
//	auth, err := resourceserver.New(resourceserver.Config{
//		Issuer:    "https://keycloak.example.com/realms/sivalabs",
//		Audiences: []string{"messages-service"},
//		Roles:     keycloak.RealmRoles,
//	})
//	mux.Handle("POST /api/messages/archive", auth.RequireAnyRole("ADMIN", "ADMIN_JOB")(archive))
//
// With any router, [Authenticator.Require] and its shorthands wrap a handler; [Authenticator.NewMux] is a router that denies what has no rule. Other
// transports call [Authenticator.Verify]. Handlers learn who calls from [PrincipalFrom].
//
// A token is refused with 401, a lack of permission with 403, and an issuer whose keys are out of reach is 503, never 401: clients would throw good
// tokens away. The service starts while the issuer is down, and keys once loaded serve through an outage.
package resourceserver

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"

	"github.com/svcauth/svcauth/internal/endpoint"
)

// Authenticator verifies tokens and protects handlers. All its methods may be called concurrently. The zero value is not usable; New makes one. There is
// nothing to close: an idle Authenticator owns no goroutine, and no timer but for up to 30 s after an unknown key
// was refused.
type Authenticator struct {
	issuers      []*issuer
	algorithms   []string // the union: a token whose alg is not here is refused unread
	maxTokenSize int
	writeError   func(http.ResponseWriter, *http.Request, *Error)
	onDecision   func(context.Context, Decision)
	denials      *denialLog
	cache        *tokenCache // nil: every token runs through every check
	headers      headerMemory
}

// New checks c and makes an Authenticator. It does no I/O: the issuer may be down. An error names the field and what to do.
func New(c Config) (*Authenticator, error) {
	configs, err := c.issuerConfigs()
	if err != nil {
		return nil, fmt.Errorf("resourceserver: %w", err)
	}
	if err := c.checkSizes(); err != nil {
		return nil, fmt.Errorf("resourceserver: %w", err)
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.MaxTokenSize == 0 {
		c.MaxTokenSize = DefaultMaxTokenSize
	}
	if c.WriteError == nil {
		c.WriteError = writeProblem
	}
	a := &Authenticator{maxTokenSize: c.MaxTokenSize, writeError: c.WriteError, onDecision: c.OnDecision, denials: newDenialLog(c.Logger)}
	if !c.DisableCache {
		a.cache = newTokenCache(cmp.Or(c.CacheTokens, DefaultCacheTokens), cmp.Or(c.CacheBytes, DefaultCacheBytes))
	}
	client := endpoint.Client(c.HTTPClient)
	for n := range configs {
		i := newIssuer(&configs[n], client, c.Logger, &c)
		a.issuers = append(a.issuers, i)
		for _, alg := range i.algorithms {
			if !slices.Contains(a.algorithms, alg) {
				a.algorithms = append(a.algorithms, alg)
			}
		}
	}
	return a, nil
}
