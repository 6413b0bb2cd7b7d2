package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"time"
)

type options struct {
	issuer       string // empty: an embedded realm
	realmAddr    string
	messagesAddr string
	archivalAddr string
	webappAddr   string
	interval     time.Duration
}

const usage = `demo runs an embedded realm, messages-service, archival-service and messages-webapp in one process, until Ctrl-C.

Usage: demo [flags]

With -issuer, the secret of archival-service is read from OAUTH_CLIENT_SECRET, and that of messages-webapp from WEBAPP_CLIENT_SECRET; where they are not set,
those of examples/realm/sivalabs-realm.json count. A real Keycloak lets people sign in only where its realm says that the app is, http://localhost:8080.

`

// parseOptions reads the flags. For -h it writes help to stdout and returns flag.ErrHelp.
func parseOptions(args []string, stdout io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // errors are told by the caller, in one line
	flags.Usage = func() {}
	flags.StringVar(&o.issuer, "issuer", "", "`URL` of a real Keycloak's realm, such as http://localhost:9191/realms/sivalabs, to use instead of an embedded one")
	flags.StringVar(&o.realmAddr, "realm-addr", "localhost:9191", "`host:port` of the embedded realm")
	flags.StringVar(&o.messagesAddr, "messages-addr", "localhost:8181", "`host:port` of messages-service")
	flags.StringVar(&o.archivalAddr, "archival-addr", "localhost:8282", "`host:port` of archival-service")
	flags.StringVar(&o.webappAddr, "webapp-addr", "localhost:8080", "`host:port` of messages-webapp")
	flags.DurationVar(&o.interval, "interval", 30*time.Second, "`time` from the end of one run of the archival job to the start of the next")
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
	if o.interval <= 0 {
		return o, fmt.Errorf("-interval is %v: want more than nothing, such as 30s", o.interval)
	}
	for _, addr := range []struct{ name, value string }{
		{"-realm-addr", o.realmAddr}, {"-messages-addr", o.messagesAddr}, {"-archival-addr", o.archivalAddr},
		{"-webapp-addr", o.webappAddr},
	} {
		host, port, err := net.SplitHostPort(addr.value)
		if err != nil || host == "" || port == "" {
			return o, fmt.Errorf("%s is %q: want host:port, such as localhost:8080", addr.name, addr.value)
		}
	}
	return o, nil
}
