// Command messages-webapp is where people read and post messages. They sign in at the issuer, and it calls the two services with the person's token.
//
//	OAUTH_CLIENT_SECRET=messages-webapp-demo-secret messages-webapp
//
// It starts while the issuer and the services are down. Package webapp, beside this file, is the app itself; webapp/webapp.go shows its routes.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/svcauth/svcauth/clientcreds"
	"github.com/svcauth/svcauth/examples/messages-webapp/webapp"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program with its exit code: 2 if it was called wrongly, 1 if something else went wrong.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	fail := func(code int, err error) int {
		_, _ = fmt.Fprintf(stderr, "messages-webapp: %v\n", err)
		return code
	}
	o, err := parseOptions(args, stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return fail(2, err)
	}
	// Read once now, so that a missing secret shows at the start. Later it is read for every token request: a changed file needs no restart.
	secret, code := clientcreds.FromEnv("OAUTH_CLIENT_SECRET"), 2
	if o.clientSecretFile != "" {
		secret, code = clientcreds.FromFile(o.clientSecretFile), 1
	}
	if _, err := secret(ctx); err != nil {
		return fail(code, fmt.Errorf("%w: put the secret of client %q into OAUTH_CLIENT_SECRET, or into the file that -client-secret-file names", err, o.clientID))
	}
	app, err := webapp.New(webapp.Config{
		BaseURL:      cmp.Or(o.baseURL, baseURLOf(o.addr)),
		Issuer:       o.issuer,
		ClientID:     o.clientID,
		ClientSecret: secret,
		MessagesURL:  o.messagesURL,
		ArchivalURL:  o.archivalURL,
		Logger:       slog.New(slog.NewTextHandler(stderr, nil)),
	})
	if err != nil {
		return fail(2, fmt.Errorf("%w (-h lists the flags)", err))
	}
	listener, err := net.Listen("tcp", o.addr)
	if err != nil {
		return fail(1, fmt.Errorf("%w: choose another address with -addr or ADDR", err))
	}
	if err := app.Serve(ctx, listener); err != nil {
		return fail(1, err)
	}
	return 0
}
