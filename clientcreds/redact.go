package clientcreds

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Every type that holds a secret, or could be taken to, has one description, its LogValue, from which its text, all verbs of fmt and its JSON are made.

// LogValue is the configuration without secrets: of Params only the names, for people put secrets there.
func (c Config) LogValue() slog.Value {
	secret := ""
	if c.ClientSecret != "" {
		secret = "[redacted]"
	}
	auth := ""
	if c.Auth != nil {
		auth = fmt.Sprintf("%T", c.Auth)
	}
	return group(slog.String("issuer", printableURL(c.Issuer)), slog.String("token_url", printableURL(c.TokenURL)), slog.String("client_id", c.ClientID),
		slog.String("client_secret", secret), slog.String("auth", auth), slog.Any("scopes", c.Scopes), slog.Any("resources", printableURLs(c.Resources)),
		slog.Any("origins", printableURLs(c.Origins)), slog.Any("allow_http", c.AllowHTTP), slog.Any("params", slices.Sorted(maps.Keys(c.Params))))
}

func (c Config) String() string               { return text("clientcreds.Config", c.LogValue()) }
func (c Config) GoString() string             { return c.String() }
func (c Config) Format(f fmt.State, _ rune)   { io.WriteString(f, c.String()) }
func (c Config) MarshalJSON() ([]byte, error) { return object(c.LogValue()) }

// LogValue is the target without the values of its Params.
func (t Target) LogValue() slog.Value {
	return group(slog.Any("scopes", t.Scopes), slog.Any("resources", printableURLs(t.Resources)), slog.Any("origins", printableURLs(t.Origins)),
		slog.Any("params", slices.Sorted(maps.Keys(t.Params))))
}

func (t Target) String() string               { return text("clientcreds.Target", t.LogValue()) }
func (t Target) GoString() string             { return t.String() }
func (t Target) Format(f fmt.State, _ rune)   { io.WriteString(f, t.String()) }
func (t Target) MarshalJSON() ([]byte, error) { return object(t.LogValue()) }

// LogValue names the client, what its tokens are for and what the source knows of them.
func (s *Source) LogValue() slog.Value {
	if s == nil || s.client == nil {
		return group(slog.String("state", string(StateNone)))
	}
	return group(slog.String("client_id", s.client.id), s.client.from(), slog.Any("target", s.target.LogValue()),
		slog.Any("status", s.Status().LogValue()))
}

func (s *Source) String() string               { return text("clientcreds.Source", s.LogValue()) }
func (s *Source) GoString() string             { return s.String() }
func (s *Source) Format(f fmt.State, _ rune)   { io.WriteString(f, s.String()) }
func (s *Source) MarshalJSON() ([]byte, error) { return object(s.LogValue()) }

// LogValue is all of it, as attributes.
func (f Fetch) LogValue() slog.Value {
	return group(slog.String("trigger", string(f.Trigger)), slog.Any("scopes", f.Scopes), slog.Any("missing_scopes", f.MissingScopes), slog.Time("start", f.Start), slog.String("duration", f.Duration.String()),
		slog.String("error", errorText(f.Err)), slog.String("lifetime", f.Lifetime.String()), slog.Int("failures", f.Failures), slog.Time("next", f.Next))
}

func (f Fetch) String() string               { return text("clientcreds.Fetch", f.LogValue()) }
func (f Fetch) GoString() string             { return f.String() }
func (f Fetch) Format(st fmt.State, _ rune)  { io.WriteString(st, f.String()) }
func (f Fetch) MarshalJSON() ([]byte, error) { return object(f.LogValue()) }

// LogValue is all of it, as attributes.
func (s Status) LogValue() slog.Value {
	attrs := []slog.Attr{
		slog.String("state", string(s.State)), slog.String("age", s.Age.Round(time.Millisecond).String()),
		slog.String("expires_in", s.ExpiresIn.Round(time.Millisecond).String()), slog.Any("granted_scopes", printables(s.GrantedScopes)), slog.Any("missing_scopes", s.MissingScopes),
		slog.Bool("refused", s.Refused), slog.Int("failures", s.Failures),
		slog.String("last_error", errorText(s.LastError)), slog.String("error_class", string(s.ErrorClass)),
	}
	if !s.NextAttempt.IsZero() {
		attrs = append(attrs, slog.Time("next_attempt", s.NextAttempt))
	}
	return group(attrs...)
}

func (s Status) String() string               { return text("clientcreds.Status", s.LogValue()) }
func (s Status) GoString() string             { return s.String() }
func (s Status) Format(f fmt.State, _ rune)   { io.WriteString(f, s.String()) }
func (s Status) MarshalJSON() ([]byte, error) { return object(s.LogValue()) }

func group(attrs ...slog.Attr) slog.Value { return slog.GroupValue(attrs...) }

func text(name string, v slog.Value) string {
	var b strings.Builder
	b.WriteString(name)
	b.WriteByte('{')
	for i, a := range v.Group() {
		if i > 0 {
			b.WriteByte(' ')
		}
		switch a.Value.Kind() {
		case slog.KindGroup:
			b.WriteString(text(a.Key+"=", a.Value))
		case slog.KindString:
			fmt.Fprintf(&b, "%s=%q", a.Key, a.Value.String())
		default:
			fmt.Fprintf(&b, "%s=%s", a.Key, a.Value)
		}
	}
	b.WriteByte('}')
	return b.String()
}

// object keeps the order of the attributes.
func object(v slog.Value) ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, a := range v.Group() {
		if i > 0 {
			b.WriteByte(',')
		}
		value := a.Value.Any()
		var member []byte
		var err error
		if a.Value.Kind() == slog.KindGroup {
			member, err = object(a.Value)
		} else {
			member, err = json.Marshal(value)
		}
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "%q:%s", a.Key, member)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func printableURLs(raw []string) []string {
	all := make([]string, len(raw))
	for i, r := range raw {
		all[i] = printableURL(r)
	}
	return all
}

// printables are names that the issuer made up, fit for a log.
func printables(names []string) []string {
	names = names[:min(len(names), 20)]
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = printable(name, 100)
	}
	return all
}

// shownParams are parameters that issuers name in errors, and that nobody takes for secrets.
var shownParams = map[string]bool{"audience": true, "resource": true, "tenant": true, "organization": true, "requested_token_type": true}

// hides reports whether the values of a parameter are kept out of everything that is shown.
func hides(params url.Values, name string) bool {
	_, configured := params[name]
	return configured && !shownParams[name]
}
