package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/svcauth/svcauth/keycloak"
	"github.com/svcauth/svcauth/resourceserver"
)

// server is the resource server whose answer is asked for.
type server struct {
	auth  *resourceserver.Authenticator
	rules []resourceserver.Rule
	keys  chan keyFetch // what the server found where the keys are; no more than it has room for
}

// keyFetch is a [resourceserver.Fetch] with names for JSON.
type keyFetch struct {
	Issuer  string `json:"issuer"`
	Usable  int    `json:"usable"`
	Skipped int    `json:"skipped"`
	Error   string `json:"error,omitempty"`
}

// newServer makes the server of the flags. It does no I/O.
func newServer(o options) (server, error) {
	mappers := []resourceserver.RoleMapper{keycloak.RealmRoles}
	for _, client := range o.clientRoles {
		if client == "" {
			return server{}, errors.New("-client-roles is empty: name the client whose roles count")
		}
		mappers = append(mappers, keycloak.ClientRoles(client))
	}
	for _, claim := range o.rolesClaims {
		mappers = append(mappers, resourceserver.RolesFromClaim(claim))
	}
	keys := make(chan keyFetch, 8)
	auth, err := resourceserver.New(resourceserver.Config{
		Issuer:            o.issuer,
		Audiences:         o.audiences,
		SkipAudienceCheck: o.skipAudienceCheck,
		Roles:             resourceserver.MergeRoles(mappers...),
		JWKSURL:           o.jwksURL,
		AllowHTTP:         o.allowHTTP,
		Algorithms:        o.algorithms,
		Leeway:            cmp.Or(o.leeway, -1),          // in the Config 0 stands for the default
		Logger:            slog.New(slog.DiscardHandler), // OnFetch says the same
		OnFetch: func(_ context.Context, f resourceserver.Fetch) {
			fetched := keyFetch{Issuer: f.Issuer, Usable: f.Keys, Skipped: f.Skipped}
			if f.Err != nil {
				fetched.Error = f.Err.Error()
			}
			select {
			case keys <- fetched:
			default:
			}
		},
	})
	if err != nil {
		return server{}, fmt.Errorf("%w (-h lists the flags, which are named alike)", err)
	}
	rules, err := newRules(o)
	return server{auth: auth, rules: rules, keys: keys}, err
}

// newRules makes a rule of each -role and -scope. The constructors know which names can't be, and panic on them, for in programs they are constants; here
// somebody typed them.
func newRules(o options) (rules []resourceserver.Rule, err error) {
	defer func() {
		switch v := recover().(type) {
		case nil:
		case string:
			rules, err = nil, fmt.Errorf("%s (see -role and -scope)", v)
		default:
			panic(v)
		}
	}()
	for _, role := range o.roles {
		rules = append(rules, resourceserver.AnyRole(strings.Split(role, ",")...))
	}
	for _, scope := range o.scopes {
		rules = append(rules, resourceserver.Scope(scope))
	}
	return rules, nil
}

// explain asks the server about token. If that took fetching keys, the second result says how it went.
func (s server) explain(ctx context.Context, timeout time.Duration, token string) (*resourceserver.Explanation, []keyFetch) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	x := s.auth.Explain(ctx, token, s.rules...)
	var fetches []keyFetch
	for {
		select {
		case fetched := <-s.keys:
			fetches = append(fetches, fetched)
		default:
			return &x, fetches
		}
	}
}
