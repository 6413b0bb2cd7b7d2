package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

// options are the flags. Variables stand for them where they are not given; an empty variable counts as not set.
type options struct {
	addr              string
	issuer            string
	audience          string
	skipAudienceCheck bool
	clientID          string
	clientSecretFile  string
	messagesURL       string
	interval          time.Duration
}

const usage = `archival-service asks messages-service to archive its messages: at the start and then at intervals, and when somebody with the role ADMIN asks for it.

Usage: archival-service [flags]

The environment variable that stands with a flag is read when the flag is not given. The client's secret comes from OAUTH_CLIENT_SECRET or from a file, never
from a flag: other users of a machine see flags.

`

// variables are the environment variables by the flags that they stand for.
var variables = map[string]string{
	"addr":         "ADDR",
	"issuer":       "OAUTH_SERVER",
	"audience":     "AUDIENCE",
	"client-id":    "OAUTH_CLIENT_ID",
	"messages-url": "MESSAGES_URL",
	"interval":     "INTERVAL",
}

// parseOptions reads the flags and the environment. For -h it writes help to stdout and returns flag.ErrHelp.
func parseOptions(args []string, stdout io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("archival-service", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // errors are told by the caller, in one line
	flags.Usage = func() {}
	flags.StringVar(&o.addr, "addr", "localhost:8282", "`host:port` to listen on [ADDR]")
	flags.StringVar(&o.issuer, "issuer", "http://localhost:9191/realms/sivalabs", "`URL` of the issuer, of the tokens it accepts and of its own [OAUTH_SERVER]")
	flags.StringVar(&o.audience, "audience", "archival-service", "`name` of this service in the tokens' aud; \"\" skips the check [AUDIENCE]")
	flags.BoolVar(&o.skipAudienceCheck, "skip-audience-check", false, "accept tokens that were issued for any other service")
	flags.StringVar(&o.clientID, "client-id", "archival-service", "`id` of this service as a client of the issuer [OAUTH_CLIENT_ID]")
	flags.StringVar(&o.clientSecretFile, "client-secret-file", "", "`path` of a file with the client's secret, instead of the variable OAUTH_CLIENT_SECRET")
	flags.StringVar(&o.messagesURL, "messages-url", "http://localhost:8181", "base `URL` of messages-service [MESSAGES_URL]")
	flags.DurationVar(&o.interval, "interval", 30*time.Second, "`time` from the end of one run of the job to the start of the next [INTERVAL]")

	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprint(stdout, usage)
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
				return o, fmt.Errorf("environment variable %s: %q: %w", variable, value, err)
			}
		}
	}
	if _, port, err := net.SplitHostPort(o.addr); err != nil || port == "" {
		return o, fmt.Errorf("-addr or ADDR is %q: want host:port, such as localhost:8282", o.addr)
	}
	if o.interval <= 0 {
		return o, fmt.Errorf("-interval or INTERVAL is %v: want more than nothing, such as 30s", o.interval)
	}
	if o.skipAudienceCheck && given["audience"] && o.audience != "" {
		return o, errors.New("-audience and -skip-audience-check contradict each other: give one")
	}
	if o.skipAudienceCheck || o.audience == "" { // an empty variable does not get here, so somebody wrote -audience ""
		o.skipAudienceCheck, o.audience = true, ""
	}
	return o, nil
}
