package clientcreds

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/svcauth/svcauth/internal/discovery"
	"github.com/svcauth/svcauth/internal/endpoint"
)

// Diagnosis is what [Source.Diagnose] found. It holds no token and no secret, so it may be printed, logged and sent to whoever runs the issuer.
type Diagnosis struct {
	ClientID string  `json:"client_id"`
	From     string  `json:"from"`   // the issuer, or the token endpoint if that is what was configured
	Checks   []Check `json:"checks"` // one for each Subject, in the order of the constants
}

// Check is one part of a [Diagnosis].
type Check struct {
	Subject Subject `json:"subject"`
	Result  Result  `json:"result"`
	Found   string  `json:"found,omitempty"` // what was seen
	Mend    string  `json:"mend,omitempty"`  // what to do about it; empty if there is nothing to do
}

// Subject is what a [Check] is about.
type Subject string

// The subjects.
const (
	SubjectDiscovery Subject = "discovery" // the way to the token endpoint
	SubjectIssuer    Subject = "issuer"    // whether the issuer calls itself what it is called here
	SubjectMethod    Subject = "method"    // how the client authenticates, and whether it may use this grant
	SubjectSecret    Subject = "secret"    // the secret, key, certificate or assertion
	SubjectAudience  Subject = "audience"  // of the client's assertion, and of the token
	SubjectClock     Subject = "clock"     // this machine's against the issuer's
	SubjectScope     Subject = "scope"     // what was asked for against what was granted
)

// Result is how a [Check] ended.
type Result string

// The results.
const (
	ResultOK      Result = "ok"
	ResultWarning Result = "warning" // tokens come, but something may go wrong with them
	ResultWrong   Result = "wrong"   // why there is no token
	ResultUnknown Result = "unknown" // could not be looked at
)

var subjects = []Subject{SubjectDiscovery, SubjectIssuer, SubjectMethod, SubjectSecret, SubjectAudience, SubjectClock, SubjectScope}

// OK reports whether nothing is wrong. There may be warnings.
func (d Diagnosis) OK() bool {
	return !slices.ContainsFunc(d.Checks, func(c Check) bool { return c.Result == ResultWrong })
}

// Check returns the one about subject, or the zero value.
func (d Diagnosis) Check(subject Subject) Check {
	for _, c := range d.Checks {
		if c.Subject == subject {
			return c
		}
	}
	return Check{}
}

// String is a page for people: a line for each check, and below it what to do.
func (d Diagnosis) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "clientcreds: client %q at %s\n", d.ClientID, d.From)
	for _, c := range d.Checks {
		fmt.Fprintf(&b, "%-8s %-10s %s\n", c.Result, c.Subject, c.Found)
		if c.Mend != "" {
			fmt.Fprintf(&b, "%-19s -> %s\n", "", c.Mend)
		}
	}
	return b.String()
}

// LogValue is an attribute for each check.
func (d Diagnosis) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("client_id", d.ClientID), slog.String("from", d.From), slog.Bool("ok", d.OK())}
	for _, c := range d.Checks {
		attrs = append(attrs, slog.Any(string(c.Subject), group(slog.String("result", string(c.Result)), slog.String("found", c.Found), slog.String("mend", c.Mend))))
	}
	return group(attrs...)
}

// MarshalJSON gives the fields, and what OK says as "ok".
func (d Diagnosis) MarshalJSON() ([]byte, error) {
	type fields Diagnosis
	return json.Marshal(struct {
		fields
		OK bool `json:"ok"`
	}{fields(d), d.OK()})
}

// set writes a check; what is known later counts.
func (d *Diagnosis) set(subject Subject, result Result, found, mend string) {
	for i, c := range d.Checks {
		if c.Subject == subject {
			d.Checks[i] = Check{subject, result, found, mend}
		}
	}
}

// Diagnose finds out why there is no token, or what may go wrong with the one there is: it discovers the issuer anew, asks for a token and throws it away.
// It neither uses nor changes what the Source has, and it is not held back by what keeps refreshes apart: call it by hand, at the start of a program or in
// an operator's page, not for every request. It ends with ctx, and by deadlines of its own.
func (s *Source) Diagnose(ctx context.Context) (d Diagnosis) {
	d = Diagnosis{From: "no issuer"}
	for _, subject := range subjects {
		d.Checks = append(d.Checks, Check{Subject: subject, Result: ResultUnknown, Found: "not reached"})
	}
	if s.client != nil {
		d.ClientID, d.From = s.client.id, s.client.from().Value.String()
	}
	if s.cache == nil {
		d.set(SubjectDiscovery, ResultWrong, s.unusable().Error(), "")
		return d
	}
	ctx, cancel := context.WithTimeout(ctx, s.client.deadline(3))
	defer cancel()
	defer func() {
		if v := recover(); v != nil {
			d.refused(panicked(v), s.client)
		}
	}()
	tokenURL := s.client.tokenURL
	if s.client.issuer != "" {
		doc := d.discover(ctx, s.client)
		if doc == nil {
			return d
		}
		tokenURL = s.client.tokenEndpoint(doc)
		d.advertised(s.client.auth, doc.AuthMethods)
	} else {
		d.set(SubjectDiscovery, ResultOK, "not needed: TokenURL is configured", "")
		d.set(SubjectIssuer, ResultUnknown, "TokenURL is configured, which names no issuer", "")
		d.set(SubjectMethod, ResultUnknown, methodName(s.client.auth)+"; without discovery there is no list of methods", "")
	}
	s.ask(ctx, &d, tokenURL)
	return d
}

func (d *Diagnosis) discover(ctx context.Context, c *client) *discovery.Document {
	doc, err := discovery.Fetch(ctx, c.http, c.issuer, c.allowHTTP)
	var failed *discovery.Error
	switch {
	case err == nil && doc.TokenEndpoint == "":
		d.set(SubjectDiscovery, ResultWrong, doc.Missing("token_endpoint").Error(), "Keycloak behind a proxy that ends TLS takes itself to be plain http: set its hostname option (KC_HOSTNAME) with https:// and its proxy-headers option. An issuer without a token endpoint gives no tokens by this grant")
		return nil
	case err == nil:
		d.set(SubjectDiscovery, ResultOK, "the token endpoint is "+printableURL(c.tokenEndpoint(doc)), "")
		d.set(SubjectIssuer, ResultOK, "it calls itself what Issuer says", "")
		return doc
	case errors.As(err, &failed) && failed.Reason == discovery.WrongIssuer:
		d.set(SubjectDiscovery, ResultOK, "there is a document", "")
		d.set(SubjectIssuer, ResultWrong, err.Error(), "copy the issuer out of that document, with its scheme, port, path and final slash or none; if it is wrong there, set Keycloak's hostname option (KC_HOSTNAME) or the realm's Frontend URL")
	default:
		d.set(SubjectDiscovery, ResultWrong, err.Error(), issuerMend)
	}
	return nil
}

func methodName(auth ClientAuth) string {
	if name := methodOf(auth); name != "" {
		return name
	}
	return fmt.Sprintf("a method of the program's own (%T)", auth)
}

// advertised compares the method with the issuer's list. Keycloak's list is the realm's: which one of it a client may use shows only when it is used.
func (d *Diagnosis) advertised(auth ClientAuth, methods []string) {
	name := methodOf(auth)
	if methods == nil {
		methods = []string{"client_secret_basic"} // what no list means, OpenID Connect Discovery 1.0 §3
	}
	if name == "" {
		d.set(SubjectMethod, ResultUnknown, methodName(auth), "")
		return
	}
	if slices.Contains(methods, name) || name == "tls_client_auth" && slices.Contains(methods, "self_signed_tls_client_auth") {
		d.set(SubjectMethod, ResultOK, name+", which the issuer lists", "")
		return
	}
	d.set(SubjectMethod, ResultWarning, fmt.Sprintf("%s is not among those the issuer lists: %q", name, printable(strings.Join(methods, " "), 200)), "set Auth to one that is listed")
}

// ask makes the token request and looks at what comes back.
func (s *Source) ask(ctx context.Context, d *Diagnosis, tokenURL string) {
	r, failed := s.prepare(ctx, tokenURL)
	if failed != nil {
		d.refused(failed, s.client)
		return
	}
	sent := time.Now()
	reply, err := endpoint.Do(s.client.http, r.request)
	if err != nil {
		d.refused(unanswered(printableURL(tokenURL), err), s.client)
		return
	}
	received := time.Now()
	h, failed := s.receive(r, reply, sent)
	token := ""
	if failed == nil {
		token = h.value
	}
	d.compareClocks(reply.Header, token, sent, received, s.client.auth)
	if failed != nil {
		d.refused(failed, s.client)
		return
	}
	d.set(SubjectMethod, ResultOK, methodName(s.client.auth)+", which the issuer took", "")
	d.set(SubjectSecret, ResultOK, "the issuer gave a token", "")
	d.look(h, s.client, s.target)
}

func (d *Diagnosis) refused(failed *Error, c *client) {
	if a, ok := c.auth.(interface {
		load() (*tls.Certificate, fingerprint, error)
	}); ok {
		if pair, _, err := a.load(); err == nil && time.Now().After(pair.Leaf.NotAfter) {
			d.set(SubjectSecret, ResultWrong, "the client's certificate ended on "+pair.Leaf.NotAfter.UTC().Format(time.DateOnly), "renew it; the new files are used without a restart")
			return
		}
	}
	subject, mend := blame(failed, c.id, c.auth)
	d.set(subject, ResultWrong, failed.text, mend)
}
