package resourceserver

import (
	"context"
	"io"
	"net/http"
	"strings"

	"github.com/svcauth/svcauth/internal/jose"
)

type cannedJWKS string

func (c cannedJWKS) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(string(c)))}, nil
}

// VerifyJWS takes token apart and verifies its signature with a JWK Set as Verify does, but asks nothing of the payload: published vectors sign texts that are
// no claims.
func VerifyJWS(token, jwks string) error {
	jws, refused := parseCompact(token, jose.Algorithms(), &headerMemory{})
	if refused != nil {
		return refused
	}
	source := keySource{client: &http.Client{Transport: cannedJWKS(jwks)}, maxStale: DefaultMaxStale}
	set, err := source.get(context.Background(), "https://issuer.test/certs")
	if err != nil {
		return err
	}
	if _, refused := set.verify(&jws); refused != nil {
		return refused
	}
	return nil
}

// VerifyOnly is Verify without the Principal, as the middleware calls it.
func VerifyOnly(a *Authenticator, token string) error {
	if _, refused := a.verify(context.Background(), token); refused != nil {
		return refused
	}
	return nil
}

// CacheBytes is the memory that the cache counts.
func CacheBytes(a *Authenticator) int {
	a.cache.mu.Lock()
	defer a.cache.mu.Unlock()
	return a.cache.bytes
}

// KnownHeaders returns the headers that are remembered, as they stand in their tokens.
func KnownHeaders(a *Authenticator) []string {
	var all []string
	for n := range a.headers.slots {
		if known := a.headers.slots[n].Load(); known != nil {
			all = append(all, known.segment)
		}
	}
	return all
}
