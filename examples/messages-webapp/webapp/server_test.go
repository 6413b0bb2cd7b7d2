package webapp

import (
	"context"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestServeLetsRequestsFinish(t *testing.T) {
	st := newStory(t)
	inside, finish := make(chan struct{}), make(chan struct{})
	st.app.handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(inside)
		<-finish
		w.WriteHeader(http.StatusTeapot)
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, end := context.WithCancel(t.Context())
	defer end()
	served := make(chan error, 1)
	go func() { served <- st.app.Serve(ctx, listener) }()
	status := make(chan int, 1)
	go func() {
		resp, err := http.Get("http://" + listener.Addr().String())
		if err != nil {
			status <- 0
			return
		}
		resp.Body.Close()
		status <- resp.StatusCode
	}()
	<-inside
	end()
	assert.Eventually(t, func() bool { _, err := net.Dial("tcp", listener.Addr().String()); return err != nil }, 5*time.Second, 10*time.Millisecond, "no more connections")
	close(finish)
	assert.Equal(t, http.StatusTeapot, <-status)
	assert.NoError(t, <-served)
}

func TestServeReportsABrokenListener(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	assert.ErrorContains(t, newStory(t).app.Serve(t.Context(), listener), "can't serve")
}
