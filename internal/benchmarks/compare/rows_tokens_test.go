package compare

import (
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// tokenRows are about which tokens get through.
var tokenRows = []row{
	{
		text:    "Without a configured audience, tokens for any other service of the issuer get in",
		observe: audienceMustBeNamed,
		want:    cells{"no", "no", "yes", "no"},
	},
	{
		text:    "A token that never ends (no `exp`) gets in",
		observe: withoutExpiry,
		want:    cells{"no", "no", "unless `exp` is demanded", "yes"},
	},
	{
		text:    "An ID token with the same issuer and audience gets in as an access token",
		observe: onServer(options{}, getsIn(map[string]any{"typ": "ID", "nonce": "n-0S6_WzA2Mj", "at_hash": "MTIzNDU2Nzg5MDEyMzQ1Ng", "scope": nil})),
		want:    cells{"no", "yes", "yes", "yes"},
	},
	{
		text:    "A token bound to its owner's key (DPoP) gets in as a plain bearer token",
		observe: onServer(options{}, getsIn(map[string]any{"typ": "DPoP", "cnf": map[string]string{"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}})),
		want:    cells{"no", "yes", "yes", "no"},
	},
	{
		text:    "A token that says `realm_access` twice gets in",
		observe: onServer(options{}, claimTwice),
		want:    cells{"no", "yes", "yes", "yes"},
	},
	{
		text:    "`AUD` counts as `aud`",
		observe: otherCase,
		want:    cells{"no", "yes", "in a claims struct", "no"},
	},
	{
		text:    "Keycloak's realm roles need no code of one's own",
		observe: realmRoles,
		want:    cells{"yes", "no", "no", "no"},
	},
	{
		text:    "A token that comes again costs a signature check again",
		observe: onServer(options{}, repeatedToken),
		want:    cells{"no", "yes", "yes", "yes"},
	},
}

// service is a service that others call.
type service struct {
	t       *testing.T
	network *network
	issuer  *issuer
	guard   guard
}

func (s *service) accepts(token string) bool { return s.guard.accepts(s.t.Context(), token) }

// onServer observes a service in virtual time, which runs and has accepted a token.
func onServer(o options, look func(*service) string) func(*testing.T, column) string {
	return func(t *testing.T, c column) (seen string) {
		virtually(t, func(t *testing.T) {
			n, i := newNetwork()
			g, err := c.server(t.Context(), n, o)
			require.NoError(t, err)
			s := &service{t, n, i, g}
			require.True(t, s.accepts(keys()[0].access(nil)))
			require.False(t, s.accepts(keys()[0].access(map[string]any{"iss": "https://other.example"})))
			seen = look(s)
		})
		return seen
	}
}

// getsIn looks whether a token with these claims does.
func getsIn(changes map[string]any) func(*service) string {
	return func(s *service) string { return yes(s.accepts(keys()[0].access(changes))) }
}

// audienceMustBeNamed finds no audience demanded if a service without one takes a token for another service.
func audienceMustBeNamed(t *testing.T, c column) (seen string) {
	virtually(t, func(t *testing.T) {
		n, _ := newNetwork()
		g, err := c.server(t.Context(), n, options{noAudience: true})
		seen = yes(err == nil && g.accepts(t.Context(), keys()[0].access(map[string]any{"aud": "reports-service"})))
	})
	return seen
}

func withoutExpiry(t *testing.T, c column) string {
	look := getsIn(map[string]any{"exp": nil})
	byDefault, demanded := onServer(options{}, look)(t, c), onServer(options{demandExpiry: true}, look)(t, c)
	if byDefault != demanded {
		return "unless `exp` is demanded"
	}
	return byDefault
}

func claimTwice(s *service) string {
	payload := fmt.Sprintf(`{"iss":%q,"aud":%q,"sub":"1","typ":"Bearer","exp":%d,"realm_access":{"roles":[]},"realm_access":{"roles":["ROLE_ADMIN"]}}`,
		issuerURL, audience, time.Now().Add(lifetime).Unix())
	return yes(s.accepts(keys()[0].sign(keys()[0].id, []byte(payload))))
}

func otherCase(t *testing.T, c column) string {
	look := getsIn(map[string]any{"aud": nil, "AUD": audience})
	byDefault, typed := onServer(options{}, look)(t, c), onServer(options{typedClaims: true}, look)(t, c)
	if byDefault != typed {
		return "in a claims struct"
	}
	return byDefault
}

// realmRoles looks for a rule about them, and where there is none, whether the library's source knows the claim that holds them.
func realmRoles(t *testing.T, c column) (seen string) {
	virtually(t, func(t *testing.T) {
		n, _ := newNetwork()
		g, err := c.server(t.Context(), n, options{})
		require.NoError(t, err)
		if g.requireRole == nil {
			seen = yes(mentions(t, c.modules, "realm_access"))
			return
		}
		require.Equal(t, http.StatusForbidden, status(t.Context(), g.requireRole, keys()[0].access(map[string]any{"realm_access": nil})))
		seen = yes(status(t.Context(), g.requireRole, keys()[0].access(nil)) == http.StatusNoContent)
	})
	return seen
}

// mentions reports whether text stands in a Go file of one of the modules, tests and examples left out.
func mentions(t *testing.T, modules []string, text string) (found bool) {
	t.Helper()
	for _, module := range modules {
		folder, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
		require.NoError(t, err)
		files := 0
		err = filepath.WalkDir(strings.TrimSpace(string(folder)), func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() && strings.HasPrefix(entry.Name(), "example") {
				return err
			}
			if entry.IsDir() || filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
				return nil
			}
			files++
			source, err := os.ReadFile(name)
			found = found || strings.Contains(string(source), text)
			return err
		})
		require.NoError(t, err)
		require.NotZero(t, files, module)
	}
	return found
}

// repeatedToken watches what the standard library's check of RSA signatures allocates.
func repeatedToken(s *service) string {
	defer func(rate int) { runtime.MemProfileRate = rate }(runtime.MemProfileRate)
	runtime.MemProfileRate = 1
	token := keys()[0].access(map[string]any{"jti": "a new one"})
	before := signatureChecks()
	require.True(s.t, s.accepts(token))
	first := signatureChecks()
	require.Greater(s.t, first, before, "a new token's signature is checked")
	require.True(s.t, s.accepts(token))
	return yes(signatureChecks() > first)
}

// signatureChecks is how often memory was allocated within checks of RSA signatures since the program began.
func signatureChecks() (allocations int64) {
	runtime.GC() // the profile is that of the last but one
	runtime.GC()
	records := make([]runtime.MemProfileRecord, 1<<16)
	count, ok := runtime.MemProfile(records, true)
	if !ok {
		panic("the profile has more records than there is room for")
	}
	for _, record := range records[:count] {
		frames := runtime.CallersFrames(record.Stack())
		for more := true; more; {
			var frame runtime.Frame
			if frame, more = frames.Next(); frame.Function == "crypto/rsa.VerifyPKCS1v15" {
				allocations += record.AllocObjects
				break
			}
		}
	}
	return allocations
}
