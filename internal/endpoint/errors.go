package endpoint

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"syscall"
)

// Class says in one word why an exchange brought no answer.
type Class string

// The classes.
const (
	TimedOut Class = "timeout"
	Canceled Class = "canceled"
	Refused  Class = "connection refused"
	DNS      Class = "name not resolved"
	TLS      Class = "tls"
	TooLarge Class = "too large"
	Network  Class = "network"
)

// Error is an exchange that brought no usable answer. Its text is made here from the class and the host, never from bytes that the other side sent: net/http
// quotes malformed answers in its errors, and a server may echo a secret in one. Unwrap gives context errors only, for the same reason.
type Error struct {
	Class Class
	Host  string
	text  string
	cause error
}

func (e *Error) Error() string {
	if e.Host == "" {
		return e.text
	}
	return fmt.Sprintf("%s: %s", e.Host, e.text)
}

// Detail is the text without the host, for callers that name the whole URL themselves.
func (e *Error) Detail() string { return e.text }

// Unwrap gives context.DeadlineExceeded or context.Canceled where that was the cause, else nil.
func (e *Error) Unwrap() error { return e.cause }

func classify(req *http.Request, err error) *Error {
	e := &Error{Class: Network, Host: req.URL.Host, text: "no usable answer (connection broken or not HTTP)"}
	var (
		netErr    net.Error
		dnsErr    *net.DNSError
		opErr     *net.OpError
		unknownCA x509.UnknownAuthorityError
		hostname  x509.HostnameError
		invalid   x509.CertificateInvalidError
		verify    *tls.CertificateVerificationError
		record    tls.RecordHeaderError
	)
	switch {
	case errors.Is(err, context.Canceled):
		e.Class, e.text, e.cause = Canceled, "canceled", context.Canceled
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		e.Class, e.text, e.cause = TimedOut, "no answer in time", context.DeadlineExceeded
	case errors.As(err, &dnsErr):
		e.Class, e.text = DNS, "the host name can't be resolved"
	case errors.As(err, &unknownCA):
		e.Class, e.text = TLS, "its certificate is signed by an unknown authority"
	case errors.As(err, &hostname):
		e.Class, e.text = TLS, "its certificate is for another host"
	case errors.As(err, &invalid), errors.As(err, &verify):
		e.Class, e.text = TLS, "its certificate is not valid"
	case errors.Is(err, http.ErrSchemeMismatch):
		e.Class, e.text = TLS, "it answers plain http on this port, not https"
	case errors.As(err, &record):
		e.Class, e.text = TLS, "it does not speak TLS on this port"
	case errors.As(err, &opErr) && opErr.Op == "remote error": // what crypto/tls calls an alert of the other side
		e.Class, e.text = TLS, "it broke the TLS handshake off: it may not accept the client's certificate"
	case errors.Is(err, syscall.ECONNREFUSED):
		e.Class, e.text = Refused, "connection refused"
	case errors.As(err, &opErr) && opErr.Op == "dial":
		e.text = "can't connect"
	}
	return e
}
