package clientcreds

import (
	"io"
	"net/http"
	"strings"
	"time"
)

// Transport returns a RoundTripper that puts the source's token on the requests that base then sends. base is not modified; nil is http.DefaultTransport.
// Most programs want [Source.Client].
//
// A request that brings an Authorization field is passed on as it is. A 401 that says the token is invalid asks for one refresh; the request is sent once
// more if that brings another token and its body can be made again (it has none, or GetBody is set, as http.NewRequest does for buffers, byte and string
// readers).
//
// base must send one request and return its answer, as http.RoundTripper says. One that follows redirects itself, an http.Client in disguise, takes the token
// wherever they lead, and this transport can't see it.
func (s *Source) Transport(base http.RoundTripper) http.RoundTripper {
	return &transport{source: s, base: base}
}

// Client returns a copy of base whose requests carry the source's token. Its timeout, cookies and redirect policy are base's; nil is http.DefaultClient,
// which has no timeout.
func (s *Source) Client(base *http.Client) *http.Client {
	if base == nil {
		base = http.DefaultClient
	}
	c := *base
	c.Transport = s.Transport(base.Transport)
	return &c
}

type transport struct {
	source *Source
	base   http.RoundTripper
}

func (t *transport) roundTripper() http.RoundTripper {
	if t.base == nil {
		return http.DefaultTransport
	}
	return t.base
}

// CloseIdleConnections lets http.Client.CloseIdleConnections reach base.
func (t *transport) CloseIdleConnections() {
	if c, ok := t.roundTripper().(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	s := t.source
	// A URL with user information is no pass-through as far as Origins go: net/http made the field of it, and "https://api.example@evil.example" looks like
	// the first to the eye.
	if req.URL == nil || authorized(req.Header) && (req.URL.User == nil || s.target == nil || s.target.open(req)) {
		return t.pass(req)
	}
	if s.cache == nil {
		closeBody(req)
		return nil, s.unusable()
	}
	carry, err := s.target.mayCarry(req)
	if err != nil {
		closeBody(req)
		return nil, err
	}
	if !carry {
		return t.pass(req)
	}
	h, err := s.get(req.Context())
	if err != nil {
		closeBody(req)
		return nil, err
	}
	resp, err := t.send(req, h, req.Body)
	if err != nil || resp == nil {
		return resp, err
	}
	if !s.refused(resp) {
		if accepts(resp) {
			s.cache.asks.accepted(originOf(req.URL), h)
		}
		return resp, nil
	}
	return t.replay(req, h, resp)
}

// pass sends req without a token.
func (t *transport) pass(req *http.Request) (*http.Response, error) {
	resp, err := t.roundTripper().RoundTrip(req)
	return follows(req, resp), err
}

// follows sees to it that a redirect names the request that it answers, which is what the next hop is judged by: a base may have sent one of its own making,
// with no way back to the first.
func follows(req *http.Request, resp *http.Response) *http.Response {
	if resp != nil && resp.StatusCode >= 300 && resp.StatusCode < 400 {
		resp.Request = req
	}
	return resp
}

// replay answers a request whose token h was refused with first. It returns first, untouched, unless it has another token in hand.
func (t *transport) replay(req *http.Request, h *held, first *http.Response) (*http.Response, error) {
	c, o := t.source.cache, originOf(req.URL)
	if !c.asks.ask(o, h, time.Now()) {
		return first, nil
	}
	hasBody := req.Body != nil && req.Body != http.NoBody
	if hasBody && req.GetBody == nil {
		if c.refuse(h.value, false) {
			c.flight.Start() // for the requests to come
		}
		return first, nil
	}
	replacement := c.replace(req.Context(), h)
	if replacement == nil || req.Context().Err() != nil {
		return first, nil
	}
	body := req.Body
	if hasBody {
		var err error
		if body, err = req.GetBody(); err != nil {
			return first, nil
		}
	}
	drain(first)
	second, err := t.send(req, replacement, body)
	if err != nil || second == nil {
		return second, err
	}
	if t.source.refused(second) {
		c.asks.refusedAgain(o, replacement, time.Now())
	} else if accepts(second) {
		c.asks.accepted(o, replacement)
	}
	return second, nil
}

// refused reports whether the answer means that the token is no good.
func (s *Source) refused(resp *http.Response) bool {
	if resp.StatusCode != http.StatusUnauthorized {
		return false
	}
	return saysInvalidToken(resp.Header) || s.client.refreshOn401 != nil && s.client.refreshOn401(resp)
}

// accepts reports whether the answer shows that the service took the token for valid: it came to another decision. Gateways' errors show nothing.
func accepts(resp *http.Response) bool {
	return resp.StatusCode != http.StatusUnauthorized && resp.StatusCode < 500
}

// carried is a request and the token on it, in one allocation.
type carried struct {
	request       http.Request
	authorization [1]string
}

// send sends a copy of req with h's token. A RoundTripper must not modify the request, so header fields are copied; their values are shared, for base must
// not modify them either, and what a base adds all the same goes to a list of its own. The token is a value of this request alone.
func (t *transport) send(req *http.Request, h *held, body io.ReadCloser) (*http.Response, error) {
	c := &carried{request: *req, authorization: [1]string{h.header}}
	header := make(http.Header, len(req.Header)+1)
	for name, values := range req.Header {
		header[name] = values[:len(values):len(values)]
	}
	header["Authorization"] = c.authorization[:1:1]
	c.request.Header = header
	c.request.Body = body
	resp, err := t.roundTripper().RoundTrip(&c.request)
	if err != nil || resp == nil {
		return resp, err
	}
	if resp.Request == &c.request { // people print it
		resp.Request = req
	}
	return follows(req, resp), nil
}

// authorized reports whether the caller has set an Authorization field, in any spelling: a map may hold what Header.Set would not.
func authorized(header http.Header) bool {
	const name = "Authorization"
	if _, ok := header[name]; ok {
		return true
	}
	for key := range header {
		if len(key) == len(name) && strings.EqualFold(key, name) {
			return true
		}
	}
	return false
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		req.Body.Close()
	}
}

// maxDrain is how much of an answer is read so that its connection can be used again, in bytes: what net/http reads itself in that case.
const maxDrain = 2 << 10

// drain reads a short body to its end. One of unknown length may come for ever, and the replay would wait for it: then a new connection costs less.
func drain(resp *http.Response) {
	if resp.Body == nil {
		return
	}
	if resp.ContentLength >= 0 && resp.ContentLength <= maxDrain {
		_, _ = io.CopyN(io.Discard, resp.Body, maxDrain)
	}
	resp.Body.Close()
}
