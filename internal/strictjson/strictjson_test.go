package strictjson_test

import (
	"encoding/json"
	"fmt"
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
		{"no comma", `{"a":1 "b":2}`, strictjson.ErrSyntax},
		{"no comma in array", `{"a":[1 2]}`, strictjson.ErrSyntax},
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
		{"too large", strings.Repeat(" ", strictjson.MaxSize-1) + "{}", strictjson.ErrSize},
		{"number too long", `{"a":` + strings.Repeat("1", strictjson.MaxNumber+1) + `}`, strictjson.ErrNumber},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := strictjson.Parse(c.in)
			if c.want != nil {
				require.ErrorIs(t, err, c.want)
				require.Equal(t, strictjson.Object{}, got)
				return
			}
			require.NoError(t, err)
			requireReadsAs(t, lenient(t, c.in), got)
		})
	}
}

func lenient(t *testing.T, text string) map[string]any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var want map[string]any
	require.NoError(t, d.Decode(&want))
	return want
}

// requireReadsAs holds every way to read o to what encoding/json makes of its text.
func requireReadsAs(t *testing.T, want map[string]any, o strictjson.Object) {
	t.Helper()
	require.Equal(t, len(want), o.Len())
	require.Equal(t, want, tree(t, o.Value()))
	names := map[string]bool{}
	for name := range o.Names {
		names[name] = true
		require.Contains(t, want, name)
		require.Equal(t, want[name], tree(t, o.Member(name)))
	}
	require.Len(t, names, o.Len())
	for _, name := range []string{"", "a", `\u0061`, `a"`, `a":1`, "none"} {
		if !names[name] {
			require.Empty(t, o.Member(name), "%q", name)
		}
	}
}

// tree makes of v what encoding/json would.
func tree(t *testing.T, v strictjson.Value) any {
	t.Helper()
	text, isText := v.Text()
	require.Equal(t, isText, v.Kind() == strictjson.KindText)
	switch v.Kind() {
	case strictjson.KindText:
		return text
	case strictjson.KindNumber:
		return json.Number(v)
	case strictjson.KindBool:
		return v == "true"
	case strictjson.KindNull:
		require.EqualValues(t, "null", v)
		return nil
	case strictjson.KindArray:
		elements := []any{}
		for element := range v.Elements {
			elements = append(elements, tree(t, element))
		}
		return elements
	case strictjson.KindObject:
		members := map[string]any{}
		for name, member := range v.Members {
			require.NotContains(t, members, name)
			require.Equal(t, member, v.Member(name))
			members[name] = tree(t, member)
		}
		return members
	}
	require.Fail(t, "no value", "%q", v)
	return nil
}

func TestManyNames(t *testing.T) {
	var b strings.Builder
	want := map[string]any{}
	for n := range 300 {
		fmt.Fprintf(&b, `,"name-%d":%d`, n, n)
		want[fmt.Sprint("name-", n)] = json.Number(fmt.Sprint(n))
	}
	many := "{" + b.String()[1:]
	o, err := strictjson.Parse(many + "}")
	require.NoError(t, err)
	requireReadsAs(t, want, o)
	for _, n := range []int{0, 1, 30, 31, 32, 33, 34, 100, 299} {
		_, err := strictjson.Parse(fmt.Sprintf(`%s,"name-%d":0}`, many, n))
		require.ErrorIs(t, err, strictjson.ErrDuplicate, "name-%d", n)
		_, err = strictjson.Parse(fmt.Sprintf(`{"a":[%s,"name-%d":0}]}`, many, n))
		require.ErrorIs(t, err, strictjson.ErrDuplicate, "name-%d", n)
	}
}

// TestPlaces holds that names are found however long they are and wherever they stand.
func TestPlaces(t *testing.T) {
	for _, length := range []int{0, 1, 253, 254, 255, 256, 257, 1000} {
		name := strings.Repeat("n", length)
		text := fmt.Sprintf(`{"-":[],%q:"one",%q:"two","%s\\":"three","\u0041%s":"four"}`, name, name+"x", name, name)
		o, err := strictjson.Parse(text)
		require.NoError(t, err)
		requireReadsAs(t, map[string]any{"-": []any{}, name: "one", name + "x": "two", name + `\`: "three", "A" + name: "four"}, o)
		assert.Empty(t, o.Member("\\u0041"+name), "a name is not how it is written")
		assert.Empty(t, o.Member(name+"xx"))
	}
	const members = `{"first":1,"second":[2]}`
	o, err := strictjson.Parse(strings.Repeat(" ", strictjson.MaxSize-len(members)) + members)
	require.NoError(t, err)
	assert.EqualValues(t, "1", o.Member("first"))
	assert.EqualValues(t, "[2]", o.Member("second"))
	assert.EqualValues(t, members, o.Value())
}

func TestValueIsNothingElse(t *testing.T) {
	o, err := strictjson.Parse(` {"text":"a","number":1,"null":null,"bool":true,"array":["a",{"a":1}],"object":{"a":["b"],"\u0062":2}} `)
	require.NoError(t, err)
	var zero strictjson.Object
	for _, v := range []strictjson.Value{o.Member("none"), o.Member("text"), o.Member("number"), o.Member("null"), o.Member("bool"), o.Member("array"), zero.Value(), zero.Member("a")} {
		assert.Empty(t, v.Member("a"), "%q", v)
		for range v.Members {
			assert.Equal(t, strictjson.KindObject, v.Kind())
		}
	}
	for _, name := range []string{"none", "text", "number", "null", "bool", "object"} {
		for range o.Member(name).Elements {
			assert.Fail(t, "elements", name)
		}
		_, isText := o.Member(name).Text()
		assert.Equal(t, name == "text", isText, name)
	}
	assert.EqualValues(t, `["b"]`, o.Member("object").Member("a"))
	assert.EqualValues(t, "2", o.Member("object").Member("b"), "however it is written")
	assert.Equal(t, strictjson.KindNone, o.Member("none").Kind())
	assert.Empty(t, zero.Value())
	assert.Zero(t, zero.Len())
	for range o.Names { // whoever asks may stop
		break
	}
	for range o.Member("array").Elements {
		break
	}
	for range o.Member("object").Members {
		break
	}
}

// FuzzObject holds the reader against encoding/json: what it takes, encoding/json takes and understands alike.
func FuzzObject(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":[1,2.5e-3,"\u00e9\ud83d\ude00",null,true,{"b":"\\\""}]}`, `{"a":1,"a":2}`, `{"a":"\ud800"}`, `{"exp":1e999}`, "{\"a\":\"\xc3\"}",
		`{"\u0061":1,"b\"":{"\/":[[],{}, "" ]}}`, "\t{ \"a\" : [ 1 , 2 ] , \"b\" : { \"c\" : 3 } } "} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := strictjson.Parse(string(data))
		if err != nil {
			assert.Equal(t, strictjson.Object{}, got)
			return
		}
		requireReadsAs(t, lenient(t, string(data)), got)
	})
}
