package keycloaktest

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/svcauth/svcauth/internal/jose"
)

type client struct {
	id              string
	uuid            string // by which authorization codes name it
	secret          string // the first one; SetSecret may have changed it
	enabled         bool
	public          bool
	bearerOnly      bool
	serviceAccounts bool
	standardFlow    bool
	refreshTokens   bool
	redirectURIs    []string // patterns of redirectAllowed
	logoutURIs      []string // patterns of redirectAllowed
	lightweight     bool     // its access tokens have few claims
	accessAlgorithm string   // of access tokens; empty: the realm's
	idAlgorithm     string   // of ID tokens; empty: the realm's
	pkce            string   // code challenge method that is required; empty: none
	origins         []string
	lifespan        time.Duration // of access tokens and ID tokens
	mappers         []mapper
	defaultScopes   []string
	optionalScopes  []string
	fullScope       bool
	scopeMappings   []role // what tokens may carry without fullScope
	account         *user  // nil without serviceAccounts
}

func (r *realm) addClient(path string, j *clientJSON) error {
	if j.ClientID == "" {
		return fmt.Errorf("%s.clientId: want a client ID, got none", path)
	}
	if r.clients[j.ClientID] != nil {
		return fmt.Errorf("%s.clientId: %q is there twice", path, j.ClientID)
	}
	lifespan := r.lifespans.access
	if own := j.Attributes["access.token.lifespan"]; own != "" {
		n, err := strconv.Atoi(own)
		if err != nil {
			return fmt.Errorf("%s.attributes.access.token.lifespan: want seconds, got %q", path, own)
		}
		if lifespan, err = seconds(path+".attributes.access.token.lifespan", &n, lifespan); err != nil {
			return err
		}
	}
	c := &client{
		id: j.ClientID, uuid: j.ID, secret: j.Secret,
		enabled: orTrue(j.Enabled), public: j.PublicClient, bearerOnly: j.BearerOnly,
		serviceAccounts: j.ServiceAccountsEnabled, standardFlow: orTrue(j.StandardFlowEnabled) && !j.BearerOnly,
		refreshTokens: j.Attributes["use.refresh.tokens"] != "false",
		redirectURIs:  absolute(j.RootURL, j.RedirectURIs), pkce: j.Attributes["pkce.code.challenge.method"],
		origins: webOrigins(j), lifespan: lifespan, fullScope: orTrue(j.FullScopeAllowed),
		mappers:       readMappers(j.ProtocolMappers),
		defaultScopes: r.defaultScopes, optionalScopes: r.optionalScopes,
	}
	c.logoutURIs = logoutURIs(j, c.redirectURIs)
	c.lightweight = j.Attributes["client.use.lightweight.access.token.enabled"] == "true"
	for name, into := range map[string]*string{"access.token.signed.response.alg": &c.accessAlgorithm, "id.token.signed.response.alg": &c.idAlgorithm} {
		if *into = j.Attributes[name]; *into != "" && !jose.Supported(*into) {
			return fmt.Errorf("%s.attributes.%s: want one of %s, got %q", path, name, strings.Join(jose.Algorithms(), ", "), *into)
		}
	}
	if c.uuid == "" {
		c.uuid = r.uuid("client/" + c.id)
	}
	if j.DefaultClientScopes != nil || j.OptionalClientScopes != nil {
		unknown := func(name string) bool { return r.scopes[name] == nil }
		c.defaultScopes = slices.DeleteFunc(slices.Clone(j.DefaultClientScopes), unknown)
		c.optionalScopes = slices.DeleteFunc(slices.Clone(j.OptionalClientScopes), unknown)
	}
	r.clients[c.id] = c
	r.clientIDs = append(r.clientIDs, c.id)
	return nil
}

// absolute resolves redirect URIs that are paths against the client's root URL. Those that can't be resolved are dropped: nothing may be sent there.
func absolute(root string, uris []string) []string {
	var all []string
	for _, uri := range uris {
		if strings.HasPrefix(uri, "/") {
			if root == "" {
				continue
			}
			uri = strings.TrimSuffix(root, "/") + uri
		}
		all = append(all, uri)
	}
	return all
}

// logoutURIs reads the attribute post.logout.redirect.uris: a list with "##" between, "+" for the redirect URIs, as no attribute is, and "-" for none.
func logoutURIs(j *clientJSON, redirectURIs []string) []string {
	switch list := j.Attributes["post.logout.redirect.uris"]; list {
	case "", "+":
		return redirectURIs
	case "-":
		return nil
	default:
		return absolute(j.RootURL, strings.Split(list, "##"))
	}
}

// webOrigins resolves the client's web origins: "+", or no member at all, stands for the origins of its redirect URIs.
func webOrigins(j *clientJSON) []string {
	configured, root := j.WebOrigins, j.RootURL
	if configured == nil {
		configured, root = []string{"+"}, "" // the import looks at absolute URIs only
	}
	var origins []string
	add := func(origin string) {
		if origin != "" && !slices.Contains(origins, origin) {
			origins = append(origins, origin)
		}
	}
	for _, origin := range configured {
		if origin != "+" {
			add(origin)
			continue
		}
		for _, redirect := range j.RedirectURIs {
			if strings.HasPrefix(redirect, "/") {
				redirect = root
			}
			if u, err := url.Parse(redirect); err == nil && u.Host != "" {
				add(u.Scheme + "://" + u.Host)
			}
		}
	}
	return origins
}
