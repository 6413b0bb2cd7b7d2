package compare

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"syscall"
)

// network is all there is: requests reach handlers by host name, and nothing leaves the process. It works in virtual time.
type network struct {
	mu    sync.Mutex // guards the following
	hosts map[string]http.Handler
	down  bool // refuses connections
	hangs bool // accepts them and says nothing

	read atomic.Int64 // bytes of answers that somebody read
}

func (n *network) client() *http.Client { return &http.Client{Transport: n} }

func (n *network) set(change func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	change()
}

// RoundTrip implements http.RoundTripper.
func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err // else a handler that answers at once could win below
	}
	n.mu.Lock()
	handler, down, hangs := n.hosts[r.URL.Host], n.down, n.hangs
	n.mu.Unlock()
	var body []byte
	if r.Body != nil {
		defer r.Body.Close()
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	if hangs {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	if down || handler == nil {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	received := r.Clone(r.Context())
	received.Host, received.Body = r.URL.Host, io.NopCloser(bytes.NewReader(body))
	answers := make(chan *http.Response, 1)
	go func() {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, received)
		answers <- w.Result()
	}()
	select {
	case <-r.Context().Done():
		return nil, r.Context().Err()
	case answer := <-answers:
		answer.Request = r
		answer.Body = struct {
			io.Reader
			io.Closer
		}{io.TeeReader(answer.Body, counter{&n.read}), answer.Body}
		return answer, nil
	}
}

type counter struct{ count *atomic.Int64 }

// Write implements io.Writer.
func (c counter) Write(p []byte) (int, error) {
	c.count.Add(int64(len(p)))
	return len(p), nil
}
