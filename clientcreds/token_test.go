package clientcreds

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestParseExpiresIn(t *testing.T) {
	for raw, want := range map[string]time.Duration{
		`300`: 300 * time.Second, `"300"`: 300 * time.Second, `" 300 "`: 300 * time.Second, `299.5`: 299500 * time.Millisecond, `"2.5"`: 2500 * time.Millisecond,
		`3e2`: 300 * time.Second, `1e400`: maxLifetime, `99999999999999999999`: maxLifetime,
		`0`: 0, `-5`: 0, `null`: 0, ``: 0, `""`: 0, `"soon"`: 0, `"inf"`: 0, `"nan"`: 0, `"0x1p4"`: 0, `true`: 0, `[300]`: 0, `{}`: 0, `-1e400`: 0,
	} {
		assert.Equal(t, want, parseExpiresIn([]byte(raw)), raw)
	}
}

func TestParseAnswer(t *testing.T) {
	for body, fault := range map[string]string{
		`{"access_token":"a"}`:                         "",
		`{"access_token":"a","token_type":"bEaReR"}`:   "",
		`{"access_token":"a","token_type":""}`:         "",
		`{"access_token":"a","token_type":null}`:       "",
		`{"access_token":"a","scope":["x"]}`:           "",
		`{"access_token":"a","token_type":"DPoP"}`:     `a token of type "DPoP", want Bearer`,
		`{"access_token":"a","token_type":"N_A"}`:      `a token of type "N_A", want Bearer`,
		`{"access_token":"a","token_type":"\u0000\n"}`: `a token of type "??", want Bearer`,
		`{"access_token":"a","token_type":7}`:          "a token_type that is not a string",
		`{}`:                                           "a body without an access_token",
		`{"ACCESS_TOKEN":"a"}`:                         "a body without an access_token",
		`{"access_token":""}`:                          "a body without an access_token",
		`{"access_token":7}`:                           "a body without an access_token",
		`{"access_token":"a\r\nX-Injected: yes"}`:      "an access_token with characters that no token may have",
		`{"access_token":"a b"}`:                       "an access_token with characters that no token may have",
		`{"access_token":"ä"}`:                         "an access_token with characters that no token may have",
		`{"access_token":"a"`:                          "a body that is not a JSON object",
		`{"access_token":"a"} {}`:                      "a body that is not a JSON object",
		`["a"]`:                                        "a body that is not a JSON object",
		`null`:                                         "a body that is not a JSON object",
		`<html>`:                                       "a body that is not a JSON object",
	} {
		_, got := parseAnswer([]byte(body), nil)
		assert.Equal(t, fault, got, body)
	}
}

func jwt(payload string) string {
	return "e30." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + ".sig"
}

func TestJWTLifetime(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	for token, want := range map[string]time.Duration{
		jwt(`{"exp":1700000300}`):   300 * time.Second,
		jwt(`{"exp":1700000300.5}`): 300500 * time.Millisecond,
		jwt(`{"exp":1e300}`):        maxLifetime,
		jwt(`{"exp":1700000000}`):   0,
		jwt(`{"exp":1}`):            0, // our clock may be wrong: no hint
		jwt(`{"exp":"1700000300"}`): 0,
		jwt(`{"EXP":1700000300}`):   0,
		jwt(`{}`):                   0,
		jwt(`nonsense`):             0,
		"opaque":                    0,
		"a.b":                       0,
		"a.b.c.d":                   0,
		"a.!.c":                     0,
	} {
		assert.InDelta(t, want, jwtLifetime(token, now), float64(time.Millisecond), token)
	}
}

func FuzzParseAnswer(f *testing.F) {
	for _, seed := range []string{
		`{"access_token":"a","token_type":"Bearer","expires_in":300,"scope":"x y"}`, `{"access_token":"a","expires_in":"3e9"}`, `{"access_token":"\u0000"}`,
		`{"error":"invalid_client"}`, `null`, `[`, `{"access_token":"` + jwt(`{"exp":9e18}`) + `"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		a, fault := parseAnswer(body, nil)
		if (fault == "") != (a.token != "") {
			t.Fatalf("parseAnswer(%q) = %+v, %q: want a token or a fault", body, a, fault)
		}
		if strings.ContainsAny(a.token, "\r\n \x00") || len(fault) > 200 || strings.ContainsAny(fault, "\r\n\x00") {
			t.Fatalf("parseAnswer(%q) = %+v, %q", body, a, fault)
		}
		for _, d := range []time.Duration{a.lifetime, jwtLifetime(a.token, time.Unix(1_700_000_000, 0))} {
			if d < 0 || d > maxLifetime {
				t.Fatalf("lifetime %v of %q", d, body)
			}
			for _, again := range []bool{true, false} {
				if s := softAge(d, again, 0.99); s < minInterval || s < interval(d) {
					t.Fatal(fmt.Sprint(d, again, s))
				}
			}
		}
	})
}
