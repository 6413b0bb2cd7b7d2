package strictjson_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/svcauth/svcauth/internal/strictjson"
)

func TestObject(t *testing.T) {
	nested := func(n int) string {
		return `{"a":` + strings.Repeat("[", n-1) + strings.Repeat("]", n-1) + `}`
	}
	for _, c := range []struct {
		name, in string
		want     error
	}{
		{"empty", `{}`, nil},
		{"spaces around", " \t\r\n{ } \n", nil},
		{"every kind of value", `{"a":null,"b":true,"c":false,"d":-1.5e+3,"e":"x","f":[1,[]],"g":{"h":{}}}`, nil},
		{"escapes", `{"a":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"}`, nil},
		{"names that differ in case", `{"a":1,"A":2}`, nil},
		{"the same name in two objects", `{"a":{"x":1},"b":{"x":1}}`, nil},
		{"deepest", nested(strictjson.MaxDepth), nil},
		{"longest number", `{"a":` + strings.Repeat("1", strictjson.MaxNumber) + `}`, nil},

		{"nothing", ``, strictjson.ErrSyntax},
		{"array", `[]`, strictjson.ErrSyntax},
		{"string", `"a"`, strictjson.ErrSyntax},
		{"null", `null`, strictjson.ErrSyntax},
		{"byte order mark", "\ufeff{}", strictjson.ErrSyntax},
		{"two objects", `{}{}`, strictjson.ErrSyntax},
		{"trailing word", `{} x`, strictjson.ErrSyntax},
		{"trailing comma", `{"a":1,}`, strictjson.ErrSyntax},
		{"trailing comma in array", `{"a":[1,]}`, strictjson.ErrSyntax},
		{"leading comma", `{,"a":1}`, strictjson.ErrSyntax},
		{"no colon", `{"a" 1}`, strictjson.ErrSyntax},
		{"no value", `{"a":}`, strictjson.ErrSyntax},
		{"no closing brace", `{"a":1`, strictjson.ErrSyntax},
		{"no closing bracket", `{"a":[1`, strictjson.ErrSyntax},
		{"no closing quote", `{"a":"b`, strictjson.ErrSyntax},
		{"bare name", `{a:1}`, strictjson.ErrSyntax},
		{"comment", `{/**/}`, strictjson.ErrSyntax},
		{"control character in a string", "{\"a\":\"\x01\"}", strictjson.ErrSyntax},
		{"newline after an escape", "{\"a\":\"\\n\n\"}", strictjson.ErrSyntax},
		{"unknown escape", `{"a":"\x41"}`, strictjson.ErrSyntax},
		{"short escape", `{"a":"\u12"}`, strictjson.ErrSyntax},
		{"escape at the end", `{"a":"\`, strictjson.ErrSyntax},
		{"leading zero", `{"a":01}`, strictjson.ErrSyntax},
		{"plus sign", `{"a":+1}`, strictjson.ErrSyntax},
		{"bare minus", `{"a":-}`, strictjson.ErrSyntax},
		{"no digits after the point", `{"a":1.}`, strictjson.ErrSyntax},
		{"no digits in the exponent", `{"a":1e}`, strictjson.ErrSyntax},
		{"NaN", `{"a":NaN}`, strictjson.ErrSyntax},
		{"upper-case literal", `{"a":True}`, strictjson.ErrSyntax},
		{"NUL", "{\"a\":\x00}", strictjson.ErrSyntax},

		{"name twice", `{"a":1,"a":1}`, strictjson.ErrDuplicate},
		{"name twice, once escaped", `{"a":1,"\u0061":1}`, strictjson.ErrDuplicate},
		{"name twice, deep", `{"a":[{"b":1,"b":2}]}`, strictjson.ErrDuplicate},

		{"invalid UTF-8", "{\"a\":\"\xff\"}", strictjson.ErrUTF8},
		{"lone high surrogate", `{"a":"\ud800"}`, strictjson.ErrUTF8},
		{"lone low surrogate", `{"a":"\udc00\udc00"}`, strictjson.ErrUTF8},
		{"high surrogate and a letter", `{"a":"\ud800\u0041"}`, strictjson.ErrUTF8},

		{"one too deep", nested(strictjson.MaxDepth + 1), strictjson.ErrDepth},
		{"far too deep", nested(100_000), strictjson.ErrDepth},
		{"objects too deep", strings.Repeat(`{"a":`, 1000), strictjson.ErrDepth},
		{"number too long", `{"a":` + strings.Repeat("1", strictjson.MaxNumber+1) + `}`, strictjson.ErrNumber},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := strictjson.Object([]byte(c.in))
			if c.want != nil {
				require.ErrorIs(t, err, c.want)
				require.Nil(t, got)
				return
			}
			require.NoError(t, err)
			require.Equal(t, lenient(t, []byte(c.in)), got)
		})
	}
}

func lenient(t *testing.T, data []byte) map[string]any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var want map[string]any
	require.NoError(t, d.Decode(&want))
	return want
}

// FuzzObject holds the reader against encoding/json: what it takes, encoding/json takes and understands alike.
func FuzzObject(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":[1,2.5e-3,"\u00e9\ud83d\ude00",null,true,{"b":"\\\""}]}`, `{"a":1,"a":2}`, `{"a":"\ud800"}`, `{"exp":1e999}`, "{\"a\":\"\xc3\"}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := strictjson.Object(data)
		if err != nil {
			assert.Nil(t, got)
			return
		}
		assert.Equal(t, lenient(t, data), got)
	})
}
