package resourceserver

import (
	"log/slog"
	"net/http"
	"slices"
	"time"
)

// issuer is one trusted issuer with everything that is its own: what it may sign, for whom, and its keys. A token meets the one whose name is exactly its iss;
// one issuer's key never verifies another's token.
type issuer struct {
	name         string
	audiences    []string
	skipAudience bool
	algorithms   []string
	mapper       RoleMapper
	leeway       time.Duration
	keys         *keyCache
}

// newIssuer makes the issuer of a config that complete has passed.
func newIssuer(c *issuerConfig, client *http.Client, logger *slog.Logger, outer *Config) *issuer {
	i := &issuer{
		name: c.Issuer, audiences: slices.Clone(c.Audiences), skipAudience: c.SkipAudienceCheck, algorithms: slices.Clone(c.Algorithms),
		mapper: c.Roles, leeway: c.Leeway,
	}
	if c.static != nil {
		i.keys = newStaticKeys(c.static, c.Issuer)
		return i
	}
	source := keySource{issuer: c.Issuer, jwksURL: c.JWKSURL, client: client, allowHTTP: slices.Clone(c.AllowHTTP), maxStale: c.MaxStale}
	i.keys = newKeyCache(source, logger, outer.OnFetch)
	return i
}

// issuerOf finds the issuer that a token names. It is asked with unverified claims: the name only chooses among those configured.
func (a *Authenticator) issuerOf(name string) (*issuer, *Error) {
	for _, i := range a.issuers {
		if i.name == name {
			return i, nil
		}
	}
	refused := refuse(ReasonIssuer).because(a.issuerNames(), name)
	refused.Hint = issuerHint(a.issuers, name)
	return nil, refused
}

func (a *Authenticator) issuerNames() string {
	names := a.issuers[0].name
	for _, i := range a.issuers[1:] {
		names += " " + i.name
	}
	return names
}
