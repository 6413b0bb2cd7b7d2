// Command messages-service is a resource server: it accepts the tokens of one issuer, and decides by role who may do what.
//
//	messages-service -issuer http://localhost:9191/realms/sivalabs
//
// It needs no secret, and starts while the issuer is down. Package messages, beside this file, is the service itself; messages/messages.go shows how routes
// get their rules.
package main

import (
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

	"github.com/svcauth/svcauth/examples/messages-service/messages"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program with its exit code: 2 if it was called wrongly, 1 if something else went wrong.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	fail := func(code int, err error) int {
		fmt.Fprintf(stderr, "messages-service: %v\n", err)
		return code
	}
	o, err := parseOptions(args, stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return fail(2, err)
	}
	service, err := messages.New(messages.Config{
		Issuer:            o.issuer,
		Audience:          o.audience,
		SkipAudienceCheck: o.skipAudienceCheck,
		Logger:            slog.New(slog.NewTextHandler(stderr, nil)),
	})
	if err != nil {
		return fail(2, fmt.Errorf("%w (see -issuer and -audience)", err))
	}
	listener, err := net.Listen("tcp", o.addr)
	if err != nil {
		return fail(1, fmt.Errorf("%w: choose another address with -addr or ADDR", err))
	}
	if err := service.Serve(ctx, listener); err != nil {
		return fail(1, err)
	}
	return 0
}
