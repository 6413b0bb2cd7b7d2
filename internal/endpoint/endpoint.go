package endpoint

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// MaxBody bounds what is read of any answer, in bytes.
	MaxBody = 1 << 20
	// Timeout bounds an exchange whose http.Client has no deadline of its own.
	Timeout = 5 * time.Second
)

// Client returns a copy of base that follows no redirect (a redirect would carry a secret or a trust decision to a place nobody configured), keeps no
// cookies and has a deadline. A nil base is http.DefaultClient.
func Client(base *http.Client) *http.Client {
	if base == nil {
		base = http.DefaultClient
	}
	c := *base
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c.Jar = nil
	if c.Timeout <= 0 {
		c.Timeout = Timeout
	}
	return &c
}

// Answer is a whole answer, read within the bounds.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// JSON reports whether the answer's Content-Type is JSON. Issuers that send none are given the benefit of the doubt: the body must parse anyhow.
func (a *Answer) JSON() bool {
	ct := a.Header.Get("Content-Type")
	if ct == "" {
		return true
	}
	mt, _, err := mime.ParseMediaType(ct)
	if err != nil { // by its parameters, which say nothing that counts here: charset twice, or without a value
		mt, _, _ = strings.Cut(ct, ";")
		mt = strings.ToLower(strings.TrimSpace(mt))
	}
	return mt == "application/json" || strings.HasSuffix(mt, "+json")
}

// RetryAfter reads Retry-After (RFC 9110 §10.2.3): seconds or a date. Zero: not said. A number that is too large to be one of seconds still says "not soon".
func (a *Answer) RetryAfter(now time.Time) time.Duration {
	value := strings.TrimSpace(a.Header.Get("Retry-After"))
	seconds, err := strconv.ParseUint(value, 10, 31)
	if err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	// The issuer's own clock, where it says: the two may differ.
	if date, err := http.ParseTime(a.Header.Get("Date")); err == nil {
		now = date
	}
	return max(at.Sub(now), 0)
}

// Do sends req by client, which must come from Client, and reads the whole answer. Its errors are *Error and never hold anything the other side said.
func Do(client *http.Client, req *http.Request) (*Answer, error) {
	resp, err := client.Do(req)
	if err != nil {
		return nil, classify(req, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, MaxBody+1))
	if err != nil {
		return nil, classify(req, err)
	}
	if len(body) > MaxBody {
		return nil, &Error{Class: TooLarge, Host: req.URL.Host, text: "the answer is larger than 1 MiB"}
	}
	return &Answer{Status: resp.StatusCode, Header: resp.Header, Body: body}, nil
}

// Get is Do for a GET of JSON.
func Get(ctx context.Context, client *http.Client, url string) (*Answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, &Error{Class: Network, text: "the request can't be made"}
	}
	req.Header.Set("Accept", "application/json")
	return Do(client, req)
}
