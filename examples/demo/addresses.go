package main

import (
	"fmt"
	"io"
	"net"
)

// listen opens addr and gives the URL under which it is reached: addr as the user wrote it, with the port that it really has.
func listen(addr, flag string) (net.Listener, string, error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, "", fmt.Errorf("%w: choose another address with %s", err, flag)
	}
	host, _, err := net.SplitHostPort(addr)
	if err == nil {
		_, addr, err = net.SplitHostPort(listener.Addr().String())
	}
	if err != nil {
		listener.Close()
		return nil, "", err
	}
	return listener, "http://" + net.JoinHostPort(host, addr), nil
}

// addresses are where everything is.
type addresses struct {
	embedded                           bool   // the realm
	shownSecret                        string // of archival-service, as a shell reads it
	issuer, webapp, messages, archival string
}

// printAddresses says where everything is, and how to try it. The secrets and passwords of a real Keycloak are not printed.
func printAddresses(w io.Writer, a addresses) {
	kind, signIns := "a Keycloak of yours", "as the people of your realm"
	if a.embedded {
		kind = "embedded in this program"
		signIns = "as admin with admin-demo-password, who may archive,\n                  or as user with user-demo-password, who may not"
	}
	fmt.Fprintf(w, `messages-webapp   %[6]s   open it in a browser, and sign in
                  %[7]s
realm             %[1]s   %[2]s
messages-service  %[3]s
archival-service  %[4]s   calls messages-service now and then

Everybody reads messages:

  curl %[3]s/api/messages

With a token one posts them, too. This is how archival-service gets its own:

  TOKEN=$(curl -s -u archival-service:%[5]s -d grant_type=client_credentials \
    %[1]s/protocol/openid-connect/token | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
  curl -H "Authorization: Bearer $TOKEN" %[3]s/api/me
  curl -H "Authorization: Bearer $TOKEN" --json '{"content": "Hello"}' %[3]s/api/messages
  curl -H "Authorization: Bearer $TOKEN" -X POST %[3]s/api/messages/archive

Without one, or with one that was made for another service, one is refused:

  curl -i %[3]s/api/me
  curl -i -H "Authorization: Bearer $TOKEN" -X POST %[4]s/api/messages/archive

Ctrl-C ends everything.

`, a.issuer, kind, a.messages, a.archival, a.shownSecret, a.webapp, signIns)
}
