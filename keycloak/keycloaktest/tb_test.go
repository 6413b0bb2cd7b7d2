package keycloaktest

import (
	"fmt"
	"net/http"
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
		`keycloaktest: realm "test" has no user "nope"`:                      func() { s.Token(Token{User: "nope"}) },
		`keycloaktest: realm "test" has no client "nope"`:                    func() { s.SetSecret("nope", "hush") },
		`keycloaktest: realm "test" has no client "x" with a secret`:         func() { s.ClientConfig("x") },
		`keycloaktest: realm "test" has no user "carol"`:                     func() { s.EndSessions("carol") },
		`keycloaktest: SetTokenLifetime: want 0 or more, got -1ns`:           func() { s.SetTokenLifetime(-1) },
		`keycloaktest: RotateSecret: want an overlap of 0 or more, got -1ns`: func() { s.RotateSecret("job", -1) },
	} {
		assert.PanicsWithValue(t, test, mistake)
		assert.Equal(t, want, test.fatal)
	}
	test.comesOut = true
	assert.PanicsWithValue(t, `keycloaktest: realm "test" has no user "nope"`, func() { s.Token(Token{User: "nope"}) }, "nothing goes on after a mistake")
	assert.Panics(t, func() { New(test, Config{Addr: "nowhere"}) })
}
