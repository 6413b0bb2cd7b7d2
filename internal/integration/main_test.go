package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

var (
	theEmbedded embedded
	theKeycloak *keycloak
)

// outage is how long issuers stay away: as long as a restart takes, or a minute.
var outage = 15 * time.Second

// long is set where time must pass that a normal run does not have.
var long = os.Getenv("SVCAUTH_LONG") == "1"

func TestMain(m *testing.M) {
	code, err := runTests(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "integration:", err)
		code = 1
	}
	os.Exit(code)
}

// runTests starts what the tests need. A missing Keycloak is a failure, not a skip: a green run means that it was there.
func runTests(m *testing.M) (code int, err error) {
	if long {
		outage = time.Minute
	}
	home := os.Getenv("KEYCLOAK_HOME")
	if home == "" {
		return 1, fmt.Errorf("KEYCLOAK_HOME is not set: export KEYCLOAK_HOME=$(.ci/keycloak), which downloads and unpacks Keycloak if need be")
	}
	if _, err := os.Stat(filepath.Join(home, "bin", "kc.sh")); err != nil {
		return 1, fmt.Errorf("KEYCLOAK_HOME is %q, but there is no unpacked Keycloak: export KEYCLOAK_HOME=$(.ci/keycloak), which downloads and unpacks one", home)
	}
	dir, err := os.MkdirTemp("", "svcauth-integration-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	if theEmbedded, err = newEmbedded(); err != nil {
		return 1, err
	}
	if theKeycloak, err = newKeycloak(home, dir); err != nil {
		return 1, err
	}
	defer theKeycloak.halt()
	built := make(chan error, 1)
	go func() { built <- build(dir) }()
	begin := time.Now()
	if err := theKeycloak.boot(); err != nil {
		return 1, err
	}
	fmt.Printf("Keycloak of %s answers after %.0f s\n", home, time.Since(begin).Seconds())
	if err := <-built; err != nil {
		return 1, err
	}
	return m.Run(), nil
}
