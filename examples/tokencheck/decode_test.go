package main

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var b64 = base64.RawURLEncoding.EncodeToString

func part(json string) string { return b64([]byte(json)) }

func TestDecode(t *testing.T) {
	head, body := part(`{"alg":"RS256"}`), part(`{"iss":"x"}`)
	for _, c := range []struct{ token, header, claims, problem string }{
		{head + "." + body + ".c2ln", `{"alg":"RS256"}`, `{"iss":"x"}`, ""},
		{head + "." + body + ".", `{"alg":"RS256"}`, `{"iss":"x"}`, ""},
		{head + "." + part(" { \"a\" : 1.50 ,\n\"a\":2}") + ".", `{"alg":"RS256"}`, `{"a":1.50,"a":2}`, ""},
		{head + "." + part(`{}`) + ".", `{"alg":"RS256"}`, `{}`, ""},
		{"", "", "", "it has 1"},
		{"opaque", "", "", "it has 1"},
		{head + "." + body, "", "", "it has 2"},
		{head + "....", `{"alg":"RS256"}`, "", "encrypted"},
		{"a+b." + body + ".", "", "", "its header can't be read: it is not base64url"},
		{part(`[]`) + "." + body + ".", "", "", "its header can't be read: it is not a JSON object"},
		{part(`null`) + "." + body + ".", "", "", "its header can't be read: it is not a JSON object"},
		{head + "." + part(`{"a":1}{}`) + ".", `{"alg":"RS256"}`, "", "its claims can't be read: it is not a JSON object"},
		{head + "." + part(strings.Repeat(`{"a":`, 20_000)) + ".", `{"alg":"RS256"}`, "", "its claims can't be read"},
	} {
		d := decode(c.token, time.Now())
		assert.Equal(t, c.header, string(d.Header), c.token)
		assert.Equal(t, c.claims, string(d.Claims), c.token)
		assert.Contains(t, d.Problem, c.problem, c.token)
		assert.Equal(t, c.problem == "", d.Problem == "", c.token)
	}
}

func TestTimes(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	for _, c := range []struct{ claims, time, relative string }{
		{`{"exp":1800000299}`, "2027-01-15T08:04:59Z", "in 4m59s"},
		{`{"iat":1799999880}`, "2027-01-15T07:58:00Z", "2m ago"},
		{`{"nbf":1800000000}`, "2027-01-15T08:00:00Z", "now"},
		{`{"nbf":1800000000.9}`, "2027-01-15T08:00:00Z", "now"},
		{`{"exp":1800003600}`, "2027-01-15T09:00:00Z", "in 1h"},
		{`{"exp":1800003605}`, "2027-01-15T09:00:05Z", "in 1h0m5s"},
		{`{"exp":1.8000036e9}`, "2027-01-15T09:00:00Z", "in 1h"},
		{`{"exp":1800000010}`, "2027-01-15T08:00:10Z", "in 10s"},
		{`{"auth_time":1799740800}`, "2027-01-12T08:00:00Z", "3d ago"},
		{`{"updated_at":1799733600}`, "2027-01-12T06:00:00Z", "3d2h ago"},
		{`{"iat":0}`, "1970-01-01T00:00:00Z", "20833d8h ago"},
		{`{"exp":253402300799}`, "9999-12-31T23:59:59Z", "in 106751d23h"}, // as far as a time.Duration reaches
		{`{"exp":253402300800}`, "", ""},
		{`{"exp":-1}`, "", ""},
		{`{"exp":1e999}`, "", ""},
		{`{"exp":"1800000299"}`, "", ""},
		{`{"exp":null}`, "", ""},
		{`{"EXP":1800000299}`, "", ""},
		{`{"other":1800000299}`, "", ""},
	} {
		times := timesOf(json.RawMessage(c.claims), now)
		if c.time == "" {
			assert.Empty(t, times, c.claims)
			continue
		}
		if assert.Len(t, times, 1, c.claims) {
			assert.Equal(t, c.time, times[0].Time, c.claims)
			assert.Equal(t, c.relative, times[0].Relative, c.claims)
		}
	}
}

func TestHarmless(t *testing.T) {
	for text, want := range map[string]string{
		`"Jörg 日本 🙂"`:      `"Jörg 日本 🙂"`,
		"\"\u202e\u009b\"": `"\u202e\u009b"`,
		"\"\x7f\u2028\"":   `"\u007f\u2028"`,
		"\"\U000e0001\"":   `"\udb40\udc01"`, // a tag, which nobody sees
		"\"\xff\"":         "\"\ufffd\"",
	} {
		assert.Equal(t, want, harmless(text))
	}
}

func TestPaint(t *testing.T) {
	assert.Equal(t, "\x1b[32mok\x1b[0m       discovery ok\n  \x1b[1;31mrefused\x1b[0m  x\n\x1b[1;31mrefused\x1b[0m with 401\n  \x1b[2mnot reached\x1b[0m x\n   \x1b[33m->\x1b[0m do\nokay x\n",
		paintOutcomes("ok       discovery ok\n  refused  x\nrefused with 401\n  not reached x\n   -> do\nokay x\n"))

	// A claim of such a name is no outcome.
	var b strings.Builder
	require.NoError(t, report{Token: &decoded{Claims: json.RawMessage(`{"accepted":true}`)}}.writeText(&b, true))
	assert.NotContains(t, b.String(), "\x1b")
}

// FuzzDecode holds that whatever a token says is shown as harmless text, that what is JSON stays JSON, and that the signature is not shown.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"alg":"RS256"}`), []byte(`{"exp":1800000299,"a":["\u0000","\\",null],"\"":{}}`))
	f.Add([]byte(`{}`), []byte("{\"\u202e\":\"\x7f\xff\"}"))
	f.Fuzz(func(t *testing.T, header, claims []byte) {
		const signature = "c2lnbmF0dXJlLW9mLXRoZS10b2tlbg"
		d := decode(b64(header)+"."+b64(claims)+"."+signature, time.Unix(1_800_000_000, 0))
		var text, document strings.Builder
		r := report{Result: refused, Token: d}
		require.NoError(t, r.writeText(&text, false))
		require.NoError(t, r.writeJSON(&document))
		assert.True(t, json.Valid([]byte(document.String())), document.String())
		for _, printed := range []string{text.String(), document.String()} {
			assert.True(t, utf8.ValidString(printed))
			assert.Equal(t, -1, strings.IndexFunc(printed, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }), "%q", printed)
			if !strings.Contains(string(header)+string(claims), signature) {
				assert.NotContains(t, printed, signature)
			}
		}
		assert.LessOrEqual(t, strings.Count(text.String(), "\n"), 8+len(membersOf(d.Header))+len(membersOf(d.Claims)), "each claim has one line")
	})
}
