// Package discovery finds an issuer's endpoints: by OpenID Connect Discovery 1.0 §4 first, then at the place of RFC 8414 §3.
package discovery

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/svcauth/svcauth/internal/endpoint"
)

// Document is what the library uses of an issuer's metadata. Every endpoint in it has passed the plain-http rule; absent ones are empty.
type Document struct {
	Issuer              string
	TokenEndpoint       string
	JWKSURI             string
	AuthMethods         []string // token_endpoint_auth_methods_supported
	MTLSTokenEndpoint   string   // mtls_endpoint_aliases.token_endpoint, RFC 8705 §5
	IntrospectionTarget string   // introspection_endpoint
}

// wire is the document as issuers send it. Only these members are read; their types are checked by the decoder.
type wire struct {
	Issuer                string            `json:"issuer"`
	TokenEndpoint         string            `json:"token_endpoint"`
	JWKSURI               string            `json:"jwks_uri"`
	AuthMethods           []string          `json:"token_endpoint_auth_methods_supported"`
	IntrospectionEndpoint string            `json:"introspection_endpoint"`
	MTLS                  map[string]string `json:"mtls_endpoint_aliases"`
}

// URLs returns the places where issuer's document may stand, in the order they are tried. A terminating slash of the issuer is dropped before the
// well-known part is joined (OpenID Connect Discovery §4.1, RFC 8414 §3.1); the issuer itself keeps it.
func URLs(issuer *url.URL) []string {
	path := strings.TrimSuffix(issuer.EscapedPath(), "/")
	origin := issuer.Scheme + "://" + issuer.Host
	query := ""
	if issuer.RawQuery != "" {
		query = "?" + issuer.RawQuery
	}
	return []string{
		origin + path + "/.well-known/openid-configuration" + query,
		origin + "/.well-known/oauth-authorization-server" + path + query,
	}
}

// Error is a discovery that brought no usable document.
type Error struct {
	Reason Reason
	text   string
	cause  error
}

// Reason says in one word what was wrong.
type Reason string

// The reasons.
const (
	Unreachable Reason = "unreachable"     // no answer, or not a 200
	Malformed   Reason = "malformed"       // not the JSON object it should be
	WrongIssuer Reason = "issuer mismatch" // the document speaks for another issuer
	BadEndpoint Reason = "bad endpoint"    // an endpoint breaks the URL rules
)

func (e *Error) Error() string { return e.text }

// Unwrap gives the *endpoint.Error where there was no answer.
func (e *Error) Unwrap() error { return e.cause }

// Fetch gets issuer's document by client, which must come from [endpoint.Client]. The issuer in the document must equal issuer character by character
// (OpenID Connect Discovery §4.3, RFC 8414 §3.3), or a document could send the caller to another issuer's keys. The second place is tried only when the
// first answers that there is nothing (a 4xx), never after a network error or a document that is wrong.
func Fetch(ctx context.Context, client *http.Client, issuer string, allowHTTP []string) (*Document, error) {
	u, err := endpoint.ParseURL(issuer, allowHTTP)
	if err != nil {
		return nil, &Error{Reason: BadEndpoint, text: "issuer: " + err.Error()}
	}
	var last *Error
	for _, place := range URLs(u) {
		answer, err := endpoint.Get(ctx, client, place)
		if err != nil {
			return nil, &Error{Reason: Unreachable, text: "discovery at " + place + ": " + err.Error(), cause: err}
		}
		if answer.Status == http.StatusOK {
			return parse(answer, place, issuer, allowHTTP)
		}
		failed := &Error{Reason: Unreachable, text: fmt.Sprintf("discovery at %s: status %d", place, answer.Status)}
		if answer.Status < 400 || answer.Status >= 500 || answer.Status == http.StatusTooManyRequests || answer.Status == http.StatusRequestTimeout {
			return nil, failed
		}
		if last == nil {
			last = failed // the first place is the one people look for
		}
	}
	return nil, last
}

func parse(answer *endpoint.Answer, place, issuer string, allowHTTP []string) (*Document, error) {
	var w wire
	if !utf8.Valid(answer.Body) || json.Unmarshal(answer.Body, &w) != nil {
		return nil, &Error{Reason: Malformed, text: "discovery at " + place + ": the answer is not a metadata document"}
	}
	if w.Issuer != issuer {
		return nil, &Error{Reason: WrongIssuer, text: fmt.Sprintf("discovery at %s: the document is for issuer %s, configured is %q: set Issuer to exactly what the issuer calls itself",
			place, quote(w.Issuer), issuer)}
	}
	d := &Document{
		Issuer: w.Issuer, TokenEndpoint: w.TokenEndpoint, JWKSURI: w.JWKSURI, AuthMethods: w.AuthMethods,
		MTLSTokenEndpoint: w.MTLS["token_endpoint"], IntrospectionTarget: w.IntrospectionEndpoint,
	}
	secure := strings.HasPrefix(strings.ToLower(issuer), "https:")
	for name, raw := range map[string]string{
		"token_endpoint": d.TokenEndpoint, "jwks_uri": d.JWKSURI, "introspection_endpoint": d.IntrospectionTarget,
		"mtls_endpoint_aliases.token_endpoint": d.MTLSTokenEndpoint,
	} {
		if raw == "" {
			continue
		}
		u, err := endpoint.ParseURL(raw, allowHTTP)
		if err != nil || secure && u.Scheme != "https" {
			return nil, &Error{Reason: BadEndpoint, text: fmt.Sprintf("discovery at %s: its %s %s may not be used (https, and http only to loopback or AllowHTTP hosts)", place, name, quote(raw))}
		}
	}
	return d, nil
}

// quote makes something an issuer said fit for an error: quoted, and cut so that a hostile document can't fill a log.
func quote(s string) string {
	if len(s) > 200 {
		s = s[:200] + "…"
	}
	return fmt.Sprintf("%q", s)
}
