package webapp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwk"
	"golang.org/x/oauth2"

	"github.com/svcauth/svcauth/clientcreds"
)

const (
	issuerTimeout = 5 * time.Second // of one request to the issuer
	maxIssuerBody = 1 << 20         // bytes of one answer
)

// provider is the issuer as a sign-in service (OpenID Connect Core 1.0). What it publishes is fetched when it is needed, so the app starts without it and
// outlives its restarts.
type provider struct {
	issuer      string
	clientID    string
	secret      clientcreds.Secret
	redirectURL string
	client      *http.Client
	metadata    *remembered[metadata]
	keys        *remembered[jwk.Set]
	logger      *slog.Logger
}

// metadata is what the app uses of the discovery document (OpenID Connect Discovery 1.0 §3).
type metadata struct {
	Issuer        string `json:"issuer"`
	Authorization string `json:"authorization_endpoint"`
	Token         string `json:"token_endpoint"`
	Keys          string `json:"jwks_uri"`
	EndSession    string `json:"end_session_endpoint"` // empty: the issuer has no logout
	NamesItself   bool   `json:"authorization_response_iss_parameter_supported"`
}

// errIssuerUnavailable is an issuer that does not do its work now. Nobody's session ends for it.
var errIssuerUnavailable = errors.New("the issuer is not available")

func newProvider(c Config, redirectURL string) *provider {
	p := &provider{issuer: c.Issuer, clientID: c.ClientID, secret: c.ClientSecret, redirectURL: redirectURL, logger: c.Logger}
	p.client = &http.Client{
		Timeout: issuerTimeout,
		// A redirect would carry the secret and the code to a place that nobody configured.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	p.metadata = remember(time.Hour, p.discover)
	p.keys = remember(10*time.Minute, p.fetchKeys)
	return p
}

// discover reads the issuer's metadata. The document must name the issuer exactly (§4.3), and its endpoints obey the rules that the issuer's URL obeys.
func (p *provider) discover(ctx context.Context) (metadata, error) {
	var m metadata
	place := strings.TrimSuffix(p.issuer, "/") + "/.well-known/openid-configuration"
	body, err := p.get(ctx, place)
	if err != nil {
		return m, err
	}
	if json.Unmarshal(body, &m) != nil {
		return m, fmt.Errorf("discovery at %s: the answer is not a metadata document", place)
	}
	if m.Issuer != p.issuer {
		return m, fmt.Errorf("discovery at %s: the document is for issuer %q, configured is %q: set -issuer to exactly what the issuer calls itself", place, clip(m.Issuer), p.issuer)
	}
	for name, text := range map[string]string{"authorization_endpoint": m.Authorization, "token_endpoint": m.Token, "jwks_uri": m.Keys, "end_session_endpoint": m.EndSession} {
		if text == "" && name == "end_session_endpoint" {
			continue
		}
		u, err := parseURL(text)
		if err != nil || u.Scheme != "https" && strings.HasPrefix(p.issuer, "https:") {
			return m, fmt.Errorf("discovery at %s: its %s may not be used: %q", place, name, clip(text))
		}
	}
	return m, nil
}

// fetchKeys reads the issuer's public keys. A key of an unknown kind is left out; a set in which nothing is left never replaces a good one.
func (p *provider) fetchKeys(ctx context.Context) (jwk.Set, error) {
	m, err := p.metadata.get(ctx)
	if err != nil {
		return nil, err
	}
	body, err := p.get(ctx, m.Keys)
	if err != nil {
		return nil, err
	}
	set, err := jwk.Parse(body, jwk.WithIgnoreParseError(true))
	if err != nil || set.Len() == 0 {
		return nil, fmt.Errorf("the key set at %s can't be used", m.Keys)
	}
	return set, nil
}

func (p *provider) get(ctx context.Context, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	resp, err := p.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxIssuerBody+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("get %s: %w", url, err)
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("get %s: status %d", url, resp.StatusCode)
	case len(body) > maxIssuerBody:
		return nil, fmt.Errorf("get %s: the answer is larger than 1 MiB", url)
	}
	return body, nil
}

// oauth is the client for one exchange with the issuer, and the context that carries its HTTP client.
func (p *provider) oauth(ctx context.Context) (context.Context, *oauth2.Config, error) {
	m, err := p.metadata.get(ctx)
	if err != nil {
		return ctx, nil, fmt.Errorf("%w: %w", errIssuerUnavailable, err)
	}
	secret, err := p.secret(ctx)
	if err != nil {
		return ctx, nil, fmt.Errorf("%w: %w", errIssuerUnavailable, err)
	}
	return context.WithValue(ctx, oauth2.HTTPClient, p.client), &oauth2.Config{
		ClientID:     p.clientID,
		ClientSecret: string(secret),
		Endpoint:     oauth2.Endpoint{AuthURL: m.Authorization, TokenURL: m.Token, AuthStyle: oauth2.AuthStyleInHeader},
		RedirectURL:  p.redirectURL,
		Scopes:       []string{"openid", "profile"},
	}, nil
}

// errInvalidGrant is a code or refresh token that the issuer takes no more (RFC 6749 §5.2).
var errInvalidGrant = errors.New("the issuer does not accept the grant any more")

// grantError sorts what went wrong at the token endpoint. Only invalid_grant is about the person; a refused client is a fault of this installation, and passes.
// The error holds neither body nor description, where a token could be.
func grantError(err error) error {
	var refused *oauth2.RetrieveError
	if !errors.As(err, &refused) {
		return fmt.Errorf("%w: %w", errIssuerUnavailable, err)
	}
	if refused.ErrorCode == "invalid_grant" {
		return errInvalidGrant
	}
	return fmt.Errorf("%w: the token endpoint answered %d %q", errIssuerUnavailable, refused.Response.StatusCode, clip(refused.ErrorCode))
}

// clip bounds what others wrote before it goes into a log.
func clip(text string) string {
	const limit = 80
	if len(text) > limit {
		return text[:limit] + "…"
	}
	return text
}
