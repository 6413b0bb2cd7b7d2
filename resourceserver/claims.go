package resourceserver

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/svcauth/svcauth/internal/strictjson"
)

// Claims are the claims of a verified token (RFC 7519 §4), read-only and looked up by exact name: Go's JSON decoder would
// take "ROLES" for "roles". The zero value has no claims. Claims may be read concurrently. They print without their values,
// since those describe a person. Their strings, like those of a Principal, are pieces of one text: strings.Clone one that is
// kept for long, or it keeps all claims of its token.
type Claims struct {
	object strictjson.Object
}

// registered are the claims that decide about access. A name that differs from one of them only in case is refused: another
// reader might take it for the real one.
var registered = []string{
	"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "typ", "azp", "client_id", "scope", "scp", "nonce", "at_hash", "c_hash",
	"cnf", "sid", "auth_time", "acr", "realm_access", "resource_access", "preferred_username", "username", "email", "name",
	"roles", "groups", "appid", "cid", "token_use",
}

var errFoldedName = errors.New("a claim name differs from a registered one only in case")

// decodeClaims is the one way from a token's payload to claims. What it refuses is in package strictjson, and case-folded
// registered names.
func decodeClaims(payload string) (Claims, error) {
	object, err := strictjson.Parse(payload)
	if err != nil {
		return Claims{}, err
	}
	for name := range object.Names {
		if folds(name, registered) {
			n := slices.IndexFunc(registered, func(r string) bool { return strings.EqualFold(name, r) })
			return Claims{}, fmt.Errorf("%w, %s", errFoldedName, registered[n])
		}
	}
	return Claims{object}, nil
}

// folds reports whether name differs from one of names, all in lower case, only in case.
func folds(name string, names []string) bool {
	for n := range len(name) {
		if c := name[n]; c >= 'A' && c <= 'Z' || c >= utf8.RuneSelf {
			return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(name, n) })
		}
	}
	return false // in lower case itself, as most are
}

// NewClaims makes Claims from values that encoding/json can encode, for tests of role mappers and handlers. It keeps no
// reference to m, and panics on a value that is no JSON, such as a channel, and on depths and numbers that no token may have:
// what others wrote is for ParseClaims.
func NewClaims(m map[string]any) Claims {
	if m == nil {
		return Claims{}
	}
	data, err := json.Marshal(m)
	if err != nil {
		panic("resourceserver: NewClaims: a value can't be encoded as JSON")
	}
	object, err := strictjson.Parse(string(data))
	if err != nil {
		panic("resourceserver: NewClaims: " + err.Error())
	}
	return Claims{object}
}

// ParseClaims reads one JSON object as strictly as Verify reads a token's claims: for claims that came on another way, from
// a gateway or an introspection endpoint for instance, to a RoleMapper or a handler. It verifies nothing: whoever calls it
// has to know where data is from. An error says what is wrong and nothing of the text.
func ParseClaims(data []byte) (Claims, error) {
	claims, err := decodeClaims(string(data))
	if err != nil {
		return Claims{}, fmt.Errorf("resourceserver: claims: %w", err)
	}
	return claims, nil
}

// lookup walks down objects; each element of path is one whole name, dots and slashes included.
func (c Claims) lookup(path ...string) strictjson.Value {
	if len(path) == 0 {
		return ""
	}
	value := c.object.Member(path[0])
	for _, name := range path[1:] {
		value = value.Member(name)
	}
	return value
}

// String returns the text at path, each argument one name, or "" if there is none or it is not a string.
func (c Claims) String(path ...string) string {
	text, _ := c.lookup(path...).Text()
	return text
}

// Strings returns a copy of the strings of the array at path, or the one string that stands there itself. Elements that are
// not strings are left out; anything else gives nil.
func (c Claims) Strings(path ...string) []string {
	value := c.lookup(path...)
	if text, ok := value.Text(); ok {
		return []string{text}
	}
	return texts(value)
}

// texts returns the strings among the elements of array.
func texts(array strictjson.Value) []string {
	var all []string
	for element := range array.Elements {
		if text, ok := element.Text(); ok {
			if all == nil {
				all = make([]string, 0, 8)
			}
			all = append(all, text)
		}
	}
	return all
}

// Has reports whether a claim stands at path, null included.
func (c Claims) Has(path ...string) bool { return c.lookup(path...) != "" }

// Decode stores the value at path, or all claims without a path, in the value that into points to, as json.Unmarshal does,
// except that the names of struct fields match exactly. It returns an error if nothing stands there or the types don't fit.
func (c Claims) Decode(into any, path ...string) error {
	text := c.lookup(path...)
	if len(path) == 0 {
		text = c.object.Value()
	}
	if text == "" {
		return fmt.Errorf("resourceserver: the token has no claim %q", strings.Join(path, " "))
	}
	data := []byte(text)
	if target := reflect.ValueOf(into); target.Kind() == reflect.Pointer && !target.IsNil() {
		var err error
		if data, err = withExactNames(data, target); err != nil {
			return fmt.Errorf("resourceserver: claim %q can't be decoded", strings.Join(path, " "))
		}
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("resourceserver: claim %q does not fit a %T", strings.Join(path, " "), into)
	}
	return nil
}

// Format prints how many claims there are, for every verb.
func (c Claims) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "claims(%d)", c.object.Len()) }
