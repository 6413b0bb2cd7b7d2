package keycloaktest

import (
	"fmt"
	"strings"
)

// TB is what New needs of a test. *testing.T, *testing.B and *testing.F have it, and so has testing.TB.
type TB interface {
	Helper()
	Cleanup(func())
	Fatal(args ...any)
}

// New is Start for one test: the Server is closed when the test and its subtests are over, and what else would panic, a mistyped client for instance, fails the
// test instead.
func New(t TB, config Config) *Server {
	t.Helper()
	s, err := Start(config)
	if err != nil {
		t.Fatal(err)
		panic(err) // a TB whose Fatal comes back
	}
	s.test = t
	t.Cleanup(s.Close)
	return s
}

// noTest is the test of a server without New: nothing ends there, so misuse panics.
type noTest struct{}

func (noTest) Helper()        {}
func (noTest) Cleanup(func()) {}
func (noTest) Fatal(...any)   {}

// misuse ends the test of New, or panics: the mistake stands in the test's own code. So that its line is what the test reports, each function on the way from there
// to here calls Helper.
func (s *Server) misuse(format string, args ...any) {
	s.test.Helper()
	text := "keycloaktest: " + fmt.Sprintf(format, args...)
	s.test.Fatal(text)
	panic(text)
}

// maxNames bounds how many names a message lists.
const maxNames = 10

// whatThereIs ends a message about a name that there is not with those that there are.
func whatThereIs(names []string) string {
	switch more := len(names) - maxNames; {
	case len(names) == 0:
		return "(it has none)"
	case more > 0:
		return fmt.Sprintf("(it has %s and %d more)", strings.Join(names[:maxNames], ", "), more)
	}
	return "(it has " + strings.Join(names, ", ") + ")"
}

func (s *Server) noClient(id string) {
	s.test.Helper()
	s.misuse("realm %q has no client %q %s", s.realm.name, id, whatThereIs(s.realm.clientIDs))
}

func (s *Server) noUser(name string) {
	s.test.Helper()
	s.misuse("realm %q has no user %q %s", s.realm.name, name, whatThereIs(s.realm.people()))
}
