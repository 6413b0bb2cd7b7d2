// Package clientcreds gets and keeps access tokens of a service's own, by the OAuth 2.0 client credentials grant (RFC 6749 §4.4), and puts them on
// outgoing requests.
//
// A [Source] is made once and shared. It fetches a token when the first request needs one, serves it without locks while it is fresh, replaces it in the
// background before it expires, and keeps serving a valid token while the issuer is down. Most programs need three lines:
//
//	source, err := clientcreds.New(clientcreds.Config{Issuer: issuer, ClientID: id, ClientSecret: secret, Origins: []string{"https://api.example"}})
//	…
//	client := source.Client(&http.Client{Timeout: 10 * time.Second})
//
// # Where a token goes
//
// A token goes to the origin (scheme, host and port) a request was made for, never along a redirect to another one, and, when [Config.Origins] is set, to
// those origins only. It goes over plain http only to loopback and to hosts in [Config.AllowHTTP]. A request that already has an Authorization header is
// sent as it is.
//
// # How often the issuer is asked
//
// Whatever the issuer answers, refreshes of a Source are at least 5 seconds apart, and those that nothing forced at least 10 % of the token's lifetime.
// Failed attempts back off: 0.5 s doubling to 30 s (to 4 s while there has never been a token), longer if the issuer's Retry-After says so (to 5 minutes), and
// 5 s after a refusal. In between, callers without a valid token fail at once with the last error and the time of the next attempt. A Source that nobody uses
// owns no goroutine and no timer, so there is nothing to close.
//
// # Secrets
//
// No secret and no token stands in an error, a log record, or the text or JSON form of this package's types. The [oauth2.Token] that [Source.Token]
// returns is another package's type and prints its token: don't log it.
package clientcreds

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"time"

	"golang.org/x/oauth2"

	"github.com/svcauth/svcauth/internal/discovery"
	"github.com/svcauth/svcauth/internal/endpoint"
	"github.com/svcauth/svcauth/internal/flight"
)

// Config says who the client is, where its tokens come from and where they may go. The zero value is not usable: [New] names what is missing. New copies
// what it keeps, so a Config may be changed and used again. It prints, logs and marshals without the secret; a struct that holds a Config in an unexported
// field does not, for fmt can't call methods there: give it the secret as [FromEnv] or [FromFile] instead.
type Config struct {
	// Issuer is the issuer's URL, exactly as the issuer writes it. Its token endpoint is discovered when the first token is needed (OpenID Connect
	// Discovery 1.0, then RFC 8414). Exactly one of Issuer and TokenURL is set.
	Issuer string
	// TokenURL is the token endpoint, used as it is, without discovery.
	TokenURL string

	// ClientID is the client's identifier at the issuer.
	ClientID string
	// ClientSecret is short for Auth: SecretBasic with a secret that never changes. Exactly one of ClientSecret and Auth is set.
	ClientSecret string
	// Auth is how the client authenticates at the token endpoint. One method is used, the one given here: none is tried after another.
	Auth ClientAuth

	// Scopes are asked for together (RFC 6749 §3.3). None: what the issuer gives by default.
	Scopes []string
	// Resources are the absolute URIs of the services that the token is for (RFC 8707).
	Resources []string
	// Params are further parameters of the token request, such as audience.
	Params url.Values

	// Origins are where the token may go, each as scheme://host or scheme://host:port. A request for anywhere else fails with [ErrOrigin] before anything
	// is sent. Empty: each request's own first origin.
	Origins []string
	// AllowHTTP are hosts (host, or host:port) that may be reached over plain http, for the issuer and for requests: acceptable only where the network
	// between is trusted, for whoever reads it has the secret or the token. Loopback needs none.
	AllowHTTP []string

	// HTTPClient sends the token request and the discovery. It is copied; the copy follows no redirect, keeps no cookies and, if it has no Timeout, gets
	// one of 5 seconds. Nil: http.DefaultClient.
	HTTPClient *http.Client
	// DefaultLifetime is how long a token is taken to live when neither expires_in nor the token says. Zero: 5 minutes.
	DefaultLifetime time.Duration
	// RefreshOn401 decides about a 401 without a Bearer challenge that says invalid_token: true treats the token as refused, which asks for one refresh and
	// one replay. It must not read the body. Nil: such answers are returned as they are, for many services use 401 as a business error.
	RefreshOn401 func(*http.Response) bool

	// Logger gets a record for the first token (Info), a refresh (Debug), a failed refresh while the token is still valid (Warn) and a failed attempt that
	// leaves no valid token (Error). Nil: slog.Default().
	Logger *slog.Logger
	// OnFetch is called after each attempt to get a token, outside all locks, on the context of the fetch. Those who wait for that token wait for it too,
	// so it must be quick, and may use the Source on that context only; a panic in it is logged and dropped.
	OnFetch func(context.Context, Fetch)
}

// A Source serves one client's token for one target, and replaces it in time. Make one with [New]; the zero value fails every call. All methods may be
// called concurrently. It is an [oauth2.TokenSource].
type Source struct {
	client  *client
	target  *target
	invalid error // why no token can be had at all (see For); nil otherwise
	cache   *cache
}

var _ oauth2.TokenSource = (*Source)(nil)

// client is what all Sources of one Config share. It is not changed after New.
type client struct {
	id              string
	auth            ClientAuth
	issuer          string
	tokenURL        string
	http            *http.Client
	allowHTTP       []string
	defaultLifetime time.Duration
	refreshOn401    func(*http.Response) bool
	logger          *slog.Logger
	onFetch         func(context.Context, Fetch)
	documents       *documents
	children        *children
	refusals        refusals
}

const defaultLifetime = 5 * time.Minute

// New returns a Source for the client that config describes. It does no I/O: a wrong secret or an issuer that is down shows at the first token. Its errors
// name the field and the mend.
func New(config Config) (*Source, error) {
	t, err := config.check()
	if err != nil {
		return nil, fmt.Errorf("clientcreds: %w", err)
	}
	c := &client{
		id: config.ClientID, auth: config.Auth, issuer: config.Issuer, tokenURL: config.TokenURL,
		http: endpoint.Client(config.HTTPClient), allowHTTP: slices.Clone(config.AllowHTTP),
		defaultLifetime: config.DefaultLifetime, refreshOn401: config.RefreshOn401, logger: config.Logger, onFetch: config.OnFetch,
	}
	if c.auth == nil {
		c.auth = SecretBasic{Secret: static(config.ClientSecret)}
	}
	if a, ok := c.auth.(connector); ok {
		c.http.Transport = a.connect(c.http.Transport)
	}
	if c.defaultLifetime == 0 {
		c.defaultLifetime = defaultLifetime
	}
	if c.issuer != "" {
		// Two places, each with the client's own deadline.
		c.documents = &documents{flight: flight.New(c.deadline(2), func(ctx context.Context) (*discovery.Document, error) {
			return discovery.Fetch(ctx, c.http, c.issuer, c.allowHTTP)
		})}
	}
	s := newSource(c, t)
	c.children = &children{root: s}
	return s, nil
}

func newSource(c *client, t *target) *Source {
	s := &Source{client: c, target: t}
	s.cache = newCache(s)
	return s
}

// deadline is the time that so many exchanges with the issuer may take, each of which has the HTTP client's own deadline.
func (c *client) deadline(exchanges int) time.Duration {
	return time.Duration(exchanges) * min(c.http.Timeout, time.Hour)
}

// log returns the logger at the time of use, so that slog.SetDefault after New counts.
func (c *client) log() *slog.Logger {
	if c.logger != nil {
		return c.logger
	}
	return slog.Default()
}

// from is where tokens come from, as an attribute: the issuer, or the token endpoint if that is what was configured.
func (c *client) from() slog.Attr {
	if c.issuer != "" {
		return slog.String("issuer", printableURL(c.issuer))
	}
	return slog.String("token_url", printableURL(c.tokenURL))
}
