package resourceserver_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	rs "github.com/svcauth/svcauth/resourceserver"
)

// readMembers reads an object with encoding/json, member by member, and fails if a name comes twice.
func readMembers(t *testing.T, text string) map[string]any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	start, err := d.Token()
	require.NoError(t, err)
	require.Equal(t, json.Delim('{'), start)
	members := map[string]any{}
	for d.More() {
		name, err := d.Token()
		require.NoError(t, err)
		require.NotContains(t, members, name, "a name that stands twice was accepted")
		var value any
		require.NoError(t, d.Decode(&value))
		members[name.(string)] = value
	}
	_, err = d.Token()
	require.NoError(t, err)
	_, err = d.Token()
	require.ErrorIs(t, err, io.EOF, "something after the object was accepted")
	return members
}

// FuzzVerifySigned gives header and payload of any text a genuine signature. What is then accepted must read the same to a reader that is strict and to one
// that folds case and takes the last of two: encoding/json.
func FuzzVerifySigned(f *testing.F) {
	key := keyFor("EdDSA")
	auth := newAuth(f, newFakeIssuer(key).config())
	body := payload(good(claims{"exp": 99999999999}))
	for _, head := range []string{
		`{"alg":"EdDSA"}`, `{"alg":"EdDSA","typ":"at+jwt","kid":"x"}`, `{"alg":"EdDSA","ALG":"none"}`, `{"alg":"none","alg":"EdDSA"}`, "{\"alg\":\"EdDSA\",\"x\":\"\xff\"}",
		`{"alg":"EdDSA","crit":["b64"],"b64":false}`, ` {"alg" : "EdDSA"} `, `{"alg":"Ed\u0044SA"}`,
	} {
		f.Add(head, body)
	}
	for _, member := range []string{
		`,"ISS":"x"`, `,"iss":"x"`, `,"ſub":"x"`, `,"x":1e400`, `,"nbf":1e300`, `,"iat":-0`, `,"x":"\ud800"`, `,"cnf":{}`, `,"nonce":null`, `,"x":{"y":1,"y":2}`, `}{`, "\x00",
		`,"nbf":0.000000000000000000000000000001`, `,"\u0073cope":"a b"`, `,"":1`, `,"Aud\u0000":1`,
	} {
		f.Add(`{"alg":"EdDSA"}`, body[:len(body)-1]+member+"}")
	}
	f.Fuzz(func(t *testing.T, head, body string) {
		p, err := auth.Verify(t.Context(), signText(key, head, body))
		if err != nil {
			var refused *rs.Error
			require.ErrorAs(t, err, &refused)
			require.Equal(t, 401, refused.Status, "a token that is signed needs no other key")
			return
		}
		header := readMembers(t, head)
		assert.Contains(t, []any{"EdDSA", "Ed25519"}, header["alg"])
		for _, name := range []string{"crit", "b64", "zip", "enc"} {
			assert.NotContains(t, header, name)
		}
		members := readMembers(t, body)
		var folded struct {
			Iss, Sub, Typ, Azp string
			Aud, Cnf           any
			Exp                json.Number
			Nbf                *float64
		}
		require.NoError(t, json.Unmarshal([]byte(body), &folded), "a claim reads as another type when case is folded")
		assert.Equal(t, issuerName, p.Issuer)
		assert.Equal(t, p.Issuer, members["iss"])
		assert.Equal(t, p.Issuer, folded.Iss)
		assert.Equal(t, p.Subject, folded.Sub)
		assert.Equal(t, members["aud"], folded.Aud)
		assert.Contains(t, body, "essages-service") // its first letter may be escaped
		assert.Nil(t, folded.Cnf)
		seconds, err := folded.Exp.Float64()
		require.NoError(t, err)
		assert.Greater(t, seconds, float64(time.Now().Add(-2*time.Minute).Unix()))
		if folded.Nbf != nil {
			assert.Less(t, *folded.Nbf, float64(time.Now().Add(2*time.Minute).Unix()))
		}
		assert.False(t, p.Expiry.Before(time.Now().Add(-2*time.Minute)))
	})
}

// readChallenge reads a WWW-Authenticate value as exactly one Bearer challenge (RFC 9110 §11.6.1, RFC 6750 §3), and fails on all else.
func readChallenge(t *testing.T, value string) map[string]string {
	t.Helper()
	for _, c := range []byte(value) {
		require.True(t, c == '\t' || c >= 0x20 && c != 0x7f, "control character in %q", value)
	}
	rest, found := strings.CutPrefix(value, "Bearer")
	require.True(t, found, "%q", value)
	params := map[string]string{}
	for first := true; rest != ""; first = false {
		separator := ", "
		if first {
			separator = " "
		}
		rest, found = strings.CutPrefix(rest, separator)
		require.True(t, found, "%q", value)
		name, after, found := strings.Cut(rest, `="`)
		require.True(t, found, "%q", value)
		text, after, found := strings.Cut(after, `"`)
		require.True(t, found, "%q", value)
		require.NotContains(t, params, name, "%q", value)
		require.Contains(t, []string{"error", "error_description", "scope"}, name, "%q", value)
		for _, c := range []byte(text) { // RFC 6750 §3: all three exclude quotes and backslashes, and what is outside ASCII
			require.True(t, c >= 0x20 && c <= 0x7e && c != '\\', "%q", value)
		}
		params[name], rest = text, after
	}
	return params
}

// ownRule refuses with any error.
type ownRule struct{ err error }

func (r ownRule) Check(*http.Request, *rs.Principal) error { return r.err }
func (r ownRule) String() string                           { return "own rule" }

// FuzzRefuse holds that whatever error a caller brings, the answer is one of the fixed ones: one well-formed challenge, a JSON body, and nothing of the caller's.
func FuzzRefuse(f *testing.F) {
	f.Add("invalid_signature", 401, "invalid_token", "the signature is not valid", "hint", "messages:write")
	f.Add("missing_scope", 403, "insufficient_scope", "\r\nSet-Cookie: a=b", `"quoted\`, `a"b`)
	f.Add("keys_unavailable", 200, `x", scope="admin`, "é\x00", "", "a b")
	f.Add("nonsense", -1, "", "", "\xff", "")
	f.Add("multiple_authorization", 400, "invalid_request", "Bearer, Basic realm=\"x\"", "", "\x7f")
	auth := newAuth(f, newFakeIssuer(keyFor("EdDSA")).config())
	answer := func(err error) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		auth.Refuse(w, httptest.NewRequest("GET", "/", nil), err)
		return w
	}
	f.Fuzz(func(t *testing.T, reason string, status int, code, description, hint, scope string) {
		made := &rs.Error{Reason: rs.Reason(reason), Status: status, Code: code, Description: description, Hint: hint}
		fixed := answer(&rs.Error{Reason: rs.Reason(reason)})
		errs := []error{made, errors.Join(errors.New(description), made), errors.New(description), nil, (*rs.Error)(nil)}
		var needs rs.Rule
		func() {
			defer func() { _ = recover() }() // no scope-token: refused where the route is built
			needs = rs.Scope(scope)
		}()
		if needs != nil {
			errs = append(errs, needs.Check(nil, &rs.Principal{}))
		}
		for n, err := range errs {
			w := answer(err)
			require.Contains(t, []int{400, 401, 403, 503}, w.Code)
			values := w.Header().Values("WWW-Authenticate")
			if w.Code == 503 {
				require.Empty(t, values)
				require.NotEmpty(t, w.Header().Get("Retry-After"))
			} else {
				require.Len(t, values, 1)
				params := readChallenge(t, values[0])
				require.Equal(t, params["error"] == "", w.Code == 401 && reason == string(rs.ReasonMissingToken))
				if n == 5 {
					require.Equal(t, scope, params["scope"])
				} else {
					require.NotContains(t, params, "scope")
				}
			}
			var problem struct {
				Type, Title, Detail, Error string
				Status                     int
			}
			d := json.NewDecoder(bytes.NewReader(w.Body.Bytes()))
			d.DisallowUnknownFields()
			require.NoError(t, d.Decode(&problem))
			require.Equal(t, w.Code, problem.Status)
			if n < 2 {
				require.Equal(t, fixed.Code, w.Code)
				require.Equal(t, fixed.Header(), w.Header())
				require.Equal(t, fixed.Body.String(), w.Body.String())
			}
		}
		require.NotPanics(t, func() { get(auth.Require(ownRule{made})(ok), "Bearer "+goodToken()) })
	})
}
