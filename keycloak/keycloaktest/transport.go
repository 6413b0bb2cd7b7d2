package keycloaktest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// Transport answers requests to URL in memory, without a connection: for a testing/synctest bubble, whose clock stands still while a goroutine in it waits for
// the network. Make the Server outside the bubble, or with Config.InMemory. What Transport is asked counts, and fails, as what comes by the network does; delays
// take the time of the bubble's clock.
func (s *Server) Transport() http.RoundTripper { return memory{s} }

type memory struct{ server *Server }

var errClosed = errors.New("keycloaktest: the server is down: connection closed without an answer")

func (m memory) RoundTrip(req *http.Request) (response *http.Response, err error) {
	if req.Body != nil {
		defer req.Body.Close()
	}
	if origin := req.URL.Scheme + "://" + req.URL.Host; origin != m.server.URL {
		return nil, fmt.Errorf("keycloaktest: a request to %q, where this transport only reaches %q", origin, m.server.URL)
	}
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	out := &recorder{header: http.Header{}, status: http.StatusOK}
	defer func() {
		if p := recover(); p == http.ErrAbortHandler { //nolint:errorlint // a panic's value is this very one
			response, err = nil, errClosed
			if gone := req.Context().Err(); gone != nil {
				err = gone
			}
		} else if p != nil {
			panic(p)
		}
	}()
	in := req.Clone(req.Context())
	in.RemoteAddr, in.RequestURI = "127.0.0.1:0", req.URL.RequestURI()
	if in.Body == nil {
		in.Body = http.NoBody
	}
	if in.Method == "" {
		in.Method = http.MethodGet
	}
	m.server.ServeHTTP(out, in)
	if in.Method == http.MethodHead {
		out.body.Reset()
	}
	return out.response(req), nil
}

// recorder keeps an answer. httptest has one, with a command-line flag that a program which only embeds a realm would inherit.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
	rest   io.Reader // what comes after body; nil: the end
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(p []byte) (int, error) { return r.body.Write(p) }

func (r *recorder) response(req *http.Request) *http.Response {
	for name, values := range r.header {
		if len(values) == 0 {
			r.header.Del(name)
		}
	}
	length := int64(r.body.Len())
	body := io.Reader(&r.body)
	if r.rest != nil {
		body = io.MultiReader(&r.body, r.rest)
		if n, err := strconv.ParseInt(r.header.Get("Content-Length"), 10, 64); err == nil {
			length = n
		}
	}
	return &http.Response{
		Status: fmt.Sprintf("%d %s", r.status, http.StatusText(r.status)), StatusCode: r.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: r.header, Body: io.NopCloser(body), ContentLength: length, Request: req,
	}
}

// broken is a body that ends too early.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// stuck is a body that goes on only when nobody waits for it any more.
type stuck struct{ done context.Context } //nolint:containedctx // the request's, as long as its body is read

func (s stuck) Read([]byte) (int, error) {
	<-s.done.Done()
	return 0, s.done.Err()
}
