package resourceserver

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/svcauth/svcauth/internal/discovery"
	"github.com/svcauth/svcauth/internal/endpoint"
	"github.com/svcauth/svcauth/internal/jose"
)

// keySource gets an issuer's JWK Set: from a configured URL, or from the one that discovery names. It is used by one fetch at a time.
type keySource struct {
	issuer    string
	jwksURL   string // configured; empty: discovered
	client    *http.Client
	allowHTTP []string
	maxStale  time.Duration // keys are refreshed before they are too old to serve
	// discovered is remembered while it works; a failure forgets it, for the issuer may have moved. Where discovery left no time for the keys it stays, or a slow
	// issuer's keys would never come.
	discovered string
}

func (s *keySource) load(ctx context.Context) (*keySet, error) {
	place, fresh := s.jwksURL, false
	if place == "" {
		place, s.discovered = s.discovered, ""
	}
	if place == "" {
		document, err := discovery.Fetch(ctx, s.client, s.issuer, s.allowHTTP)
		if err != nil {
			return nil, err
		}
		if document.JWKSURI == "" {
			return nil, placeError{document.Missing("jwks_uri")}
		}
		place, fresh = document.JWKSURI, true
	}
	set, err := s.get(ctx, place)
	if s.jwksURL == "" && (err == nil || fresh && ctx.Err() != nil) {
		s.discovered = place
	}
	if err != nil {
		return nil, fmt.Errorf("keys at %s: %w", endpoint.WithoutQuery(place), err)
	}
	return set, nil
}

func (s *keySource) get(ctx context.Context, place string) (*keySet, error) {
	answer, err := endpoint.Get(ctx, s.client, place)
	if err != nil {
		return nil, err
	}
	if answer.Status >= 300 && answer.Status < 400 {
		return nil, fmt.Errorf("status %d, a redirect, which is never followed: set JWKSURL to where it leads if that is the issuer's, %w", answer.Status, errBadStatus)
	}
	if answer.Status != http.StatusOK {
		return nil, fmt.Errorf("status %d, %w", answer.Status, errBadStatus)
	}
	keys, skipped, err := jose.ParseSet(answer.Body)
	if err != nil {
		return nil, err
	}
	now, life := time.Now(), min(lifetime(answer.Header), s.maxStale)
	set := newKeySet(keys, skipped, now)
	set.refreshAt, set.staleAt = now.Add(jitter(life*8/10)), now.Add(life)
	return set, nil
}

// lifetime reads max-age (RFC 9111 §5.2.2.1) within bounds. Keycloak's no-cache does not count: taken literally it would mean
// a fetch for each request.
func lifetime(h http.Header) time.Duration {
	if age, ok := maxAge(h); ok {
		return min(max(age, minKeysLifetime), maxKeysLifetime)
	}
	return keysLifetime
}

func maxAge(h http.Header) (time.Duration, bool) {
	for _, directive := range strings.Split(strings.Join(h.Values("Cache-Control"), ","), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		if !strings.EqualFold(name, "max-age") {
			continue
		}
		seconds, err := strconv.ParseUint(strings.Trim(value, `"`), 10, 31)
		if err == nil && seconds > 0 {
			return time.Duration(seconds) * time.Second, true
		}
	}
	return 0, false
}
