package resourceserver_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	rs "github.com/svcauth/svcauth/resourceserver"
)

func TestBearerToken(t *testing.T) {
	const missing, malformed, multiple = rs.ReasonMissingToken, rs.ReasonMalformedHeader, rs.ReasonMultipleTokens
	for _, c := range []struct {
		name   string
		fields []string
		token  string
		want   rs.Reason
	}{
		{"usual", []string{"Bearer abc"}, "abc", ""},
		{"lower case", []string{"bearer abc"}, "abc", ""},
		{"mixed case", []string{"bEaReR abc"}, "abc", ""},
		{"two spaces", []string{"Bearer  abc"}, "abc", ""},
		{"spaces around", []string{"  Bearer abc \t"}, "abc", ""},
		{"every character of token68", []string{"Bearer aZ09-._~+/=="}, "aZ09-._~+/==", ""},

		{"no field", nil, "", missing},
		{"empty field", []string{""}, "", missing},
		{"blank field", []string{"   "}, "", missing},
		{"Basic", []string{"Basic abc"}, "", missing},
		{"DPoP", []string{"DPoP abc"}, "", missing},
		{"bare token", []string{"abc"}, "", missing},
		{"a longer word", []string{"Bearerx abc"}, "", missing},
		{"no space", []string{"Bearerabc"}, "", missing},

		{"only the scheme", []string{"Bearer"}, "", malformed},
		{"only the scheme and a space", []string{"Bearer "}, "", malformed},
		{"tab", []string{"Bearer\tabc"}, "", malformed},
		{"colon", []string{"Bearer: abc"}, "", malformed},
		{"equals sign", []string{"Bearer=abc"}, "", malformed},
		{"slash", []string{"Bearer/abc"}, "", malformed},
		{"quoted", []string{`Bearer "abc"`}, "", malformed},
		{"trailing word", []string{"Bearer abc def"}, "", malformed},
		{"comma list", []string{"Bearer abc, Bearer def"}, "", malformed},
		{"comma", []string{"Bearer abc,def"}, "", malformed},
		{"only padding", []string{"Bearer =="}, "", malformed},
		{"padding inside", []string{"Bearer a=b"}, "", malformed},
		{"other character", []string{"Bearer abc$def"}, "", malformed},
		{"no-break space", []string{"Bearer\u00a0abc"}, "", malformed},
		{"letter outside ASCII", []string{"Bearer äbc"}, "", malformed},
		{"NUL", []string{"Bearer abc\x00"}, "", malformed},
		{"line break", []string{"Bearer abc\ndef"}, "", malformed},

		{"two fields", []string{"Bearer abc", "Bearer def"}, "", multiple},
		{"the same twice", []string{"Bearer abc", "Bearer abc"}, "", multiple},
		{"another scheme first", []string{"Basic abc", "Bearer abc"}, "", multiple},
		{"empty first", []string{"", "Bearer abc"}, "", multiple},
	} {
		t.Run(c.name, func(t *testing.T) {
			token, err := rs.BearerToken(c.fields)
			assert.Equal(t, c.token, token)
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, &rs.Error{Reason: c.want})
		})
	}
}

// FuzzBearerToken holds that what comes out is one token of the header, and nothing that could pass for two.
func FuzzBearerToken(f *testing.F) {
	for _, seed := range []string{"Bearer abc", "bearer  a.b.c", "Bearer", "Basic abc", "Bearer a, Bearer b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, field string) {
		token, err := rs.BearerToken([]string{field})
		if err != nil {
			assert.Empty(t, token)
			return
		}
		assert.True(t, strings.HasSuffix(strings.TrimRight(field, " \t"), " "+token))
		assert.False(t, strings.ContainsAny(token, " ,\"\t\r\n") || token == "")
		again, err := rs.BearerToken([]string{"Bearer " + token})
		require.NoError(t, err)
		assert.Equal(t, token, again)
	})
}
