// Command demo runs a realm, both services and the web app in one process, to be watched, and tried with a browser or curl:
//
//	go run ./examples/demo
//
// With -issuer it uses a real Keycloak that has examples/realm/sivalabs-realm.json instead of the embedded realm.
package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/svcauth/svcauth/clientcreds"
	"github.com/svcauth/svcauth/examples/archival-service/archival"
	"github.com/svcauth/svcauth/examples/messages-service/messages"
	"github.com/svcauth/svcauth/examples/messages-webapp/webapp"
	"github.com/svcauth/svcauth/examples/realm"
	"github.com/svcauth/svcauth/keycloak/keycloaktest"
)

// What realm/sivalabs-realm.json, a public file, says of its clients.
const (
	demoSecret       = "archival-service-demo-secret"
	demoWebappSecret = "messages-webapp-demo-secret"
	demoWebappURL    = "http://localhost:8080"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program with its exit code: 2 if it was called wrongly, 1 if something else went wrong.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	fail := func(code int, err error) int {
		fmt.Fprintf(stderr, "demo: %v\n", err)
		return code
	}
	o, err := parseOptions(args, stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return fail(2, err)
	}
	// Every address is opened before anything runs, so that a taken port is the only thing one reads.
	messagesListener, messagesURL, err := listen(o.messagesAddr, "-messages-addr")
	if err != nil {
		return fail(1, err)
	}
	defer messagesListener.Close()
	archivalListener, archivalURL, err := listen(o.archivalAddr, "-archival-addr")
	if err != nil {
		return fail(1, err)
	}
	defer archivalListener.Close()
	webappListener, webappURL, err := listen(o.webappAddr, "-webapp-addr")
	if err != nil {
		return fail(1, err)
	}
	defer webappListener.Close()
	issuer, secret, webappSecret := o.issuer, cmp.Or(os.Getenv("OAUTH_CLIENT_SECRET"), demoSecret), cmp.Or(os.Getenv("WEBAPP_CLIENT_SECRET"), demoWebappSecret)
	if o.issuer == "" {
		// People are sent back only to where the realm says that the app is.
		json := bytes.ReplaceAll(realm.JSON, []byte(demoWebappURL), []byte(webappURL))
		server, err := keycloaktest.Start(keycloaktest.Config{RealmJSON: json, Addr: o.realmAddr})
		if err != nil {
			return fail(1, fmt.Errorf("%w: choose another address with -realm-addr", err))
		}
		defer server.Close()
		issuer, secret, webappSecret = server.Issuer(), demoSecret, demoWebappSecret
	}

	logger := slog.New(slog.NewTextHandler(stderr, nil))
	messagesService, err := messages.New(messages.Config{
		Issuer:   issuer,
		Audience: "messages-service",
		Logger:   logger.With("service", "messages-service"),
	})
	if err != nil {
		return fail(2, fmt.Errorf("%w (see -issuer)", err))
	}
	archivalService, err := archival.New(archival.Config{
		Issuer:       issuer,
		Audience:     "archival-service",
		ClientID:     "archival-service",
		ClientSecret: literal(secret),
		MessagesURL:  messagesURL,
		Interval:     o.interval,
		Logger:       logger.With("service", "archival-service"),
	})
	if err != nil {
		return fail(2, fmt.Errorf("%w (see -issuer)", err))
	}
	app, err := webapp.New(webapp.Config{
		BaseURL:      webappURL,
		Issuer:       issuer,
		ClientID:     "messages-webapp",
		ClientSecret: literal(webappSecret),
		MessagesURL:  messagesURL,
		ArchivalURL:  archivalURL,
		Logger:       logger.With("service", "messages-webapp"),
	})
	if err != nil {
		return fail(2, fmt.Errorf("%w (see -issuer)", err))
	}
	shownSecret := demoSecret
	if secret != demoSecret {
		shownSecret = `"$OAUTH_CLIENT_SECRET"`
	}
	printAddresses(stdout, addresses{embedded: o.issuer == "", shownSecret: shownSecret, issuer: issuer, webapp: webappURL, messages: messagesURL, archival: archivalURL})

	err = together(ctx,
		func(ctx context.Context) error { return messagesService.Serve(ctx, messagesListener) },
		func(ctx context.Context) error { return archivalService.Serve(ctx, archivalListener) },
		func(ctx context.Context) error { return app.Serve(ctx, webappListener) },
	)
	if err != nil {
		return fail(1, err)
	}
	return 0
}

func literal(secret string) clientcreds.Secret {
	return func(context.Context) ([]byte, error) { return []byte(secret), nil }
}

// together runs all until ctx ends; if one of them ends before, so do the others.
func together(ctx context.Context, all ...func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error)
	for _, one := range all {
		go func() { ended <- one(ctx) }()
	}
	var errs []error
	for range all {
		errs = append(errs, <-ended)
		cancel()
	}
	return errors.Join(errs...)
}
