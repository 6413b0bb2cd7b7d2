package keycloaktest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// Transport answers requests to URL in memory, without a connection: for a testing/synctest bubble, whose clock stands still while a goroutine in it waits for
// the network. Make the Server outside the bubble. What Transport is asked counts, and fails, as what comes by the network does.
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
	defer func() {
		if p := recover(); p == http.ErrAbortHandler { //nolint:errorlint // a panic's value is this very one
			response, err = nil, errClosed
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
	out := &recorder{header: http.Header{}, status: http.StatusOK}
	m.server.ServeHTTP(out, in)
	if in.Method == http.MethodHead {
		out.body.Reset()
	}
	return &http.Response{
		Status: fmt.Sprintf("%d %s", out.status, http.StatusText(out.status)), StatusCode: out.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: out.header, Body: io.NopCloser(&out.body), ContentLength: int64(out.body.Len()), Request: req,
	}, nil
}

// recorder keeps an answer. httptest has one, with a command-line flag that a program which only embeds a realm would inherit.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(p []byte) (int, error) { return r.body.Write(p) }
