package archival

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// shutdownTimeout is how long requests under way may take once the service is to end.
const shutdownTimeout = 5 * time.Second

// Serve runs the job and answers on listener until ctx ends. Then it cuts off a running job, lets the requests under way finish, and returns nil. It closes
// listener.
func (s *Service) Serve(ctx context.Context, listener net.Listener) error {
	server := s.server()
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	s.logger.Info("archival-service is ready", "addr", listener.Addr().String())

	jobs, endJobs := context.WithCancel(ctx)
	var job sync.WaitGroup
	job.Go(func() { s.runJob(jobs) })
	defer job.Wait()
	defer endJobs()

	select {
	case err := <-served:
		return fmt.Errorf("can't serve: %w", err)
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		server.Close()
		s.logger.Warn("requests under way were cut off", "after", shutdownTimeout)
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("can't serve: %w", err)
	}
	return nil
}

// server bounds what a client can take up: time, connections at rest, header bytes.
func (s *Service) server() *http.Server {
	return &http.Server{
		Handler:                      s,
		ReadHeaderTimeout:            5 * time.Second,
		ReadTimeout:                  10 * time.Second,
		WriteTimeout:                 30 * time.Second, // a request may wait for the issuer's keys, then for messages-service
		IdleTimeout:                  2 * time.Minute,
		MaxHeaderBytes:               32 << 10, // tokens have up to 16 KiB
		DisableGeneralOptionsHandler: true,     // it would answer OPTIONS * to strangers
		ErrorLog:                     slog.NewLogLogger(s.logger.Handler(), slog.LevelWarn),
	}
}

// withSecurityHeaders tells browsers and proxies to take answers for the data they are, and to keep none.
func withSecurityHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		next.ServeHTTP(w, r)
	})
}

// writeProblem answers with a problem (RFC 9457), as the resource server does for what it refuses.
func writeProblem(w http.ResponseWriter, status int, detail string) {
	send(w, status, "application/problem+json", struct {
		Type   string `json:"type"`
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail"`
	}{"about:blank", http.StatusText(status), status, detail})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	send(w, status, "application/json", body)
}

func send(w http.ResponseWriter, status int, contentType string, body any) {
	data, err := json.Marshal(body)
	if err != nil {
		panic(fmt.Sprintf("archival: an answer can't be encoded: %v", err)) // can't happen: answers are structs of texts and numbers
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	w.WriteHeader(status)
	_, _ = w.Write(data) // the client may be gone; nobody is left to tell
}
