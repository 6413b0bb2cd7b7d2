package resourceserver

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/svcauth/svcauth/internal/jose"
)

// parseJWKS reads Config.JWKS.
func (c *Config) parseJWKS(where string) (*keySet, error) {
	if c.JWKSURL != "" {
		return nil, fmt.Errorf("%s: JWKS and JWKSURL contradict each other: set one", where)
	}
	keys, skipped, err := jose.ParseSet(c.JWKS)
	if errors.Is(err, jose.ErrNoKeys) {
		var reasons []string
		for _, s := range skipped {
			reasons = append(reasons, s.Reason)
		}
		return nil, fmt.Errorf(`%s.JWKS: %w (%s): want {"keys":[…]} with the issuer's public keys`, where, err, plain(strings.Join(reasons, "; ")))
	}
	if err != nil {
		return nil, fmt.Errorf(`%s.JWKS: %w: want {"keys":[…]} with the issuer's public keys`, where, err)
	}
	return newKeySet(keys, skipped, time.Time{}), nil
}

// newStaticKeys makes a cache that holds one set for ever and never fetches.
func newStaticKeys(set *keySet, issuer string) *keyCache {
	k := &keyCache{source: keySource{issuer: issuer}, static: true}
	k.set.Store(set)
	return k
}
