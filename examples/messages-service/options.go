package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
)

// options are the flags. Variables stand for them where they are not given; an empty variable counts as not set.
type options struct {
	addr              string
	issuer            string
	audience          string
	skipAudienceCheck bool
}

const usage = `messages-service keeps messages: everybody reads them, who has a token posts, who has the role ADMIN or ADMIN_JOB archives.

Usage: messages-service [flags]

The environment variable that stands with a flag is read when the flag is not given.

`

// variables are the environment variables by the flags that they stand for.
var variables = map[string]string{
	"addr":     "ADDR",
	"issuer":   "OAUTH_SERVER",
	"audience": "AUDIENCE",
}

// parseOptions reads the flags and the environment. For -h it writes help to stdout and returns flag.ErrHelp.
func parseOptions(args []string, stdout io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("messages-service", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // errors are told by the caller, in one line
	flags.Usage = func() {}
	flags.StringVar(&o.addr, "addr", "localhost:8181", "`host:port` to listen on [ADDR]")
	flags.StringVar(&o.issuer, "issuer", "http://localhost:9191/realms/sivalabs", "`URL` of the issuer, as it stands in the tokens' iss [OAUTH_SERVER]")
	flags.StringVar(&o.audience, "audience", "messages-service", "`name` of this service in the tokens' aud; \"\" skips the check [AUDIENCE]")
	flags.BoolVar(&o.skipAudienceCheck, "skip-audience-check", false, "accept tokens that were issued for any other service")

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
				return o, fmt.Errorf("environment variable %s: %w", variable, err)
			}
		}
	}
	if _, port, err := net.SplitHostPort(o.addr); err != nil || port == "" {
		return o, fmt.Errorf("-addr or ADDR is %q: want host:port, such as localhost:8181", o.addr)
	}
	if o.skipAudienceCheck && given["audience"] && o.audience != "" {
		return o, errors.New("-audience and -skip-audience-check contradict each other: give one")
	}
	if o.skipAudienceCheck || o.audience == "" { // an empty variable does not get here, so somebody wrote -audience ""
		o.skipAudienceCheck, o.audience = true, ""
	}
	return o, nil
}
