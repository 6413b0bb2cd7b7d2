package keycloaktest

import "fmt"

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

// misuse ends the test of New, or panics: the mistake stands in the test's own code.
func (s *Server) misuse(format string, args ...any) {
	text := "keycloaktest: " + fmt.Sprintf(format, args...)
	if s.test != nil {
		s.test.Helper()
		s.test.Fatal(text)
	}
	panic(text)
}
