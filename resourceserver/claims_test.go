package resourceserver_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	rs "github.com/svcauth/svcauth/resourceserver"
)

func TestClaims(t *testing.T) {
	source := map[string]any{
		"email": "siva@example.com", "n": 5, "null": nil, "https://x.example/a.b": "dotted", "list": []any{"a", 1, "b", nil},
		"realm_access": map[string]any{"roles": []string{"ADMIN"}}, "deep": map[string]any{"a": map[string]any{"b": "c"}},
	}
	c := rs.NewClaims(source)
	source["email"] = "changed"

	assert.Equal(t, "siva@example.com", c.String("email"))
	assert.Equal(t, "dotted", c.String("https://x.example/a.b"))
	assert.Equal(t, "c", c.String("deep", "a", "b"))
	for _, path := range [][]string{nil, {"Email"}, {"n"}, {"null"}, {"none"}, {"deep"}, {"deep", "a"}, {"deep.a.b"}, {"email", "x"}, {"list"}} {
		assert.Empty(t, c.String(path...), "%q", path)
	}
	assert.Equal(t, []string{"a", "b"}, c.Strings("list"))
	assert.Equal(t, []string{"siva@example.com"}, c.Strings("email"))
	assert.Equal(t, []string{"ADMIN"}, c.Strings("realm_access", "roles"))
	assert.Nil(t, c.Strings("n"))
	assert.Nil(t, c.Strings("realm_access"))
	c.Strings("list")[0] = "changed"
	assert.Equal(t, []string{"a", "b"}, c.Strings("list"), "what is handed out is a copy")
	assert.True(t, c.Has("null"))
	assert.False(t, c.Has("Null"))

	var zero rs.Claims
	assert.Empty(t, zero.String("x"))
	assert.Nil(t, zero.Strings("x"))
	require.Error(t, zero.Decode(new(any)))
	assert.Equal(t, zero, rs.NewClaims(nil))
	assert.Panics(t, func() { rs.NewClaims(map[string]any{"x": make(chan int)}) })
}

func TestClaimsDecode(t *testing.T) {
	c := rs.NewClaims(map[string]any{
		"team": "a", "TEAM": "b", "Level": 7, "nested": []any{map[string]any{"ID": "wrong"}, map[string]any{"id": "right"}},
		"by_name": map[string]any{"x": map[string]any{"Id": "wrong"}},
	})
	type item struct {
		ID string `json:"id"`
	}
	var got struct {
		Team   string `json:"team"`
		Level  int
		Nested []*item         `json:"nested"`
		ByName map[string]item `json:"by_name"`
		Absent string          `json:"absent"`
	}
	require.NoError(t, c.Decode(&got))
	assert.Equal(t, "a", got.Team)
	assert.Equal(t, 7, got.Level)
	assert.Equal(t, "", got.Nested[0].ID, "another case is another name")
	assert.Equal(t, "right", got.Nested[1].ID)
	assert.Equal(t, "", got.ByName["x"].ID)

	var level int
	require.NoError(t, c.Decode(&level, "Level"))
	assert.Equal(t, 7, level)
	var raw json.RawMessage
	require.NoError(t, c.Decode(&raw, "nested"))
	assert.JSONEq(t, `[{"ID":"wrong"},{"id":"right"}]`, string(raw))
	require.ErrorContains(t, c.Decode(&level, "team"), `"team"`)
	require.ErrorContains(t, c.Decode(&level, "none"), `no claim "none"`)
	require.Error(t, c.Decode(nil, "team"))
	require.Error(t, c.Decode(level, "Level"))
}

// Embedded is exported, so that its name might be taken for a claim's.
type Embedded struct {
	Admin bool `json:"admin"`
}

// Twin has the same claim at the same depth.
type Twin struct {
	Other bool `json:"admin"`
}

// TestDecodeFoldsNoName holds that no claim is stored in a field of another name, however json.Unmarshal comes by the field.
func TestDecodeFoldsNoName(t *testing.T) {
	upper, lower := `{"ADMIN":true,"m":{"k":{"ADMIN":true}},"l":[{"ADMIN":true}]}`, `{"admin":true,"Embedded":true}`
	var leaf Embedded
	var held any = &leaf
	pointer := &leaf
	var itself any
	itself = &itself
	for name, into := range map[string]any{
		"a struct":                &leaf,
		"pointer to a pointer":    &pointer,
		"pointer in an interface": &held,
		"pointer in a field": &struct {
			M any `json:"m"`
		}{&struct {
			K any `json:"k"`
		}{&leaf}},
		"pointer in a slice": &struct {
			L []any `json:"l"`
		}{[]any{&leaf}},
		"an interface that holds itself": &itself,
	} {
		t.Run(name, func(t *testing.T) {
			claims, err := rs.ParseClaims([]byte(upper))
			require.NoError(t, err)
			leaf = Embedded{}
			require.NoError(t, claims.Decode(into))
			assert.False(t, leaf.Admin)
		})
	}

	decode := func(text string, into any) {
		t.Helper()
		claims, err := rs.ParseClaims([]byte(text))
		require.NoError(t, err)
		require.NoError(t, claims.Decode(into))
	}
	var untagged struct {
		Embedded
		Is bool `json:"embedded"`
	}
	decode(lower, &untagged)
	assert.False(t, untagged.Is, "an embedded struct without a tag has no name")
	assert.True(t, untagged.Admin, "but its fields have")

	var tagged struct {
		Embedded `json:"inner"`
		Is       bool `json:"ADMIN"`
	}
	decode(lower, &tagged)
	assert.False(t, tagged.Is, "the fields of an embedded struct with a tag are in it")
	decode(`{"inner":{"admin":true,"ADMIN":false}}`, &tagged)
	assert.True(t, tagged.Admin)

	var ambiguous struct {
		Embedded
		*Twin
		Is bool `json:"ADMIN"`
	}
	decode(lower, &ambiguous)
	assert.False(t, ambiguous.Is, "of two fields with one name none counts")

	var outer struct{ *Twin }
	decode(lower, &outer)
	assert.True(t, outer.Other, "an embedded struct is made where it is needed")

	var preset = struct {
		Level int             `json:"level"`
		Twin  *Twin           `json:"twin"`
		When  json.RawMessage `json:"when"`
	}{Level: 7, Twin: &Twin{}}
	twin := preset.Twin
	decode(`{"twin":{"admin":true,"Admin":false},"when":{"A":1}}`, &preset)
	assert.Equal(t, 7, preset.Level, "what no claim names stays")
	assert.Same(t, twin, preset.Twin)
	assert.True(t, twin.Other)
	assert.JSONEq(t, `{"A":1}`, string(preset.When))
}

// TestDecodeOfManyMembers holds that a struct's fields are looked at once, not once a member.
func TestDecodeOfManyMembers(t *testing.T) {
	many := map[string]any{}
	for n := range 1300 {
		many[fmt.Sprint("member-", n)] = 1
	}
	c := rs.NewClaims(many)
	var into struct {
		A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P int
	}
	plain := map[string]int{}
	assert.Less(t, perCall(func() { _ = c.Decode(&into) }), 2*perCall(func() { _ = c.Decode(&plain) }))
}

func TestParseClaims(t *testing.T) {
	deep := func(n int) string { return `{"a":` + strings.Repeat("[", n-1) + strings.Repeat("]", n-1) + "}" }
	for _, c := range []struct {
		name, text, want string // want: part of the error; empty if there is none
	}{
		{"empty object", `{}`, ""},
		{"spaces around", " {} \n", ""},
		{"names that are not registered in any case", `{"Team":1,"team":2}`, ""},
		{"as deep as may be", deep(16), ""},

		{"nothing", ``, "not a JSON object"},
		{"null", `null`, "not a JSON object"},
		{"array", `[]`, "not a JSON object"},
		{"text after it", `{} {}`, "not a JSON object"},
		{"name twice", `{"a":1,"a":2}`, "stands twice"},
		{"name twice inside", `{"a":{"b":1,"\u0062":2}}`, "stands twice"},
		{"registered name in another case", `{"Roles":[]}`, "only in case"},
		{"registered name with a letter that folds", `{"ſcope":"a"}`, "only in case"},
		{"registered name in another case, escaped", `{"\u0053cope":"a"}`, "only in case"},
		{"invalid UTF-8", "{\"a\":\"\xff\"}", "UTF-8"},
		{"lone surrogate", `{"a":"\ud800"}`, "UTF-8"},
		{"too deep", deep(17), "too deep"},
		{"endless number", `{"a":` + strings.Repeat("1", 33) + `}`, "number is too long"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := rs.ParseClaims([]byte(c.text))
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, "resourceserver: claims: ")
			require.ErrorContains(t, err, c.want)
			assert.Equal(t, rs.Claims{}, got)
		})
	}
	data := []byte(`{"sub":"b1c5","realm_access":{"roles":["ADMIN",1,"\u0041"]},"a":null}`)
	c, err := rs.ParseClaims(data)
	require.NoError(t, err)
	clear(data)
	assert.Equal(t, "b1c5", c.String("sub"), "data is copied")
	assert.Equal(t, []string{"ADMIN", "A"}, c.Strings("realm_access", "roles"))
	assert.True(t, c.Has("a"))
}

// FuzzParseClaims holds every way to read claims to what encoding/json makes of the same text.
func FuzzParseClaims(f *testing.F) {
	for _, text := range []string{`{}`, `{"a":["b","\"",{"c":"d"}],"e":{"f":"g"},"h":1.5e3,"i":null,"j":true}`, `{"\u0061":"\/","b\"":[[]]}`, `{"a":"x","A":["x"]}`, `{"Aud":1}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := rs.ParseClaims(data)
		if err != nil {
			require.Equal(t, rs.Claims{}, c)
			return
		}
		want := readMembers(t, string(data))
		var all map[string]json.RawMessage
		require.NoError(t, c.Decode(&all))
		require.Len(t, all, len(want))
		for name, value := range want {
			require.True(t, c.Has(name))
			text, _ := value.(string)
			require.Equal(t, text, c.String(name))
			require.Equal(t, stringsOf(value), c.Strings(name))
			if object, ok := value.(map[string]any); ok {
				for inner, value := range object {
					require.True(t, c.Has(name, inner))
					require.Equal(t, stringsOf(value), c.Strings(name, inner))
				}
			}
		}
		require.False(t, c.Has("no such claim"))
	})
}

// stringsOf is what Claims.Strings promises.
func stringsOf(value any) []string {
	if text, ok := value.(string); ok {
		return []string{text}
	}
	var texts []string
	elements, _ := value.([]any)
	for _, element := range elements {
		if text, ok := element.(string); ok {
			texts = append(texts, text)
		}
	}
	return texts
}

func TestClaimsPrintNoValues(t *testing.T) {
	c := rs.NewClaims(map[string]any{"email": "siva@example.com"})
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d"} {
		assert.NotContains(t, fmt.Sprintf(verb, c), "siva")
		assert.NotContains(t, fmt.Sprintf(verb, &rs.Principal{Claims: c}), "siva@")
	}
	data, err := json.Marshal(c)
	require.NoError(t, err)
	assert.NotContains(t, string(data), "siva")
}

func TestRoleMappers(t *testing.T) {
	c := rs.NewClaims(map[string]any{"roles": []any{"A", 1, "B"}, "https://x.example/roles": "C", "a": map[string]any{"b.c": []string{"D"}}})
	assert.Equal(t, []string{"A", "B"}, rs.RolesFromClaim("roles")(c))
	assert.Equal(t, []string{"C"}, rs.RolesFromClaim("https://x.example/roles")(c))
	assert.Equal(t, []string{"D"}, rs.RolesFromClaim("a", "b.c")(c))
	assert.Empty(t, rs.RolesFromClaim("none")(c))
	assert.Equal(t, []string{"A", "B", "D"}, rs.MergeRoles(rs.RolesFromClaim("roles"), rs.RolesFromClaim("a", "b.c"))(c))
}
