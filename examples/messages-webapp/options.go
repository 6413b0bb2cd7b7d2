package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
)

// options are the flags. Each but the secret's file is also an environment variable; the flag wins, and an empty variable counts as not set.
type options struct {
	addr             string
	baseURL          string
	issuer           string
	clientID         string
	clientSecretFile string
	messagesURL      string
	archivalURL      string
}

const usage = `messages-webapp shows messages to everybody, lets people sign in and post, and lets those with the role ADMIN have all messages archived.

Usage: messages-webapp [flags]

The environment variable that stands with a flag is read when the flag is not given. The client's secret comes from OAUTH_CLIENT_SECRET or from a file, never
from a flag: other users of a machine see flags.

`

// variables are the environment variables by the flags that they stand for.
var variables = map[string]string{
	"addr":         "ADDR",
	"base-url":     "BASE_URL",
	"issuer":       "OAUTH_SERVER",
	"client-id":    "OAUTH_CLIENT_ID",
	"messages-url": "MESSAGES_URL",
	"archival-url": "ARCHIVAL_URL",
}

// parseOptions reads the flags and the environment. For -h it writes help to stdout and returns flag.ErrHelp.
func parseOptions(args []string, stdout io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("messages-webapp", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // errors are told by the caller, in one line
	flags.Usage = func() {}
	flags.StringVar(&o.addr, "addr", "localhost:8080", "`host:port` to listen on [ADDR]")
	flags.StringVar(&o.baseURL, "base-url", "", "`URL` under which browsers reach this app, if a proxy stands before it; else it is made from -addr [BASE_URL]")
	flags.StringVar(&o.issuer, "issuer", "http://localhost:9191/realms/sivalabs", "`URL` of the issuer where people sign in [OAUTH_SERVER]")
	flags.StringVar(&o.clientID, "client-id", "messages-webapp", "`id` of this app as a client of the issuer [OAUTH_CLIENT_ID]")
	flags.StringVar(&o.clientSecretFile, "client-secret-file", "", "`path` of a file with the client's secret, instead of the variable OAUTH_CLIENT_SECRET")
	flags.StringVar(&o.messagesURL, "messages-url", "http://localhost:8181", "base `URL` of messages-service [MESSAGES_URL]")
	flags.StringVar(&o.archivalURL, "archival-url", "http://localhost:8282", "base `URL` of archival-service [ARCHIVAL_URL]")

	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			_, _ = fmt.Fprint(stdout, usage)
			flags.SetOutput(stdout)
			flags.PrintDefaults()
			return o, err
		}
		return o, fmt.Errorf("%w (-h lists the flags)", err)
	}
	if flags.NArg() > 0 {
		return o, errors.New("unexpected argument: this program takes only flags (-h lists them)")
	}
	given := map[string]bool{}
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	for name, variable := range variables {
		if value := os.Getenv(variable); value != "" && !given[name] {
			if err := flags.Set(name, value); err != nil {
				return o, fmt.Errorf("environment variable %s: %w", variable, err)
			}
		}
	}
	if _, port, err := net.SplitHostPort(o.addr); err != nil || port == "" {
		return o, fmt.Errorf("-addr or ADDR is %q: want host:port, such as localhost:8080", o.addr)
	}
	return o, nil
}

// baseURLOf is where a browser on this machine finds addr: an address that stands for all of the machine's is reached as localhost.
func baseURLOf(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return ""
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}
