// Command minimal-client calls a service with a token of its own, and prints what it answers. It is told the token endpoint, so it needs no discovery:
//
//	export OAUTH_TOKEN_URL=http://localhost:9191/realms/sivalabs/protocol/openid-connect/token
//	export OAUTH_CLIENT_ID=archival-service OAUTH_CLIENT_SECRET=archival-service-demo-secret
//	minimal-client POST http://localhost:8181/api/messages/archive
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/svcauth/svcauth/clientcreds"
)

const usage = `minimal-client calls a URL with a token of its own, and prints status and body.

Usage: minimal-client [flags] [[METHOD] URL]

METHOD is GET if it is left out; without arguments it is POST http://localhost:8181/api/messages/archive.
The client's secret comes from OAUTH_CLIENT_SECRET or from a file. The exit code is 0 for a 2xx answer, 2 for a wrong call, else 1.

`

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	fail := func(code int, err error) int {
		hint := ""
		if failed := (*clientcreds.Error)(nil); errors.As(err, &failed) {
			failed.RetryIn = 0 // there is no next attempt: the program ends
			if failed.Hint != "" {
				hint = " (" + failed.Hint + ")"
			}
		}
		fmt.Fprintf(stderr, "minimal-client: %v%s\n", err, hint)
		return code
	}
	flags := flag.NewFlagSet("minimal-client", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	tokenURL := flags.String("token-url", "", "`URL` of the token endpoint [OAUTH_TOKEN_URL]")
	clientID := flags.String("client-id", "", "`id` of the client [OAUTH_CLIENT_ID]")
	secretFile := flags.String("client-secret-file", "", "`path` of a file with the client's secret, instead of OAUTH_CLIENT_SECRET")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, usage)
		flags.SetOutput(stdout)
		flags.PrintDefaults()
		return 0
	} else if err != nil {
		return fail(2, fmt.Errorf("%w (-h lists the flags)", err))
	}
	method, url := http.MethodPost, "http://localhost:8181/api/messages/archive"
	switch flags.NArg() {
	case 0:
	case 1:
		method, url = http.MethodGet, flags.Arg(0)
	case 2:
		method, url = flags.Arg(0), flags.Arg(1)
	default:
		return fail(2, errors.New("too many arguments: want METHOD URL, or URL alone"))
	}

	secret := clientcreds.FromEnv("OAUTH_CLIENT_SECRET")
	if *secretFile != "" {
		secret = clientcreds.FromFile(*secretFile)
	}
	if _, err := secret(context.Background()); err != nil {
		return fail(2, fmt.Errorf("%w: set it, or name a file with -client-secret-file", err))
	}
	source, err := clientcreds.New(clientcreds.Config{
		TokenURL: cmp.Or(*tokenURL, os.Getenv("OAUTH_TOKEN_URL")),
		ClientID: cmp.Or(*clientID, os.Getenv("OAUTH_CLIENT_ID")),
		Auth:     clientcreds.SecretBasic{Secret: secret},
		Logger:   slog.New(slog.DiscardHandler), // errors are told below, in one line
	})
	if err != nil {
		return fail(2, fmt.Errorf("%w (see -token-url or OAUTH_TOKEN_URL, -client-id or OAUTH_CLIENT_ID)", err))
	}
	client := source.Client(&http.Client{Timeout: 10 * time.Second})
	req, err := http.NewRequest(method, url, nil)
	if err != nil {
		return fail(2, errors.New("METHOD or URL is malformed")) // not echoed: there may be a password in it
	}
	resp, err := client.Do(req)
	if err != nil {
		return fail(1, err)
	}
	defer resp.Body.Close()
	fmt.Fprintln(stdout, resp.Status)
	if _, err := io.Copy(stdout, io.LimitReader(resp.Body, 1<<20)); err != nil {
		return fail(1, err)
	}
	fmt.Fprintln(stdout)
	if resp.StatusCode/100 != 2 {
		return 1
	}
	return 0
}
