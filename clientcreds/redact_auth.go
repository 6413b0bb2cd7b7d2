package clientcreds

import (
	"fmt"
	"io"
	"log/slog"
)

// The client authentication methods hold their secrets in functions. They print what helps to tell two of them apart.

// LogValue names the method.
func (a SecretBasic) LogValue() slog.Value {
	return group(slog.String("method", a.method()))
}
func (a SecretBasic) String() string               { return text("clientcreds.SecretBasic", a.LogValue()) }
func (a SecretBasic) GoString() string             { return a.String() }
func (a SecretBasic) Format(f fmt.State, _ rune)   { io.WriteString(f, a.String()) }
func (a SecretBasic) MarshalJSON() ([]byte, error) { return object(a.LogValue()) }

// LogValue names the method.
func (a SecretPost) LogValue() slog.Value {
	return group(slog.String("method", a.method()))
}
func (a SecretPost) String() string               { return text("clientcreds.SecretPost", a.LogValue()) }
func (a SecretPost) GoString() string             { return a.String() }
func (a SecretPost) Format(f fmt.State, _ rune)   { io.WriteString(f, a.String()) }
func (a SecretPost) MarshalJSON() ([]byte, error) { return object(a.LogValue()) }

// LogValue names the method and its options.
func (a SecretJWT) LogValue() slog.Value {
	return group(slog.String("method", a.method()), slog.String("algorithm", a.Algorithm), slog.String("audience", printableURL(a.Audience)), slog.String("type", a.Type))
}
func (a SecretJWT) String() string               { return text("clientcreds.SecretJWT", a.LogValue()) }
func (a SecretJWT) GoString() string             { return a.String() }
func (a SecretJWT) Format(f fmt.State, _ rune)   { io.WriteString(f, a.String()) }
func (a SecretJWT) MarshalJSON() ([]byte, error) { return object(a.LogValue()) }

// LogValue names the method and its options.
func (a PrivateKeyJWT) LogValue() slog.Value {
	return group(slog.String("method", a.method()), slog.String("key_id", a.KeyID), slog.String("algorithm", a.Algorithm),
		slog.String("audience", printableURL(a.Audience)), slog.String("type", a.Type))
}
func (a PrivateKeyJWT) String() string               { return text("clientcreds.PrivateKeyJWT", a.LogValue()) }
func (a PrivateKeyJWT) GoString() string             { return a.String() }
func (a PrivateKeyJWT) Format(f fmt.State, _ rune)   { io.WriteString(f, a.String()) }
func (a PrivateKeyJWT) MarshalJSON() ([]byte, error) { return object(a.LogValue()) }

// LogValue names the method and its options.
func (a MutualTLS) LogValue() slog.Value {
	return group(slog.String("method", a.method()), slog.String("cert_file", a.CertFile), slog.String("key_file", a.KeyFile))
}
func (a MutualTLS) String() string               { return text("clientcreds.MutualTLS", a.LogValue()) }
func (a MutualTLS) GoString() string             { return a.String() }
func (a MutualTLS) Format(f fmt.State, _ rune)   { io.WriteString(f, a.String()) }
func (a MutualTLS) MarshalJSON() ([]byte, error) { return object(a.LogValue()) }

// LogValue names the method and its options.
func (a Assertion) LogValue() slog.Value {
	return group(slog.String("method", a.method()), slog.String("type", a.Type))
}
func (a Assertion) String() string               { return text("clientcreds.Assertion", a.LogValue()) }
func (a Assertion) GoString() string             { return a.String() }
func (a Assertion) Format(f fmt.State, _ rune)   { io.WriteString(f, a.String()) }
func (a Assertion) MarshalJSON() ([]byte, error) { return object(a.LogValue()) }
