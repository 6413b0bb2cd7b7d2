package webapp

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// shutdownTimeout is how long requests under way may take once the app is to end.
const shutdownTimeout = 5 * time.Second

// Serve answers on listener until ctx ends, lets the requests under way finish, and returns nil. It closes listener.
func (a *App) Serve(ctx context.Context, listener net.Listener) error {
	server := a.server()
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	a.logger.Info("messages-webapp is ready", "url", a.base.String(), "addr", listener.Addr().String())
	select {
	case err := <-served:
		return fmt.Errorf("can't serve: %w", err)
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		server.Close()
		a.logger.Warn("requests under way were cut off", "after", shutdownTimeout)
	}
	<-served //nolint:errcheck // it is ErrServerClosed
	return nil
}

// server bounds what a client can take up: time, connections at rest, header bytes.
func (a *App) server() *http.Server {
	return &http.Server{
		Handler:                      a,
		ReadHeaderTimeout:            5 * time.Second,
		ReadTimeout:                  30 * time.Second,
		WriteTimeout:                 time.Minute, // a request may wait for a new token, and then for the services
		IdleTimeout:                  2 * time.Minute,
		MaxHeaderBytes:               32 << 10,
		DisableGeneralOptionsHandler: true, // OPTIONS * gets a page like every other unknown address
		ErrorLog:                     slog.NewLogLogger(a.logger.Handler(), slog.LevelWarn),
	}
}
