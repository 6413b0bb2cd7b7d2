package webapp

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

// parseURL reads a URL that tokens, cookies or codes go to. Plain http is for this machine alone: anybody on the way could read them.
func parseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case text == "":
		return nil, errors.New("it is empty")
	case err != nil || u.User != nil: // not echoed: there may be a password in it
		return nil, errors.New("it can't be parsed, or has user information in it: want https://host")
	case u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.RawQuery != "" || strings.ContainsAny(text, "#?"):
		return nil, fmt.Errorf("%q is not a base URL: want https://host, or http://localhost:port", text)
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return nil, fmt.Errorf("%q is plain http to another machine: use https", text)
	}
	return u, nil
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// originOf is scheme, host and port of a URL that has been checked.
func originOf(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// hostname is a Host header without its port.
func hostname(host string) string { return (&url.URL{Host: host}).Hostname() }
