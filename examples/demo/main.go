// Command demo runs a realm, messages-service and archival-service in one process, to be watched and tried with curl:
//
//	go run ./examples/demo
//
// With -issuer it uses a real Keycloak that has examples/realm/sivalabs-realm.json instead of the embedded realm.
package main

import (
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

	"github.com/svcauth/svcauth/examples/archival-service/archival"
	"github.com/svcauth/svcauth/examples/messages-service/messages"
	"github.com/svcauth/svcauth/examples/realm"
	"github.com/svcauth/svcauth/keycloak/keycloaktest"
)

// demoSecret is the secret that realm/sivalabs-realm.json, a public file, gives archival-service.
const demoSecret = "archival-service-demo-secret"

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
	issuer, secret := o.issuer, cmp.Or(os.Getenv("OAUTH_CLIENT_SECRET"), demoSecret)
	if o.issuer == "" {
		server, err := keycloaktest.Start(keycloaktest.Config{RealmJSON: realm.JSON, Addr: o.realmAddr})
		if err != nil {
			return fail(1, fmt.Errorf("%w: choose another address with -realm-addr", err))
		}
		defer server.Close()
		issuer, secret = server.Issuer(), demoSecret
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
		ClientSecret: func(context.Context) ([]byte, error) { return []byte(secret), nil },
		MessagesURL:  messagesURL,
		Interval:     o.interval,
		Logger:       logger.With("service", "archival-service"),
	})
	if err != nil {
		return fail(2, fmt.Errorf("%w (see -issuer)", err))
	}
	printAddresses(stdout, o.issuer == "", issuer, messagesURL, archivalURL)

	err = together(ctx,
		func(ctx context.Context) error { return messagesService.Serve(ctx, messagesListener) },
		func(ctx context.Context) error { return archivalService.Serve(ctx, archivalListener) },
	)
	if err != nil {
		return fail(1, err)
	}
	return 0
}

// together runs both until ctx ends; if one of them ends before, so does the other.
func together(ctx context.Context, one, other func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error)
	go func() { ended <- one(ctx) }()
	go func() { ended <- other(ctx) }()
	first := <-ended
	cancel()
	return errors.Join(first, <-ended)
}
