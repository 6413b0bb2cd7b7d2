package clientcreds

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"runtime/debug"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/svcauth/svcauth/internal/discovery"
	"github.com/svcauth/svcauth/internal/endpoint"
	"github.com/svcauth/svcauth/internal/flight"
)

// fetch asks the issuer for a token, once; and once more if the credential was refused and, read again, turns out to be another one: it was rotated
// between the reading and the refusal.
func (s *Source) fetch(ctx context.Context) (*held, *Error) {
	if failed := s.client.refusals.standing(time.Now()); failed != nil {
		return nil, failed
	}
	tokenURL, doc, failed := s.client.endpoint(ctx)
	if failed != nil {
		return nil, failed
	}
	first, failed := s.prepare(ctx, tokenURL)
	if failed != nil {
		return nil, failed
	}
	h, failed := s.send(first)
	if failed != nil && failed.credential {
		if second, err := s.prepare(ctx, tokenURL); err == nil && !second.same(first) {
			h, failed = s.send(second)
		}
	}
	s.client.refusals.note(failed, time.Now())
	if failed != nil && failed.moved() {
		s.client.documents.forget(doc)
	}
	return h, failed
}

// moved reports whether the failure may mean that the token endpoint is somewhere else by now.
func (e *Error) moved() bool {
	switch e.Status {
	case 0:
		return e.Class == ClassNetwork || e.Class == ClassTLS
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone:
		return true
	}
	return e.Status >= 300 && e.Status < 400
}

func (c *client) endpoint(ctx context.Context) (string, *discovery.Document, *Error) {
	if c.documents == nil {
		return c.tokenURL, nil, nil
	}
	doc, err := c.documents.get(ctx)
	if err == nil && doc.TokenEndpoint == "" {
		c.documents.forget(doc)
		err = doc.Missing("token_endpoint")
	}
	if p := (*flight.PanicError)(nil); errors.As(err, &p) {
		return "", nil, &Error{Class: ClassPanic, text: "panic of type " + p.Type + " while asking for a token", stack: p.Stack}
	}
	if err != nil {
		failed := &Error{Class: ClassDiscovery, text: err.Error()}
		if d := (*discovery.Error)(nil); errors.As(err, &d) {
			failed.retryAfter = d.RetryAfter
		}
		return "", nil, failed
	}
	return c.tokenEndpoint(doc), doc, nil
}

// tokenEndpoint is the one of doc's that the client's method belongs to.
func (c *client) tokenEndpoint(doc *discovery.Document) string {
	if _, ok := c.auth.(connector); ok && doc.MTLSTokenEndpoint != "" {
		return doc.MTLSTokenEndpoint
	}
	return doc.TokenEndpoint
}

// tokenRequest is one request to the token endpoint, with the credential in it.
type tokenRequest struct {
	request *http.Request
	body    string
	secrets []string // what ClientAuth added, to be kept out of everything that is shown

	credential fingerprint // of a fingerprinter; zero: the request itself shows whether the credential is the same
}

func (r *tokenRequest) same(other *tokenRequest) bool {
	if r.credential != (fingerprint{}) {
		return r.credential == other.credential
	}
	return r.body == other.body && reflect.DeepEqual(r.request.Header, other.request.Header)
}

func (s *Source) prepare(ctx context.Context, tokenURL string) (*tokenRequest, *Error) {
	where := printableURL(tokenURL)
	post := func(body string) (*http.Request, error) {
		return http.NewRequestWithContext(ctx, http.MethodPost, tokenURL, strings.NewReader(body))
	}
	draft, err := post("")
	if err != nil {
		return nil, &Error{Class: ClassDiscovery, Endpoint: where, text: fmt.Sprintf("no request can be made to token endpoint %s", where)}
	}
	form := s.target.form(s.client.id)
	plain := cloneValues(form)
	r := &tokenRequest{}
	if a, ok := s.client.auth.(fingerprinter); ok {
		r.credential, err = a.authenticate(ctx, s.client.issuer, draft, form)
	} else {
		err = s.client.auth.AuthenticateClient(ctx, s.client.issuer, draft, form)
	}
	if err != nil {
		return nil, &Error{Class: ClassCredential, Endpoint: where, text: fmt.Sprintf("the client can't authenticate at token endpoint %s: %v", where, err)}
	}
	r.body = form.Encode()
	for _, values := range draft.Header {
		r.secrets = append(r.secrets, values...)
	}
	for name, values := range form {
		if _, ours := plain[name]; hides(s.target.Params, name) || !ours && name != "client_assertion_type" { // which is public, and has words in it that descriptions have
			r.secrets = append(r.secrets, values...)
		}
	}
	// A request of its own, so that nothing but header fields and form members is what the method made of it.
	if r.request, err = post(r.body); err != nil {
		return nil, &Error{Class: ClassDiscovery, Endpoint: where, text: fmt.Sprintf("no request can be made to token endpoint %s", where)}
	}
	if draft.Header != nil {
		r.request.Header = draft.Header
	}
	r.request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.request.Header.Set("Accept", "application/json")
	return r, nil
}

// send makes the exchange. A lifetime counts from before the request, for the issuer counts from somewhere within it.
func (s *Source) send(r *tokenRequest) (*held, *Error) {
	where := printableURL(r.request.URL.String())
	sent := time.Now()
	reply, err := endpoint.Do(s.client.http, r.request)
	if err != nil {
		return nil, unanswered(where, err)
	}
	return s.receive(r, reply, sent)
}

// receive makes a token of the answer, or an error.
func (s *Source) receive(r *tokenRequest, reply *endpoint.Answer, sent time.Time) (*held, *Error) {
	where := printableURL(r.request.URL.String())
	if reply.Status < 200 || reply.Status > 299 {
		return nil, refusal(where, reply, r.secrets)
	}
	if !reply.JSON() {
		return nil, malformed(where, reply.Status, "a body that is not JSON by its Content-Type")
	}
	sentSecrets := r.secrets
	if token := accessToken(reply.Body); token != "" {
		r.secrets = append(r.secrets, token)
	}
	if e := errorMembers(reply, r.secrets); e.Code != "" {
		return nil, refusal(where, reply, r.secrets)
	}
	if len(bytes.TrimSpace(reply.Body)) == 0 {
		return nil, malformed(where, reply.Status, "an empty body")
	}
	a, fault := parseAnswer(reply.Body, sentSecrets)
	if fault != "" {
		return nil, malformed(where, reply.Status, fault)
	}
	lifetime := a.lifetime
	if lifetime == 0 {
		lifetime = jwtLifetime(a.token, sent)
	}
	var end time.Time
	if lifetime == 0 {
		lifetime = s.client.defaultLifetime
	} else {
		end = sent.Add(lifetime)
	}
	token := &oauth2.Token{AccessToken: a.token, TokenType: "Bearer", Expiry: sent.Add(lifetime).Round(0)}
	if len(a.scopes) > 0 {
		token = token.WithExtra(map[string]any{"scope": strings.Join(a.scopes, " ")})
	}
	return &held{token: token, value: a.token, header: "Bearer " + a.token, granted: a.scopes, sent: sent, lifetime: lifetime, end: end}, nil
}

func unanswered(where string, err error) *Error {
	e := &Error{Class: ClassNetwork, Endpoint: where, text: "token endpoint " + where + " unreachable"}
	var cause *endpoint.Error
	if !errors.As(err, &cause) {
		return e
	}
	if cause.Class == endpoint.TooLarge {
		return &Error{Class: ClassMalformed, Endpoint: where, text: "token endpoint " + where + ": " + cause.Detail()}
	}
	switch cause.Class {
	case endpoint.TimedOut, endpoint.Canceled:
		e.Class = ClassTimeout
	case endpoint.TLS:
		e.Class = ClassTLS
	}
	e.text += ": " + cause.Detail()
	return e
}

func malformed(where string, status int, what string) *Error {
	return &Error{Class: ClassMalformed, Endpoint: where, Status: status, text: fmt.Sprintf("token endpoint %s answered %d with %s", where, status, what)}
}

// panicked makes an error of a panic in a Secret, a ClientAuth or a RoundTripper. The value is not shown: it may hold the secret.
func panicked(v any) *Error {
	return &Error{Class: ClassPanic, text: fmt.Sprintf("panic of type %T while asking for a token", v), stack: debug.Stack()}
}

// printableURL is raw without the parts where people put secrets.
func printableURL(raw string) string {
	if raw == "" {
		return ""
	}
	u, err := url.Parse(raw)
	if err != nil || strings.Contains(u.Opaque, "@") {
		return "[not a URL]"
	}
	if u.Opaque != "" { // a URN, as resources may be
		return u.Scheme + ":" + u.Opaque
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}).String()
}
