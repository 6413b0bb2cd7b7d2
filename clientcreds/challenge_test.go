package clientcreds

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestSaysInvalidToken(t *testing.T) {
	for _, tt := range []struct {
		fields []string
		want   bool
	}{
		{[]string{`Bearer error="invalid_token"`}, true},
		{[]string{`bearer realm="a, b", error="invalid_token", error_description="The \"token\" is expired, sorry"`}, true},
		{[]string{`Bearer realm="x",error=invalid_token`}, true},
		{[]string{`Bearer ERROR = "invalid_token"`}, true},
		{[]string{`Basic realm="x"`, `Bearer error="invalid_token"`}, true},
		{[]string{`Basic realm="x", Bearer error="invalid_token"`}, true},
		{[]string{`Negotiate, Bearer error="invalid_token"`}, true},
		{[]string{`Negotiate dG9rZW4=, Bearer error="invalid_token"`}, true},
		{[]string{`Negotiate dG9rZW4==,Bearer error="invalid_token"`}, true},
		{[]string{`Negotiate dG9rZW4, Bearer error="invalid_token"`}, true},
		{[]string{`DPoP algs="ES256", Bearer realm="x", error="invalid_token"`}, true},
		{[]string{`, ,Bearer , Bearer error="invalid_token"`}, true},
		{[]string{`Bearer error="invalid_token`, `Bearer error="invalid_token"`}, true},

		{nil, false},
		{[]string{``}, false},
		{[]string{`Bearer`}, false},
		{[]string{`Bearer realm="x"`}, false},
		{[]string{`Bearer error="insufficient_scope"`}, false},
		{[]string{`Bearer error="INVALID_TOKEN"`}, false},
		{[]string{`DPoP error="invalid_token"`}, false},                   // another token's fault
		{[]string{`Bearer realm="x", DPoP error="invalid_token"`}, false}, // of two challenges the other one
		{[]string{`Basic realm="Bearer error=\"invalid_token\""`}, false}, // a quoted string is no challenge
		{[]string{`Bearer realm="error=invalid_token"`}, false},
		{[]string{`Bearer error_description="invalid_token"`}, false},
		{[]string{`Bearer error="insufficient_scope", error="invalid_token"`}, false}, // of repeated ones the first
		{[]string{`Bearer error="invalid_token`}, false},                              // never closed
		{[]string{`Bearererror="invalid_token"`}, false},
		{[]string{`Bearer realm="` + strings.Repeat("x", maxChallenge) + `", error="invalid_token"`}, false}, // too long
	} {
		header := http.Header{"Www-Authenticate": tt.fields}
		assert.Equal(t, tt.want, saysInvalidToken(header), "%q", tt.fields)
	}
}

func FuzzParseChallenges(f *testing.F) {
	for _, seed := range []string{
		`Bearer error="invalid_token"`, `Basic realm="x", Bearer realm="a, b",error=invalid_token`, `Negotiate dG9rZW4==, Bearer`, `Bearer a="\`, `,,=,"`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, field string) {
		all := parseChallenges(field)
		if len(all) > len(field) {
			t.Fatalf("%d challenges out of %q", len(all), field)
		}
		var again strings.Builder
		for _, c := range all {
			if c.scheme == "" || strings.Trim(c.scheme, "abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~") != "" {
				t.Fatalf("scheme %q out of %q", c.scheme, field)
			}
			again.WriteString(", " + c.scheme)
			sep := " "
			for name, value := range c.params {
				if name == "" || name != strings.ToLower(name) {
					t.Fatalf("parameter %q out of %q", name, field)
				}
				again.WriteString(sep + name + `="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`)
				sep = ", "
			}
		}
		// What was read means the same when it is written out by the book.
		if again.Len() < maxChallenge {
			reread := parseChallenges(again.String())
			if len(all) == 0 && len(reread) == 0 {
				return
			}
			assert.Equal(t, all, reread, "%q as %q", field, again.String())
		}
	})
}
