package resourceserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/svcauth/svcauth/internal/discovery"
	"github.com/svcauth/svcauth/internal/endpoint"
	"github.com/svcauth/svcauth/internal/jose"
)

// DefaultLeeway is how far apart the clocks of issuer and service may be.
const DefaultLeeway = time.Minute

const (
	maxLeeway   = 10 * time.Minute
	minMaxStale = minKeysLifetime
)

// Config says which tokens a resource server accepts. The zero value is refused by New, which names the field that is missing. New copies what it keeps, so a
// Config may be changed and used again.
type Config struct {
	// Issuer is the issuer's name exactly as it stands in the iss claim, a final slash included; an https URL without a query, or http on loopback. Keys are
	// found through its metadata (OpenID Connect Discovery, RFC 8414) on first use. With JWKSURL or JWKS it may be a name that is no URL, such as
	// accounts.google.com.
	Issuer string
	// Issuers are several issuers instead of one, each with its own Issuer, Audiences, Roles, JWKSURL, JWKS, AllowHTTP, Algorithms, Leeway and MaxStale. A
	// token goes to the one whose Issuer is exactly its iss. All other fields stand on the outer Config only.
	Issuers []Config
	// Audiences are the names of this service; a token must hold one of them in aud. Without any, New fails unless SkipAudienceCheck is set.
	Audiences []string
	// SkipAudienceCheck accepts tokens that were issued for any other service of the issuer, so that each of them can call this one in its users' names.
	// It is acceptable while a realm has no audience mappers yet.
	SkipAudienceCheck bool
	// Roles finds the roles in a token's claims, keycloak.RealmRoles for instance. Without one, no one has roles and role rules panic where they are made.
	Roles RoleMapper
	// JWKSURL is fetched instead of discovery, for keys under an internal host name; the iss check stays.
	JWKSURL string
	// JWKS is a JWK Set (RFC 7517 §5) to use instead of fetching one, for tests and for machines without a network. Nothing is ever fetched, so a key is
	// withdrawn by restarting with another set. Keys in it that can't verify a signature are skipped, private and symmetric ones among them; New fails if
	// none is left.
	JWKS []byte
	// AllowHTTP names hosts of the issuer and its keys, as host or host:port, that may be reached over plain http. Loopback needs no entry. Whoever can change
	// that traffic can forge tokens: acceptable only inside a network you trust as you trust the service.
	AllowHTTP []string
	// HTTPClient fetches metadata and keys; nil is http.DefaultClient. It is copied; redirects are off, and 5 s are set if it has no timeout.
	HTTPClient *http.Client
	// Logger gets denials and trouble with keys; nil is slog.Default() as it stands when New is called.
	Logger *slog.Logger
	// WriteError writes status and body of a refusal instead of application/problem+json. The WWW-Authenticate and Retry-After headers are set before it is
	// called. It must not send Error.Hint to the client.
	WriteError func(http.ResponseWriter, *http.Request, *Error)
	// OnDecision is called after each decision of the middleware, on the request's goroutine and outside locks. Nested middleware decides once a layer.
	OnDecision func(context.Context, Decision)
	// OnFetch is called after each fetch of keys, outside locks. Callers that wait for the keys wait for it too.
	OnFetch func(context.Context, Fetch)

	// Leeway is added on both sides of exp and nbf, up to 10 minutes; 0 is DefaultLeeway, a negative value none.
	Leeway time.Duration
	// Algorithms are the accepted signature algorithms; none means every asymmetric one: RS256 to RS512, PS256 to PS512, ES256 to ES512, and EdDSA
	// with Ed25519 (which is a name of its own, too). Symmetric ones are refused.
	Algorithms []string
	// MaxTokenSize in bytes; 0 is DefaultMaxTokenSize.
	MaxTokenSize int
	// CacheTokens is how many verified tokens are remembered, so that one that comes again costs a hash instead of a signature; 0 is DefaultCacheTokens. A
	// remembered token is accepted for as long as it would be without the cache: until it expires, or its key is gone from the issuer's set.
	CacheTokens int
	// CacheBytes bounds the memory of remembered tokens' claims, by estimate; 0 is DefaultCacheBytes, enough for about 7,000 tokens as Keycloak makes them. The
	// bound that is met first counts.
	CacheBytes int
	// DisableCache makes every token run through every check each time.
	DisableCache bool
	// MaxStale is how long the last good keys serve while the issuer is out of reach, at least a minute; 0 is DefaultMaxStale. Keys are refreshed
	// within it. Those of JWKS serve for ever.
	MaxStale time.Duration
}

// issuerConfig is the checked and completed Config of one issuer.
type issuerConfig struct {
	Config
	static *keySet // of JWKS; nil: keys are fetched
}

// issuerConfigs returns one for each issuer.
func (c *Config) issuerConfigs() ([]issuerConfig, error) {
	if len(c.Issuers) == 0 {
		one := issuerConfig{Config: *c}
		if err := one.complete("Config"); err != nil {
			return nil, err
		}
		return []issuerConfig{one}, nil
	}
	if c.Issuer != "" || c.JWKSURL != "" || c.JWKS != nil || len(c.Audiences) > 0 || c.SkipAudienceCheck || c.Roles != nil || len(c.Algorithms) > 0 || len(c.AllowHTTP) > 0 ||
		c.Leeway != 0 || c.MaxStale != 0 {
		return nil, errors.New("Config.Issuers stands instead of Issuer: set Audiences, Roles, JWKSURL and the like on each of its entries, not beside it")
	}
	var all []issuerConfig
	seen := map[string]bool{}
	for n := range c.Issuers {
		where := fmt.Sprintf("Config.Issuers[%d]", n)
		one := issuerConfig{Config: c.Issuers[n]}
		if len(one.Issuers) > 0 || one.HTTPClient != nil || one.Logger != nil || one.WriteError != nil || one.OnDecision != nil || one.OnFetch != nil || one.MaxTokenSize != 0 ||
			one.CacheTokens != 0 || one.CacheBytes != 0 || one.DisableCache {
			return nil, fmt.Errorf("%s: Issuers, HTTPClient, Logger, WriteError, OnDecision, OnFetch, MaxTokenSize, CacheTokens, CacheBytes and DisableCache stand on the outer Config only", where)
		}
		if err := one.complete(where); err != nil {
			return nil, err
		}
		if seen[one.Issuer] {
			return nil, fmt.Errorf("%s: issuer %q stands twice", where, one.Issuer)
		}
		seen[one.Issuer] = true
		all = append(all, one)
	}
	return all, nil
}

// maxSize keeps sums of sizes within their type, on any machine.
const maxSize = 1 << 30

// checkSizes checks the bounds that stand on the outer Config.
func (c *Config) checkSizes() error {
	for _, size := range []struct {
		name  string
		value int
	}{{"MaxTokenSize", c.MaxTokenSize}, {"CacheTokens", c.CacheTokens}, {"CacheBytes", c.CacheBytes}} {
		if size.value < 0 || size.value > maxSize {
			return fmt.Errorf("Config.%s is %d: want a size up to %d, or 0 for the default", size.name, size.value, maxSize)
		}
	}
	if c.DisableCache && (c.CacheTokens != 0 || c.CacheBytes != 0) {
		return errors.New("Config.DisableCache and a size of the cache contradict each other: set one")
	}
	return nil
}

// checkIssuer wants a URL, where the metadata is looked for. Where the configuration says what the keys are, the issuer is a name that is compared and no more
// (StringOrURI, RFC 7519 §4.1.1), and some have no other: accounts.google.com, spiffe://example.org, a service account's address.
func (c *issuerConfig) checkIssuer() error {
	scheme, _, _ := strings.Cut(strings.ToLower(c.Issuer), ":")
	if c.JWKSURL == "" && c.JWKS == nil || scheme == "http" || scheme == "https" {
		_, err := discovery.ParseIssuer(c.Issuer, c.AllowHTTP)
		if err != nil && c.JWKSURL == "" && c.JWKS == nil && scheme != "http" && scheme != "https" {
			err = fmt.Errorf("%w; a name that is no URL needs JWKSURL or JWKS beside it, since no metadata can be found by it", err)
		}
		return err
	}
	if strings.ContainsFunc(c.Issuer, func(r rune) bool { return r <= ' ' || r == 0x7f || r == utf8.RuneError }) {
		return fmt.Errorf("%q has a space or control character in it: write it as it stands in the iss claim", c.Issuer)
	}
	if name, _, at := strings.Cut(c.Issuer, "@"); at && strings.ContainsAny(name, ":/") {
		return errors.New("the name has user information in it: remove the part before the @")
	}
	return nil
}

// complete checks the fields that belong to one issuer and fills in their defaults.
func (c *issuerConfig) complete(where string) (err error) {
	if c.Issuer == "" {
		return fmt.Errorf("%s.Issuer is empty: set it to the iss claim of the tokens to accept, such as https://keycloak.example.com/realms/name", where)
	}
	if err := endpoint.CheckAllowHTTP(c.AllowHTTP); err != nil {
		return fmt.Errorf("%s.%w", where, err)
	}
	if err := c.checkIssuer(); err != nil {
		return fmt.Errorf("%s.Issuer: %w", where, err)
	}
	if c.JWKSURL != "" {
		if _, err := endpoint.ParseURL(c.JWKSURL, c.AllowHTTP); err != nil {
			return fmt.Errorf("%s.JWKSURL: %w", where, err)
		}
	}
	if c.JWKS != nil {
		if c.static, err = c.parseJWKS(where); err != nil {
			return err
		}
	}
	switch {
	case len(c.Audiences) == 0 && !c.SkipAudienceCheck:
		return fmt.Errorf("%s.Audiences is empty: name this service as it stands in the tokens' aud claim (in Keycloak an Audience mapper puts it there), "+
			"or set SkipAudienceCheck to accept tokens for any service", where)
	case len(c.Audiences) > 0 && c.SkipAudienceCheck:
		return fmt.Errorf("%s: Audiences and SkipAudienceCheck contradict each other: set one", where)
	case slices.Contains(c.Audiences, ""):
		return fmt.Errorf("%s.Audiences has an empty entry: remove it or name the audience", where)
	case c.MaxStale != 0 && c.MaxStale < minMaxStale:
		return fmt.Errorf("%s.MaxStale is %v: want at least %v, or 0 for %v", where, c.MaxStale, minMaxStale, DefaultMaxStale)
	case c.Leeway > maxLeeway:
		return fmt.Errorf("%s.Leeway is %v: want at most %v, since expired tokens are accepted for as long; mend the clocks instead", where, c.Leeway, maxLeeway)
	}
	for _, alg := range c.Algorithms {
		if !jose.Supported(alg) {
			return fmt.Errorf("%s.Algorithms: %q is not a supported asymmetric signature algorithm: choose from %v", where, alg, jose.Algorithms())
		}
	}
	if len(c.Algorithms) == 0 {
		c.Algorithms = jose.Algorithms()
	}
	switch {
	case c.Leeway == 0:
		c.Leeway = DefaultLeeway
	case c.Leeway < 0:
		c.Leeway = 0
	}
	if c.MaxStale == 0 {
		c.MaxStale = DefaultMaxStale
	}
	return nil
}
