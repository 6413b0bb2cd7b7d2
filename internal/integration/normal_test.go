package integration

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What makes two answers comparable: the values that are others each time become what they have in common.

// here replaces what names the issuer.
func here(one issuer, realm string, value any) any {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	base := strings.TrimSuffix(one.URL(realm), "/realms/"+realm)
	var out any
	if err := json.Unmarshal([]byte(strings.ReplaceAll(string(text), base, "BASE")), &out); err != nil {
		panic(err)
	}
	return out
}

// withoutTokens is what of an answer may stand in a log.
func withoutTokens(value any) any {
	if members, ok := value.(object); ok && members["access_token"] != nil {
		return "a token"
	}
	return value
}

// unordered sorts lists of texts.
func unordered(value any) any {
	list, ok := value.([]any)
	if !ok {
		return value
	}
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return list
}

// shape is what remains of a value that is another one each time: its type, and how long it is, roughly.
func shape(value any) any {
	switch value := value.(type) {
	case string:
		return "a text of about " + fmt.Sprint(len(value)/100*100)
	case []any:
		return fmt.Sprintf("a list of %d", len(value))
	}
	return fmt.Sprintf("%T", value)
}

// seconds rounds to tens, since a second may begin between two looks at a clock.
func seconds(value any) any {
	if n, ok := value.(float64); ok {
		return math.Round(n/10) * 10
	}
	return value
}

func words(value any) any {
	text, ok := value.(string)
	if !ok {
		return value
	}
	list := strings.Fields(text)
	slices.Sort(list)
	return list
}

// access is {"roles": […]}, in order.
func access(value any) any {
	if inner, ok := value.(object); ok {
		out := maps.Clone(inner)
		out["roles"] = unordered(out["roles"])
		return out
	}
	return value
}

func claims(t *testing.T, token string, n int) object {
	t.Helper()
	decoded, err := base64.RawURLEncoding.DecodeString(part(t, token, n))
	require.NoError(t, err)
	return decode(t, decoded)
}

func decode(t *testing.T, body []byte) object {
	t.Helper()
	var out object
	require.NoError(t, json.Unmarshal(body, &out), "%s", body)
	return out
}
