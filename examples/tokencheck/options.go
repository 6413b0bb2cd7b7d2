package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/svcauth/svcauth/resourceserver"
)

// options are the flags. Variables stand for them where they are not given; an empty variable counts as not set. No secret and no token is among them.
type options struct {
	from      origin
	tokenFile string // "-" is stdin

	// How to ask for a token.
	issuer           string // of both halves
	tokenURL         string
	clientID         string
	clientSecretFile string
	authMethod       string
	requestScopes    list
	requestParams    list // each one name=value

	// The resource server.
	audiences         list
	skipAudienceCheck bool
	jwksURL           string
	algorithms        list
	leeway            time.Duration
	clientRoles       list
	rolesClaims       list
	roles             list // each one a rule; commas in one: any of them
	scopes            list // each one a rule

	allowHTTP list
	timeout   time.Duration
	json      bool
}

// origin is where the token comes from.
type origin string

const (
	fromIssuer   origin = "issuer"
	fromFile     origin = "file" // or stdin
	fromVariable origin = "variable"
)

// list is a flag that may be given again.
type list []string

func (l *list) String() string { return strings.Join(*l, " ") }

// Set adds one value.
func (l *list) Set(value string) error {
	*l = append(*l, value)
	return nil
}

const usage = `tokencheck says why a resource server would refuse a token. It asks the issuer for a token with -client-id, or takes one with -token.

Usage: tokencheck [flags]

The environment variable that stands with a flag is read when the flag is not given; where a flag may be given again, the variable has several values with
spaces between them. The client's secret comes from OAUTH_CLIENT_SECRET, from a file, or from the terminal; a token comes from TOKEN, from a file or from
stdin. Neither is ever a flag: other users of a machine see flags.

What it prints names people and roles, but never the token or its signature. The exit status is 0 if the token would be accepted, 1 if it would be refused or
there is no verdict, 2 if the program was called wrongly.

`

// variables are the environment variables by the flags that they stand for.
var variables = map[string]string{
	"token":               "TOKEN_FILE",
	"issuer":              "OAUTH_SERVER",
	"token-url":           "OAUTH_TOKEN_URL",
	"client-id":           "OAUTH_CLIENT_ID",
	"client-secret-file":  "OAUTH_CLIENT_SECRET_FILE",
	"auth-method":         "OAUTH_AUTH_METHOD",
	"request-scope":       "REQUEST_SCOPE",
	"request-param":       "REQUEST_PARAM",
	"audience":            "AUDIENCE",
	"skip-audience-check": "SKIP_AUDIENCE_CHECK",
	"jwks-url":            "JWKS_URL",
	"algorithm":           "ALGORITHM",
	"leeway":              "LEEWAY",
	"client-roles":        "CLIENT_ROLES",
	"roles-claim":         "ROLES_CLAIM",
	"role":                "ROLE",
	"scope":               "SCOPE",
	"allow-http":          "ALLOW_HTTP",
	"timeout":             "TIMEOUT",
	"json":                "TOKENCHECK_JSON",
}

// define declares the flags.
func (o *options) define(flags *flag.FlagSet) {
	flags.StringVar(&o.tokenFile, "token", "", "`path` of a file with the token, - for stdin; the variable TOKEN may hold the token itself [TOKEN_FILE]")
	flags.StringVar(&o.issuer, "issuer", "http://localhost:9191/realms/sivalabs", "`URL` of the issuer, as it stands in the tokens' iss [OAUTH_SERVER]")
	flags.StringVar(&o.tokenURL, "token-url", "", "`URL` of the token endpoint, to ask there without discovery [OAUTH_TOKEN_URL]")
	flags.StringVar(&o.clientID, "client-id", "", "`id` of the client to ask for a token as [OAUTH_CLIENT_ID]")
	flags.StringVar(&o.clientSecretFile, "client-secret-file", "", "`path` of a file with the client's secret, instead of OAUTH_CLIENT_SECRET [OAUTH_CLIENT_SECRET_FILE]")
	flags.StringVar(&o.authMethod, "auth-method", "client_secret_basic", "`method` by which the client proves its secret: client_secret_basic, client_secret_post or client_secret_jwt [OAUTH_AUTH_METHOD]")
	flags.Var(&o.requestScopes, "request-scope", "`scope` to ask the issuer for; may be given again [REQUEST_SCOPE]")
	flags.Var(&o.requestParams, "request-param", "`name=value` to send along, such as audience=https://api.example for Auth0; may be given again [REQUEST_PARAM]")
	flags.Var(&o.audiences, "audience", "`name` of the resource server in the tokens' aud; may be given again [AUDIENCE]")
	flags.BoolVar(&o.skipAudienceCheck, "skip-audience-check", false, "the server accepts tokens that were issued for any other service [SKIP_AUDIENCE_CHECK]")
	flags.StringVar(&o.jwksURL, "jwks-url", "", "`URL` of the issuer's keys, instead of discovery [JWKS_URL]")
	flags.Var(&o.algorithms, "algorithm", "signature `algorithm` that the server accepts; may be given again; none: every asymmetric one [ALGORITHM]")
	flags.DurationVar(&o.leeway, "leeway", resourceserver.DefaultLeeway, "`time` by which the server lets clocks differ [LEEWAY]")
	flags.Var(&o.clientRoles, "client-roles", "`client` whose roles in Keycloak count beside the realm's; may be given again [CLIENT_ROLES]")
	flags.Var(&o.rolesClaims, "roles-claim", "`claim` with more roles, for issuers other than Keycloak; may be given again [ROLES_CLAIM]")
	flags.Var(&o.roles, "role", "`role` that the server asks for, A,B for either; given again, each must hold [ROLE]")
	flags.Var(&o.scopes, "scope", "`scope` that the server asks for; given again, each must hold [SCOPE]")
	flags.Var(&o.allowHTTP, "allow-http", "`host` that may be reached over plain http, beside localhost; may be given again [ALLOW_HTTP]")
	flags.DurationVar(&o.timeout, "timeout", 30*time.Second, "`time` that asking the issuer may take in all [TIMEOUT]")
	flags.BoolVar(&o.json, "json", false, "print one JSON document [TOKENCHECK_JSON]")
}

// parseOptions reads the flags and the environment. For -h it writes help to stdout and returns flag.ErrHelp.
func parseOptions(args []string, stdout io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("tokencheck", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // errors are told by the caller, in one line
	flags.Usage = func() {}
	o.define(flags)
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprint(stdout, usage)
			flags.SetOutput(stdout)
			flags.PrintDefaults()
			return o, err
		}
		return o, fmt.Errorf("%w (-h lists the flags)", err)
	}
	if flags.NArg() > 0 { // not echoed: it may be a token
		return o, errors.New("unexpected argument: this program takes only flags (-h lists them), and a token from stdin, a file or TOKEN")
	}
	given := map[string]bool{}
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	for name, variable := range variables {
		value := os.Getenv(variable)
		if value == "" || given[name] {
			continue
		}
		values := []string{value}
		if _, several := flags.Lookup(name).Value.(*list); several {
			values = strings.Fields(value)
		}
		for _, value := range values {
			if err := flags.Set(name, value); err != nil {
				return o, fmt.Errorf("environment variable %s: %q: %w", variable, value, err)
			}
		}
	}
	if o.timeout <= 0 {
		return o, fmt.Errorf("-timeout or TIMEOUT is %v: want more than nothing, such as 30s", o.timeout)
	}
	return o, o.chooseOrigin(given)
}

// chooseOrigin lets a flag win over a variable, and of the variables one with a token over one that says how to get one.
func (o *options) chooseOrigin(given map[string]bool) error {
	switch {
	case given["token"] && given["client-id"]:
		return errors.New("-token and -client-id contradict each other: give one")
	case given["token"]:
		o.from = fromFile
	case given["client-id"]:
		o.from = fromIssuer
	case os.Getenv("TOKEN") != "":
		o.from = fromVariable
	case o.tokenFile != "":
		o.from = fromFile
	case o.clientID != "":
		o.from = fromIssuer
	default:
		return errors.New("no token to check: give one with -token - (stdin), -token FILE or TOKEN, or -client-id to ask the issuer for one (-h lists the flags)")
	}
	return nil
}
