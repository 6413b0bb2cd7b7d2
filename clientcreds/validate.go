package clientcreds

import (
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/svcauth/svcauth/internal/discovery"
	"github.com/svcauth/svcauth/internal/endpoint"
)

// check finds what is missing or contradictory, and returns what the token is for. Its errors begin with the field's name.
func (c *Config) check() (*target, error) {
	for _, host := range c.AllowHTTP {
		if err := checkText("AllowHTTP", host); err != nil {
			return nil, err
		}
	}
	if err := endpoint.CheckAllowHTTP(c.AllowHTTP); err != nil {
		return nil, err
	}
	if err := c.checkIssuer(); err != nil {
		return nil, err
	}
	if err := c.checkAuth(); err != nil {
		return nil, err
	}
	if c.DefaultLifetime < 0 {
		return nil, fmt.Errorf("DefaultLifetime: %v is negative: leave it zero for %v", c.DefaultLifetime, defaultLifetime)
	}
	return newTarget(Target{Scopes: c.Scopes, Resources: c.Resources, Origins: c.Origins, Params: c.Params}, c.AllowHTTP)
}

func (c *Config) checkIssuer() error {
	switch {
	case c.Issuer == "" && c.TokenURL == "":
		return errors.New("Issuer and TokenURL are both empty: set Issuer to the issuer's URL, or TokenURL to its token endpoint")
	case c.Issuer != "" && c.TokenURL != "":
		return errors.New("Issuer and TokenURL are both set: keep Issuer to discover the token endpoint, or TokenURL to name it")
	case c.Issuer != "":
		if _, err := discovery.ParseIssuer(c.Issuer, c.AllowHTTP); err != nil {
			return fmt.Errorf("Issuer: %w", err)
		}
	default:
		if _, err := endpoint.ParseURL(c.TokenURL, c.AllowHTTP); err != nil {
			return fmt.Errorf("TokenURL: %w", err)
		}
	}
	return nil
}

func (c *Config) checkAuth() error {
	if err := checkText("ClientID", c.ClientID); err != nil {
		return err
	}
	if c.Auth != nil {
		if c.ClientSecret != "" {
			return errors.New("ClientSecret and Auth are both set: keep one")
		}
		if v := reflect.ValueOf(c.Auth); v.Kind() == reflect.Pointer && v.IsNil() {
			return fmt.Errorf("Auth: it is a nil %T: leave Auth unset or fill it in", c.Auth)
		}
		if a, ok := c.Auth.(checkedAuth); ok {
			if err := a.check(c); err != nil {
				return fmt.Errorf("Auth: %w", err)
			}
		}
		return nil
	}
	if c.ClientID == "" {
		return errClientID
	}
	if c.ClientSecret == "" {
		return errors.New("ClientSecret is empty and Auth is nil: set one of them (if the secret comes from an environment variable, that variable is not set)")
	}
	if strings.Trim(c.ClientSecret, "\r\n") != c.ClientSecret {
		return errors.New("ClientSecret begins or ends with a line break: trim it, or use SecretBasic with FromFile, which does")
	}
	if hasControl(c.ClientSecret) {
		return errors.New("ClientSecret has a control character in it")
	}
	return nil
}

func hasControl(s string) bool { return strings.ContainsFunc(s, unicode.IsControl) }

// checkText refuses what gets into an identifier by accident: a line break at the end of a file or variable, a byte of a broken encoding.
func checkText(field, value string) error {
	if hasControl(value) || !utf8.ValidString(value) {
		return fmt.Errorf("%s: %q has a control character in it, or is not UTF-8: remove it", field, value)
	}
	return nil
}

var errClientID = errors.New("ClientID is empty: set it to the client's identifier at the issuer (if it comes from an environment variable, that variable is not set)")

// ownParams are the token request's parameters that this package writes, and where each is configured.
var ownParams = map[string]string{
	"grant_type":            "it is always client_credentials",
	"client_id":             "use ClientID",
	"client_secret":         "use ClientSecret or Auth",
	"client_assertion":      "use Auth",
	"client_assertion_type": "use Auth",
	"scope":                 "use Scopes",
	"resource":              "use Resources",
}

func checkScopes(scopes []string) error {
	for _, scope := range scopes {
		switch {
		case scope == "":
			return errors.New("Scopes: an entry is empty: remove it")
		case strings.ContainsFunc(scope, func(r rune) bool { return r == ' ' || r == '\t' || r == '\n' || r == '\r' }):
			return fmt.Errorf("Scopes: %q has a space in it: give each scope an entry of its own", scope)
		case strings.ContainsFunc(scope, func(r rune) bool { return r < 0x21 || r > 0x7e || r == '"' || r == '\\' }):
			return fmt.Errorf("Scopes: %q has a character that no scope may have (RFC 6749 §3.3)", scope)
		}
	}
	return nil
}

// checkResources holds RFC 8707 §2: absolute URIs without a fragment.
func checkResources(resources []string) error {
	for _, resource := range resources {
		u, err := url.Parse(resource)
		if err != nil || !u.IsAbs() || u.Host == "" && u.Opaque == "" && u.Path == "" || strings.Contains(resource, "#") {
			return fmt.Errorf("Resources: %q is not an absolute URI without a fragment (RFC 8707 §2)", printableURL(resource))
		}
	}
	return nil
}

func checkParams(params url.Values) error {
	for name := range params {
		if name == "" {
			return errors.New("Params: a parameter has no name: remove it")
		}
		if err := checkText("Params", name); err != nil {
			return err
		}
		if mend, ok := ownParams[name]; ok {
			return fmt.Errorf("Params: %q may not be set here: %s", name, mend)
		}
	}
	return nil
}

func cloneValues(v url.Values) url.Values {
	c := make(url.Values, len(v)+8)
	for name, values := range v {
		c[name] = slices.Clone(values)
	}
	return c
}
