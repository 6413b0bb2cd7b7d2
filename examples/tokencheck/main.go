// Command tokencheck says why a resource server would refuse a token. It asks the issuer for one as a client would, or takes one that is there, shows what is
// in it, and what the library's two halves say about it:
//
//	tokencheck -client-id archival-service -audience messages-service -role ADMIN,ADMIN_JOB
//	kubectl exec … | tokencheck -token - -issuer https://keycloak.example.com/realms/sivalabs -audience messages-service
//
// It decides nothing itself: clientcreds.Source.Diagnose says why there is no token, resourceserver.Authenticator.Explain what becomes of one.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the program with its exit status: 0 if the token would be accepted, 1 if it would be refused or there is no verdict, 2 if the program was called
// wrongly and nothing was checked.
func run(ctx context.Context, args []string, stdin *os.File, stdout, stderr io.Writer) int {
	fail := func(status int, err error) int {
		if ctx.Err() != nil {
			status, err = 1, errors.New("interrupted")
		}
		fmt.Fprintf(stderr, "tokencheck: %v\n", err)
		return status
	}
	o, err := parseOptions(args, stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return fail(2, err)
	}
	server, err := newServer(o)
	if err != nil {
		return fail(2, err)
	}
	var r report
	if o.from == fromIssuer {
		client, err := newClient(ctx, o, stdin, stderr)
		if err != nil {
			return fail(2, err)
		}
		r = checkFetched(ctx, o.timeout, client, server)
	} else {
		token, err := readToken(ctx, o, stdin, stderr)
		if err != nil {
			return fail(2, err)
		}
		r = checkGiven(ctx, o.timeout, token, server)
	}
	if ctx.Err() != nil { // what was found then tells of the interruption only
		return fail(1, ctx.Err())
	}
	if o.json {
		err = r.writeJSON(stdout)
	} else {
		err = r.writeText(stdout, isColoured(stdout))
	}
	switch {
	case err != nil:
		return fail(1, err)
	case r.Result != accepted:
		return 1
	}
	return 0
}
