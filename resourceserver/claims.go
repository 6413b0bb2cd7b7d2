package resourceserver

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/svcauth/svcauth/internal/strictjson"
)

// Claims are the claims of a verified token (RFC 7519 §4), read-only and looked up by exact name: Go's JSON decoder would take "ROLES" for "roles".
// The zero value has no claims. Claims may be read concurrently. They print without their values, since those describe a person.
type Claims struct {
	members map[string]any // as strictjson.Object gives them; never written after it is set
}

// registered are the claims that decide about access. A name that differs from one of them only in case is refused: another reader might take it for the
// real one.
var registered = []string{
	"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "typ", "azp", "client_id", "scope", "scp", "nonce", "at_hash", "c_hash", "cnf", "sid", "auth_time", "acr",
	"realm_access", "resource_access", "preferred_username", "username", "email", "name", "roles", "groups",
}

var errFoldedName = errors.New("a claim name differs from a registered one only in case")

// decodeClaims is the one way from bytes to claims. What it refuses is in package strictjson, and case-folded registered names.
func decodeClaims(payload []byte) (Claims, error) {
	members, err := strictjson.Object(payload)
	if err != nil {
		return Claims{}, err
	}
	for name := range members {
		for _, r := range registered {
			if name != r && strings.EqualFold(name, r) {
				return Claims{}, errFoldedName
			}
		}
	}
	return Claims{members: members}, nil
}

// NewClaims makes Claims from values that encoding/json can encode, for tests of role mappers and handlers. It keeps no reference to m, and panics on a value
// that is no JSON, such as a channel.
func NewClaims(m map[string]any) Claims {
	if m == nil {
		return Claims{}
	}
	data, err := json.Marshal(m)
	if err != nil {
		panic("resourceserver: NewClaims: a value can't be encoded as JSON")
	}
	members, err := strictjson.Object(data)
	if err != nil {
		panic("resourceserver: NewClaims: " + err.Error())
	}
	return Claims{members: members}
}

// lookup walks down objects; each element of path is one whole name, dots and slashes included.
func (c Claims) lookup(path []string) (any, bool) {
	var value any = c.members
	for _, name := range path {
		object, ok := value.(map[string]any)
		if !ok {
			return nil, false
		}
		if value, ok = object[name]; !ok {
			return nil, false
		}
	}
	return value, len(path) > 0
}

// String returns the text at path, each argument one name, or "" if there is none or it is not a string.
func (c Claims) String(path ...string) string {
	value, _ := c.lookup(path)
	text, _ := value.(string)
	return text
}

// Strings returns a copy of the strings of the array at path, or the one string that stands there itself. Elements that are not strings are left out;
// anything else gives nil.
func (c Claims) Strings(path ...string) []string {
	value, _ := c.lookup(path)
	switch v := value.(type) {
	case string:
		return []string{v}
	case []any:
		var texts []string
		for _, element := range v {
			if text, ok := element.(string); ok {
				texts = append(texts, text)
			}
		}
		return texts
	}
	return nil
}

// Has reports whether a claim stands at path, null included.
func (c Claims) Has(path ...string) bool {
	_, ok := c.lookup(path)
	return ok
}

// Decode stores the value at path, or all claims without a path, in the value that into points to, as json.Unmarshal does, except that the names of struct
// fields match exactly. It returns an error if nothing stands there or the types don't fit.
func (c Claims) Decode(into any, path ...string) error {
	value, ok := c.lookup(path)
	if len(path) == 0 {
		value, ok = c.members, c.members != nil
	}
	if !ok {
		return fmt.Errorf("resourceserver: the token has no claim %q", strings.Join(path, " "))
	}
	if target := reflect.TypeOf(into); target != nil && target.Kind() == reflect.Pointer {
		value = exactNames(value, target.Elem())
	}
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("resourceserver: claim %q can't be decoded", strings.Join(path, " "))
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("resourceserver: claim %q does not fit a %T", strings.Join(path, " "), into)
	}
	return nil
}

// Format prints how many claims there are, for every verb.
func (c Claims) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "claims(%d)", len(c.members)) }

var unmarshaler = reflect.TypeFor[json.Unmarshaler]()

// exactNames returns value without the members that json.Unmarshal would store in a field of target by folding case.
func exactNames(value any, target reflect.Type) any {
	if reflect.PointerTo(target).Implements(unmarshaler) {
		return value
	}
	switch target.Kind() {
	case reflect.Pointer:
		return exactNames(value, target.Elem())
	case reflect.Slice, reflect.Array:
		elements, ok := value.([]any)
		if !ok {
			return value
		}
		out := make([]any, len(elements))
		for i, element := range elements {
			out[i] = exactNames(element, target.Elem())
		}
		return out
	case reflect.Map, reflect.Struct:
		members, ok := value.(map[string]any)
		if !ok {
			return value
		}
		out := make(map[string]any, len(members))
		for name, member := range members {
			if target.Kind() == reflect.Map {
				out[name] = exactNames(member, target.Elem())
			} else if field, ok := fieldNamed(target, name); ok {
				out[name] = exactNames(member, field)
			}
		}
		return out
	}
	return value
}

// fieldNamed returns the type of the field that the JSON name stands for exactly.
func fieldNamed(structure reflect.Type, name string) (reflect.Type, bool) {
	fields := reflect.VisibleFields(structure)
	i := slices.IndexFunc(fields, func(f reflect.StructField) bool {
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		return f.IsExported() && (tag == name || tag == "" && f.Name == name)
	})
	if i < 0 {
		return nil, false
	}
	return fields[i].Type, true
}
