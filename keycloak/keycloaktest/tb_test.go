package keycloaktest

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	_ TB = (*testing.T)(nil)
	_ TB = (*testing.B)(nil)
	_ TB = (*testing.F)(nil)
	_ TB = testing.TB(nil)
)

// report is a test that says where it failed and goes on, so that one test shows many failures.
type report struct{ *testing.T }

func (r report) Fatal(args ...any) {
	r.Helper()
	r.Log(args...)
	panic("failed")
}

// TestReportedLine is the test whose output TestMistakesAreReportedWhereTheyStand reads.
func TestReportedLine(t *testing.T) {
	if os.Getenv("KEYCLOAKTEST_REPORT") == "" {
		t.Log("a child of TestMistakesAreReportedWhereTheyStand")
		return
	}
	s := New(report{t}, Config{InMemory: true})
	never := map[string]any{"f": func() {}}
	for _, mistake := range []func(){
		func() { s.Token(Token{User: "nobody"}) },
		func() { s.Token(Token{Client: "nobody"}) },
		func() { s.Token(Token{Scope: "nothing"}) },
		func() { s.Token(Token{Client: "webapp"}) },
		func() { s.Token(Token{Type: "Logout"}) },
		func() { s.Token(Token{Type: "Refresh"}) },
		func() { s.Token(Token{Algorithm: "RS1"}) },
		func() { s.Token(Token{Claims: never}) },
		func() { s.Token(Token{Header: never}) },
		func() { s.Token(Token{Header: never, Algorithm: "none"}) },
		func() { s.Token(Token{Header: never, Algorithm: "HS256"}) },
		func() { s.BadTokens(Token{User: "nobody"})(func(string, string) bool { return true }) },
		func() { s.ClientConfig("nobody") },
		func() { s.SetSecret("nobody", "hush") },
		func() { s.RotateSecret("nobody", 0) },
		func() { s.RotateSecret("job", -1) },
		func() { s.EndSessions("nobody") },
		func() { s.SetClientEnabled("nobody", true) },
		func() { s.SetTokenLifetime(-1) },
		func() { s.Grants("nobody") },
		func() { s.Refusals("nobody") },
		func() { s.Requests("nothing") },
		func() { s.SetTrouble("nothing") },
		func() { s.SetTrouble("/nothing") },
		func() { New(report{t}, Config{Algorithm: "HS256"}) },
	} {
		assert.Panics(t, mistake)
	}
}

// TestMistakesAreReportedWhereTheyStand looks at the lines that go test prints: one for each mistake above, none in the library.
func TestMistakesAreReportedWhereTheyStand(t *testing.T) {
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestReportedLine$", "-test.v")
	child.Env = append(os.Environ(), "KEYCLOAKTEST_REPORT=1")
	out, err := child.CombinedOutput()
	require.NoError(t, err, string(out))
	var lines []int
	for _, m := range regexp.MustCompile(`(?m)^ +(\S+):(\d+): keycloaktest: `).FindAllStringSubmatch(string(out), -1) {
		assert.Equal(t, "tb_test.go", m[1], m[0])
		line, err := strconv.Atoi(m[2])
		require.NoError(t, err)
		lines = append(lines, line)
	}
	require.Len(t, lines, 25, string(out))
	for i, line := range lines {
		assert.Equal(t, lines[0]+i, line, "mistake %d of the list", i)
	}
}

func TestMessagesListAFewNames(t *testing.T) {
	names := strings.Split("abcdefghijkl", "")
	assert.Equal(t, "(it has none)", whatThereIs(nil))
	assert.Equal(t, "(it has a, b, c, d, e, f, g, h, i, j)", whatThereIs(names[:10]))
	assert.Equal(t, "(it has a, b, c, d, e, f, g, h, i, j and 2 more)", whatThereIs(names))
}

// fakeTest is a test that notes what becomes of it. Its Fatal panics, where testing's ends the goroutine.
type fakeTest struct {
	cleanups []func()
	comesOut bool // Fatal returns
	fatal    string
}

func (f *fakeTest) Helper()             {}
func (f *fakeTest) Cleanup(done func()) { f.cleanups = append(f.cleanups, done) }
func (f *fakeTest) Fatal(args ...any) {
	f.fatal = fmt.Sprint(args...)
	if !f.comesOut {
		panic(f)
	}
}

func TestNewClosesAtTheTestsEnd(t *testing.T) {
	var url string
	t.Run("a test", func(t *testing.T) {
		s := New(t, Config{})
		url = s.URL
		res, _ := get(t, s.certsURL())
		assert.Equal(t, 200, res.StatusCode)
	})
	res, err := http.Get(url)
	if !assert.Error(t, err) {
		res.Body.Close()
	}
}

func TestNewFailsTheTestInsteadOfPanicking(t *testing.T) {
	test := &fakeTest{}
	assert.PanicsWithValue(t, test, func() { New(test, Config{RealmJSON: []byte(`{"realm": 1}`)}) })
	assert.Equal(t, "keycloaktest: RealmJSON: realm: want a string, got number", test.fatal)
	assert.Empty(t, test.cleanups)

	s := New(test, Config{InMemory: true})
	require.Len(t, test.cleanups, 1)
	for want, mistake := range map[string]func(){
		`keycloaktest: realm "test" has no user "nope" (it has alice, bob)`:               func() { s.Token(Token{User: "nope"}) },
		`keycloaktest: realm "test" has no client "nope" (it has service, job, webapp)`:   func() { s.SetSecret("nope", "hush") },
		`keycloaktest: realm "test" has no client "x" with a secret (it has job, webapp)`: func() { s.ClientConfig("x") },
		`keycloaktest: realm "test" has no user "carol" (it has alice, bob)`:              func() { s.EndSessions("carol") },
		`keycloaktest: SetTokenLifetime: want 0 or more, got -1ns`:                        func() { s.SetTokenLifetime(-1) },
		`keycloaktest: RotateSecret: want an overlap of 0 or more, got -1ns`:              func() { s.RotateSecret("job", -1) },
	} {
		assert.PanicsWithValue(t, test, mistake)
		assert.Equal(t, want, test.fatal)
	}
	test.comesOut = true
	assert.PanicsWithValue(t, `keycloaktest: realm "test" has no user "nope" (it has alice, bob)`, func() { s.Token(Token{User: "nope"}) }, "nothing goes on after a mistake")
	assert.Panics(t, func() { New(test, Config{Addr: "nowhere"}) })
}
