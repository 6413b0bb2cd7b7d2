package integration

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// allowed are the only differences between Keycloak and the embedded realm that there may be, as a regular expression for each with its reason. A difference is
// a line "case: what: value at Keycloak | value at the embedded realm". One that matches no difference any more fails the test too.
var allowed = []struct{ difference, reason string }{
	{`discovery: \w+: .* \| nothing`, "what is not served is not advertised"},
	{`discovery: (.+_(types|values|methods|modes)|request(_uri)?_parameter)_supported: .*`, "Keycloak lists more than is served here"},
	{`other grant (password|token-exchange|jwt-bearer): body: .*`, "grants that are not served are refused before the client's right to them is looked at"},
	{`content type unreadable: (body|Content-Type|Cache-Control|Pragma|.*-.*): .*`, "an internal error of Keycloak's framework, with an id of its own"},
	{`many parameters: .*`, "Keycloak fails over a thousand parameters; a test has no use for that"},
	{`OPTIONS.*: X-Frame-Options: .*`, "set on every answer here"},
}

func TestEmbeddedRealmAnswersAsKeycloakDoes(t *testing.T) {
	d := &differ{t: t}
	t.Run("documents", d.documents)
	t.Run("token endpoint", d.tokenEndpoint)
	t.Run("tokens of people", d.personTokens)
	t.Run("refused sign-ins", d.refusedSignIns)

	used := make([]bool, len(allowed))
	for _, line := range d.lines {
		known := false
		for i, a := range allowed {
			if regexp.MustCompile("^(?:" + a.difference + ")$").MatchString(line) {
				used[i], known = true, true
			}
		}
		assert.True(t, known, "a difference that is not allowed: %s", line)
	}
	for i, a := range allowed {
		assert.True(t, used[i], "allowed, but there is no such difference any more: %s (%s)", a.difference, a.reason)
	}
	t.Logf("%d requests, %d differences:\n%s", d.requests, len(d.lines), strings.Join(d.lines, "\n"))
}

// differ collects differences.
type differ struct {
	t        *testing.T
	requests int
	lines    []string
}

func (d *differ) differs(where, what string, real, embedded any) {
	d.lines = append(d.lines, strings.ReplaceAll(fmt.Sprintf("%s: %s: %v | %v", where, what, clip(real), clip(embedded)), "\n", " "))
}

func clip(v any) any {
	if text, err := json.Marshal(v); err == nil && len(text) > 300 {
		return string(text[:300]) + "…"
	} else if err == nil && v != nil {
		return string(text)
	}
	return "nothing"
}

// members compares two objects, after normal has made their values comparable.
func (d *differ) members(where string, real, embedded object, normal func(name string, value any) any) {
	names := slices.Collect(maps.Keys(real))
	for name := range embedded {
		if _, ok := real[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		r, e := normal(name, real[name]), normal(name, embedded[name])
		if !assert.ObjectsAreEqual(r, e) {
			d.differs(where, name, r, e)
		}
	}
}

// The headers that a client, a browser or a proxy acts on.
var compared = []string{
	"Content-Type", "Cache-Control", "Pragma", "WWW-Authenticate", "Allow", "Retry-After", "Referrer-Policy", "Strict-Transport-Security", "X-Content-Type-Options",
	"X-Frame-Options", "X-Robots-Tag",
}

// both sends the same request to both realms, and compares status and headers.
func (d *differ) both(t *testing.T, where, method, realm, path string, header http.Header, body string) (real, embedded answer) {
	t.Helper()
	d.requests++
	got := map[string]answer{}
	for _, one := range []issuer{theKeycloak, theEmbedded} {
		base := strings.Replace(one.URL(sivalabs), sivalabs, realm, 1)
		if realm == wide {
			base = one.URL(wide) // the embedded one is another server
		}
		request, err := http.NewRequestWithContext(t.Context(), method, base+path, strings.NewReader(body))
		require.NoError(t, err)
		if header != nil {
			request.Header = header.Clone()
		}
		got[one.Name()] = do(t, request)
	}
	real, embedded = got["keycloak"], got["embedded"]
	d.heads(where, real, embedded)
	return real, embedded
}

// heads compares status and headers.
func (d *differ) heads(where string, real, embedded answer) {
	if real.status != embedded.status {
		d.differs(where, "status", real.status, embedded.status)
	}
	for _, name := range compared {
		r, e := real.header.Values(name), embedded.header.Values(name)
		if !slices.Equal(r, e) {
			d.differs(where, name, r, e)
		}
	}
}

// bodies compares those that are not tokens: as JSON, or byte for byte.
func (d *differ) bodies(where string, real, embedded answer) {
	var r, e any
	if json.Unmarshal(real.body, &r) != nil || json.Unmarshal(embedded.body, &e) != nil {
		r, e = string(real.body), string(embedded.body)
	}
	if !assert.ObjectsAreEqual(r, e) {
		d.differs(where, "body", withoutTokens(r), withoutTokens(e))
	}
}

// answers compares what a token endpoint said.
func (d *differ) answers(t *testing.T, where, realm string, real, embedded answer) {
	t.Helper()
	if real.status != http.StatusOK || embedded.status != http.StatusOK {
		d.bodies(where, real, embedded)
		return
	}
	r, e := decode(t, real.body), decode(t, embedded.body)
	d.members(where, r, e, func(name string, value any) any {
		switch name {
		case "access_token", "id_token", "refresh_token":
			return value != nil
		case "session_state":
			return shape(value)
		case "scope":
			return words(value)
		case "expires_in", "refresh_expires_in": // what is left of it when Keycloak writes the answer
			return seconds(value)
		}
		return value
	})
	for _, name := range []string{"access_token", "id_token", "refresh_token"} {
		realToken, _ := r[name].(string)
		embeddedToken, _ := e[name].(string)
		if realToken != "" && embeddedToken != "" {
			d.token(t, where+", "+name, realm, realToken, embeddedToken)
		}
	}
}

// token compares header and claims. What is another value each time is compared by its type; times by what they are after iat.
func (d *differ) token(t *testing.T, where, realm, real, embedded string) {
	t.Helper()
	d.members(where+", header", claims(t, real, 0), claims(t, embedded, 0), func(name string, value any) any {
		if name == "kid" {
			return shape(value)
		}
		return value
	})
	normalised := func(one issuer, token string) object {
		c := here(one, realm, claims(t, token, 1)).(object)
		iat := c["iat"].(float64)
		for _, name := range []string{"exp", "auth_time"} {
			if at, ok := c[name].(float64); ok {
				c[name] = seconds(at - iat)
			}
		}
		return c
	}
	d.members(where+", claims", normalised(theKeycloak, real), normalised(theEmbedded, embedded), func(name string, value any) any {
		switch name {
		case "iat", "sub", "sid", "at_hash":
			return shape(value)
		case "jti":
			if text, ok := value.(string); ok { // kind and UUID
				return regexp.MustCompile(`[0-9a-f-]{36}$`).ReplaceAllString(text, "UUID")
			}
		case "scope":
			return words(value)
		case "aud", "aud_x", "groups", "allowed-origins": // in another order after each import
			return unordered(value)
		case "realm_access":
			return access(value)
		case "resource_access":
			if clients, ok := value.(object); ok {
				out := object{}
				for id, roles := range clients {
					out[id] = access(roles)
				}
				return out
			}
		}
		return value
	})
}
