// Package discovery finds an issuer's endpoints: by OpenID Connect Discovery 1.0 §4 first, then at the place of RFC 8414 §3.
package discovery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/svcauth/svcauth/internal/endpoint"
)

// Document is what the library uses of an issuer's metadata. Every endpoint in it has passed the plain-http rule. One that is absent or may not be used is
// empty: what is wrong with an endpoint that a caller doesn't need must not cost it the others.
type Document struct {
	Issuer            string
	TokenEndpoint     string
	JWKSURI           string
	AuthMethods       []string // token_endpoint_auth_methods_supported
	MTLSTokenEndpoint string   // mtls_endpoint_aliases.token_endpoint, RFC 8705 §5

	faults map[string]string // by metadata name: why the endpoint is empty
}

// Missing says why the endpoint of this metadata name is empty.
func (d *Document) Missing(name string) error {
	if fault := d.faults[name]; fault != "" {
		return errors.New(fault)
	}
	return fmt.Errorf("the metadata document of issuer %q has no %s", endpoint.WithoutQuery(d.Issuer), name)
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
	Reason     Reason
	RetryAfter time.Duration // what the answer asked for; zero: nothing
	text       string
	cause      error
}

// Reason says in one word what was wrong.
type Reason string

// The reasons.
const (
	Unreachable Reason = "unreachable"     // no answer, or not a 200
	Malformed   Reason = "malformed"       // not the JSON object it should be
	WrongIssuer Reason = "issuer mismatch" // the document speaks for another issuer
	BadEndpoint Reason = "bad endpoint"    // the issuer's own URL breaks the rules
)

func (e *Error) Error() string { return e.text }

// Unwrap gives the *endpoint.Error where there was no answer.
func (e *Error) Unwrap() error { return e.cause }

// ParseIssuer parses the name of an issuer whose document is to be found (RFC 8414 §2).
func ParseIssuer(issuer string, allowHTTP []string) (*url.URL, error) {
	u, err := endpoint.ParseURL(issuer, allowHTTP)
	switch {
	case err != nil:
		return nil, err
	case u.RawQuery != "" || u.ForceQuery:
		return nil, fmt.Errorf("%q has a query: remove the part after ?", endpoint.WithoutQuery(issuer))
	case strings.Contains(u.Path, "/.well-known/"):
		return nil, fmt.Errorf("%q is the place of a metadata document: cut it off before /.well-known/", issuer)
	}
	return u, nil
}

// Fetch gets issuer's document by client, which must come from [endpoint.Client]. The issuer in the document must equal issuer character by character
// (OpenID Connect Discovery §4.3, RFC 8414 §3.3), or a document could send the caller to another issuer's keys. The second place is tried only when the
// first answers that there is nothing (a 4xx, or a redirect, for some send whoever asks for an unknown page to a sign-in), never after a network error or a
// document that is wrong.
func Fetch(ctx context.Context, client *http.Client, issuer string, allowHTTP []string) (*Document, error) {
	u, err := ParseIssuer(issuer, allowHTTP)
	if err != nil {
		return nil, &Error{Reason: BadEndpoint, text: "issuer: " + err.Error()}
	}
	var last *Error
	for _, place := range URLs(u) {
		shown := endpoint.WithoutQuery(place)
		answer, err := endpoint.Get(ctx, client, place)
		if err != nil {
			return nil, &Error{Reason: Unreachable, text: "discovery at " + shown + ": " + err.Error(), cause: err}
		}
		if answer.Status == http.StatusOK {
			return parse(answer, shown, issuer, allowHTTP)
		}
		failed := &Error{Reason: Unreachable, RetryAfter: answer.RetryAfter(time.Now()), text: fmt.Sprintf("discovery at %s: status %d", shown, answer.Status)}
		if answer.Status == http.StatusNotFound {
			failed.text += " (is Issuer the issuer's whole URL? Keycloak's is https://host/realms/name)"
		}
		if answer.Status >= 300 && answer.Status < 400 {
			failed.text += ", a redirect, which is never followed: set Issuer to what the issuer calls itself"
		}
		if answer.Status < 300 || answer.Status >= 500 || answer.Status == http.StatusTooManyRequests || answer.Status == http.StatusRequestTimeout {
			return nil, failed
		}
		if last == nil {
			last = failed // the first place is the one people look for
		}
	}
	return nil, last
}

func parse(answer *endpoint.Answer, place, issuer string, allowHTTP []string) (*Document, error) {
	var members map[string]json.RawMessage
	if !utf8.Valid(answer.Body) || json.Unmarshal(answer.Body, &members) != nil {
		return nil, &Error{Reason: Malformed, text: "discovery at " + place + ": the answer is not a metadata document"}
	}
	d := &Document{faults: map[string]string{}}
	if _ = json.Unmarshal(members["issuer"], &d.Issuer); d.Issuer != issuer {
		if strings.Contains(d.Issuer, "{") {
			return nil, &Error{Reason: WrongIssuer, text: fmt.Sprintf("discovery at %s: the document is for %s, which stands for many tenants, and none of them is so called: "+
				"set Issuer to that of one tenant (Entra ID: with its id in place of common, organizations or consumers)", place, quote(endpoint.WithoutQuery(d.Issuer)))}
		}
		return nil, &Error{Reason: WrongIssuer, text: fmt.Sprintf("discovery at %s: the document is for issuer %s, configured is %q: set Issuer to exactly what the issuer calls itself",
			place, quote(endpoint.WithoutQuery(d.Issuer)), endpoint.WithoutQuery(issuer))}
	}
	var aliases map[string]json.RawMessage
	_ = json.Unmarshal(members["mtls_endpoint_aliases"], &aliases)
	if json.Unmarshal(members["token_endpoint_auth_methods_supported"], &d.AuthMethods) != nil {
		d.AuthMethods = nil
	}
	secure := strings.HasPrefix(strings.ToLower(issuer), "https:")
	for _, e := range []struct {
		name string
		raw  json.RawMessage
		into *string
	}{
		{"token_endpoint", members["token_endpoint"], &d.TokenEndpoint},
		{"jwks_uri", members["jwks_uri"], &d.JWKSURI},
		{"mtls_endpoint_aliases.token_endpoint", aliases["token_endpoint"], &d.MTLSTokenEndpoint},
	} {
		if e.raw == nil {
			continue
		}
		var text string
		err := json.Unmarshal(e.raw, &text)
		if err == nil {
			var u *url.URL
			if u, err = endpoint.ParseURL(text, allowHTTP); err == nil && secure && u.Scheme != "https" {
				err = errors.New("plain http")
			}
		}
		if err != nil {
			d.faults[e.name] = fmt.Sprintf("discovery at %s: its %s %s may not be used (https, and http only to loopback or AllowHTTP hosts, never for an https issuer)",
				place, e.name, quote(endpoint.WithoutQuery(text)))
			continue
		}
		*e.into = text
	}
	return d, nil
}

// quote makes something an issuer said fit for an error: quoted, and cut so that a hostile document can't fill a log.
func quote(s string) string {
	if strings.Contains(s, "@") {
		return "(withheld: it has an @ in it)" // where people put passwords
	}
	if len(s) > 200 {
		s = s[:200] + "…"
	}
	return fmt.Sprintf("%q", s)
}
