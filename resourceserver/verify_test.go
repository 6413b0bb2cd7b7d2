package resourceserver_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/svcauth/svcauth/internal/jose"
	rs "github.com/svcauth/svcauth/resourceserver"
)

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// resign puts another header or payload text under a signature of key.
func parts(token string) (head, body, sig string) {
	p := strings.Split(token, ".")
	return p[0], p[1], p[2]
}

func TestVerifyAccepts(t *testing.T) {
	algorithms := []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"}
	var published []*jose.PrivateKey
	for _, alg := range algorithms {
		published = append(published, keyFor(alg))
	}
	auth := newAuth(t, newFakeIssuer(published...).config())
	now := time.Now().Unix()
	key := keyFor("EdDSA")
	cases := map[string]string{
		"expired within the leeway":         sign(key, nil, good(claims{"exp": now - 30, "iat": now - 400})),
		"not yet valid within the leeway":   sign(key, nil, good(claims{"nbf": now + 45})),
		"exp with a fraction":               sign(key, nil, good(claims{"exp": float64(now) + 100.5})),
		"exp with an exponent":              sign(key, nil, good(claims{"exp": json.RawMessage("9e9")})),
		"exp in 30 billion years":           sign(key, nil, good(claims{"exp": json.RawMessage("1000000000000000000")})),
		"iat ahead of our clock":            sign(key, nil, good(claims{"iat": now + 200})),
		"no iat":                            sign(key, nil, good(claims{"iat": absent})),
		"no sub":                            sign(key, nil, good(claims{"sub": absent})),
		"no azp":                            sign(key, nil, good(claims{"azp": absent})),
		"audience in an array":              sign(key, nil, good(claims{"aud": []string{"account", audience}})),
		"no typ in the header":              sign(key, map[string]any{"typ": nil}, good(nil)),
		"typ jwt":                           sign(key, map[string]any{"typ": "jwt"}, good(nil)),
		"typ application/jwt":               sign(key, map[string]any{"typ": "application/JWT"}, good(nil)),
		"typ at+jwt":                        sign(key, map[string]any{"typ": "at+jwt"}, good(claims{"typ": absent})),
		"typ application/at+jwt":            sign(key, map[string]any{"typ": "application/at+jwt"}, good(claims{"typ": absent})),
		"at+jwt with a nonce":               sign(key, map[string]any{"typ": "at+jwt"}, good(claims{"typ": absent, "nonce": "n"})),
		"no typ claim":                      sign(key, nil, good(claims{"typ": absent})),
		"typ claim bearer":                  sign(key, nil, good(claims{"typ": "bearer"})),
		"typ claim Bearer with a nonce":     sign(key, nil, good(claims{"nonce": "n"})),
		"scope as an array":                 sign(key, nil, good(claims{"scope": []string{"a", "b"}})),
		"scope as a number":                 sign(key, nil, good(claims{"scope": 5})),
		"unknown header member":             sign(key, map[string]any{"x": 1}, good(nil)),
		"a jwk in the header is not read":   sign(key, map[string]any{"jwk": keyFor("EdDSA/other").PublicJWK("sig")}, good(nil)),
		"unknown claims":                    sign(key, nil, good(claims{"x": map[string]any{"y": []int{1}}})),
		"names of other claims in any case": sign(key, nil, good(claims{"X": 1, "x": 2})),
		"no kid":                            sign(key, map[string]any{"kid": nil}, good(nil)),
		"EdDSA under the name Ed25519":      sign(key, map[string]any{"alg": "Ed25519"}, good(nil)),
		"white space in the payload":        signRaw(key, nil, []byte(" "+payload(good(nil))+"\n")),
	}
	for _, alg := range algorithms {
		cases["algorithm "+alg] = sign(keyFor(alg), nil, good(nil))
	}
	for name, token := range cases {
		t.Run(name, func(t *testing.T) {
			p, err := auth.Verify(t.Context(), token)
			require.NoError(t, err)
			assert.Equal(t, issuerName, p.Issuer)
		})
	}
}

func payload(c claims) string {
	data, err := json.Marshal(c)
	if err != nil {
		panic(err)
	}
	return string(data)
}

func TestPrincipal(t *testing.T) {
	auth := newAuth(t, newFakeIssuer(keyFor("EdDSA")).config())
	exp := time.Now().Unix() + 300
	verify := func(change claims) *rs.Principal {
		p, err := auth.Verify(t.Context(), sign(keyFor("EdDSA"), nil, good(change)))
		require.NoError(t, err)
		return p
	}

	p := verify(claims{"exp": exp, "scope": "openid profile openid", "scp": []string{"x", "openid"}, "roles": []any{"ADMIN", 5, nil, "ADMIN", "", "USER"}})
	assert.Equal(t, "b1c5", p.Subject)
	assert.Equal(t, issuerName, p.Issuer)
	assert.Equal(t, "archival-service", p.ClientID)
	assert.Equal(t, "siva", p.Username)
	assert.Equal(t, []string{"ADMIN", "USER"}, p.Roles)
	assert.Equal(t, []string{"openid", "profile", "x"}, p.Scopes)
	assert.Equal(t, time.Unix(exp, 0), p.Expiry)
	assert.True(t, p.HasRole("ADMIN"))
	assert.False(t, p.HasRole("admin"))
	assert.False(t, p.HasRole("ADMI"))
	assert.False(t, p.HasRole(""))
	assert.True(t, p.HasScope("x"))
	assert.False(t, p.HasScope("openid profile"))
	assert.Equal(t, "siva", p.Claims.String("preferred_username"))

	assert.Equal(t, "c2", verify(claims{"azp": absent, "client_id": "c2"}).ClientID)
	assert.Equal(t, "b1c5", verify(claims{"preferred_username": absent}).Username)
	assert.Equal(t, "b1c5", verify(claims{"preferred_username": 5}).Username)
	assert.Empty(t, verify(claims{"roles": absent}).Roles)
}

func TestPrincipalGrantsOnlyWhatWasVerified(t *testing.T) {
	auth := newAuth(t, newFakeIssuer(keyFor("EdDSA")).config())
	p, err := auth.Verify(t.Context(), sign(keyFor("EdDSA"), nil, good(claims{"roles": []string{"USER"}})))
	require.NoError(t, err)
	p.Roles[0] = "ADMIN"
	p.Roles = append(p.Roles, "ADMIN")
	p.Scopes[0] = "all"
	assert.False(t, p.HasRole("ADMIN"))
	assert.True(t, p.HasRole("USER"))
	assert.False(t, p.HasScope("all"))
	require.Error(t, rs.Role("ADMIN").Check(nil, p))

	literal := &rs.Principal{Roles: []string{"ADMIN"}, Scopes: []string{"s"}}
	assert.True(t, literal.HasRole("ADMIN"))
	assert.True(t, literal.HasScope("s"))
	var none *rs.Principal
	assert.False(t, none.HasRole("ADMIN"))
	assert.False(t, none.HasScope("s"))
}

// TestVerifyRefuses has one line for each way in which a token is not good enough; everything else about each token is.
func TestVerifyRefuses(t *testing.T) {
	key, other := keyFor("EdDSA"), keyFor("EdDSA/other")
	f := newFakeIssuer(key, keyFor("ES256"), keyFor("RS256"), keyFor("PS256"))
	now := time.Now().Unix()
	token := sign(key, nil, good(nil))
	head, body, sig := parts(token)
	swap := func(header string) string { return b64(header) + "." + body + "." + sig }
	claim := func(change claims) string { return sign(key, nil, good(change)) }
	raw := func(text string) string { return signRaw(key, nil, []byte(text)) }
	header := func(name string, value any) string { return sign(key, map[string]any{name: value}, good(nil)) }
	hmacWith := func(secret string) string {
		input := b64(`{"alg":"HS256","typ":"JWT","kid":"`+key.ID()+`"}`) + "." + body
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(input))
		return input + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	}
	full := payload(good(nil))
	with := func(member string) string { return full[:len(full)-1] + "," + member + "}" }
	esHead, esBody, _ := parts(sign(keyFor("ES256"), nil, good(nil)))

	for _, c := range []struct {
		name, token string
		want        rs.Reason
	}{
		{"empty", "", rs.ReasonMalformedToken},
		{"a word", "garbage", rs.ReasonMalformedToken},
		{"two parts", "a.b", rs.ReasonMalformedToken},
		{"three parts of nothing", "..", rs.ReasonMalformedToken},
		{"four parts", token + ".x", rs.ReasonMalformedToken},
		{"a dot at the end", token + ".", rs.ReasonMalformedToken},
		{"a JWE's five parts", "a.b.c.d.e", rs.ReasonMalformedToken},
		{"no header", "." + body + "." + sig, rs.ReasonMalformedToken},
		{"no payload", head + ".." + sig, rs.ReasonMalformedToken},
		{"no signature", head + "." + body + ".", rs.ReasonMalformedToken},
		{"signature cut off", head + "." + body, rs.ReasonMalformedToken},
		{"padding", token + "==", rs.ReasonMalformedToken},
		{"standard base64", head + "." + body + "." + strings.Repeat("+/", 43), rs.ReasonMalformedToken},
		{"a line break inside", head + "." + body + "." + sig[:5] + "\n" + sig[5:], rs.ReasonMalformedToken},
		{"a carriage return at the end", token + "\r", rs.ReasonMalformedToken},
		{"a space inside", head + "." + body[:5] + " " + body[5:] + "." + sig, rs.ReasonMalformedToken},
		{"spare bits in the signature", head + "." + body + "." + spareBits(sig), rs.ReasonMalformedToken},
		{"too large", claim(claims{"x": strings.Repeat("x", rs.DefaultMaxTokenSize)}), rs.ReasonTokenTooLarge},
		{"too many dots, too large", strings.Repeat(".", rs.DefaultMaxTokenSize+1), rs.ReasonTokenTooLarge},

		{"header not JSON", swap(`{"alg":"EdDSA"`), rs.ReasonMalformedToken},
		{"header an array", swap(`["EdDSA"]`), rs.ReasonMalformedToken},
		{"header with alg twice", swap(`{"alg":"none","alg":"EdDSA"}`), rs.ReasonMalformedToken},
		{"header without alg", swap(`{"typ":"JWT"}`), rs.ReasonMalformedToken},
		{"header with ALG only", swap(`{"ALG":"EdDSA"}`), rs.ReasonMalformedToken},
		{"alg a number", swap(`{"alg":5}`), rs.ReasonMalformedToken},
		{"alg an array", swap(`{"alg":["EdDSA"]}`), rs.ReasonMalformedToken},
		{"alg none", swap(`{"alg":"none"}`), rs.ReasonAlgorithm},
		{"alg none without a signature", b64(`{"alg":"none"}`) + "." + body + ".", rs.ReasonMalformedToken},
		{"alg None", swap(`{"alg":"None"}`), rs.ReasonAlgorithm},
		{"alg empty", swap(`{"alg":""}`), rs.ReasonAlgorithm},
		{"alg in lower case", swap(`{"alg":"eddsa"}`), rs.ReasonAlgorithm},
		{"alg with a space", swap(`{"alg":"EdDSA "}`), rs.ReasonAlgorithm},
		{"alg HS256 keyed with the public key", hmacWith(string(key.PublicJWK("sig"))), rs.ReasonAlgorithm},
		{"alg HS256 keyed with nothing", hmacWith(""), rs.ReasonAlgorithm},
		{"alg of another key", swap(`{"alg":"ES256","kid":"` + key.ID() + `"}`), rs.ReasonAlgorithm},
		{"alg RS512 with a key for RS256", sign(keyFor("RS256"), map[string]any{"alg": "RS512"}, good(nil)), rs.ReasonAlgorithm},
		{"alg PS256 with a key for RS256", sign(keyFor("RS256"), map[string]any{"alg": "PS256"}, good(nil)), rs.ReasonAlgorithm},
		{"alg RS256 with a key for PS256", sign(keyFor("PS256"), map[string]any{"alg": "RS256"}, good(nil)), rs.ReasonAlgorithm},
		{"crit", header("crit", []string{"exp"}), rs.ReasonHeader},
		{"crit empty", header("crit", []string{}), rs.ReasonHeader},
		{"b64", header("b64", false), rs.ReasonHeader},
		{"zip", header("zip", "DEF"), rs.ReasonHeader},
		{"enc", header("enc", "A256GCM"), rs.ReasonHeader},
		{"ALG beside alg", header("ALG", "none"), rs.ReasonMalformedToken},
		{"Crit", header("Crit", []string{"exp"}), rs.ReasonMalformedToken},
		{"TYP beside typ", header("TYP", "dpop+jwt"), rs.ReasonMalformedToken},
		{"a Kelvin sign in kid", header("\u212aid", "x"), rs.ReasonMalformedToken},
		{"kid a number", header("kid", 5), rs.ReasonMalformedToken},
		{"kid an object", header("kid", map[string]any{}), rs.ReasonMalformedToken},
		{"kid too long", header("kid", strings.Repeat("k", 600)), rs.ReasonMalformedToken},
		{"typ a number", header("typ", 5), rs.ReasonMalformedToken},
		{"typ logout+jwt", header("typ", "logout+jwt"), rs.ReasonHeader},
		{"typ dpop+jwt", header("typ", "dpop+jwt"), rs.ReasonHeader},
		{"typ JOSE", header("typ", "JOSE"), rs.ReasonHeader},
		{"typ empty", header("typ", ""), rs.ReasonHeader},

		{"payload not JSON", raw("text"), rs.ReasonMalformedClaims},
		{"payload an array", raw("[]"), rs.ReasonMalformedClaims},
		{"payload null", raw("null"), rs.ReasonMalformedClaims},
		{"payload two objects", raw(full + full), rs.ReasonMalformedClaims},
		{"payload with a byte order mark", raw("\ufeff" + full), rs.ReasonMalformedClaims},
		{"payload not UTF-8", raw(with("\"x\":\"\xff\"")), rs.ReasonMalformedClaims},
		{"a lone surrogate", raw(with(`"x":"\ud800"`)), rs.ReasonMalformedClaims},
		{"iss twice", raw(with(`"iss":"https://evil.test"`)), rs.ReasonMalformedClaims},
		{"roles twice", raw(with(`"roles":["ROOT"]`)), rs.ReasonMalformedClaims},
		{"another claim twice, deep", raw(with(`"x":{"y":1,"y":2}`)), rs.ReasonMalformedClaims},
		{"a claim twice, once escaped", raw(with(`"\u0061ud":"x"`)), rs.ReasonMalformedClaims},
		{"ISS beside iss", raw(with(`"ISS":"x"`)), rs.ReasonMalformedClaims},
		{"a long s in sub", raw(with(`"ſub":"x"`)), rs.ReasonMalformedClaims},
		{"Realm_Access", raw(with(`"Realm_Access":{"roles":["ADMIN"]}`)), rs.ReasonMalformedClaims},
		{"nested too deep", claim(claims{"x": json.RawMessage(strings.Repeat("[", 50) + strings.Repeat("]", 50))}), rs.ReasonMalformedClaims},
		{"a number too long", claim(claims{"x": json.RawMessage(strings.Repeat("1", 100))}), rs.ReasonMalformedClaims},

		{"no iss", claim(claims{"iss": absent}), rs.ReasonIssuer},
		{"iss of another", claim(claims{"iss": "https://evil.test"}), rs.ReasonIssuer},
		{"iss with a slash more", claim(claims{"iss": issuerName + "/"}), rs.ReasonIssuer},
		{"iss in upper case", claim(claims{"iss": strings.ToUpper(issuerName)}), rs.ReasonIssuer},
		{"iss with a space", claim(claims{"iss": issuerName + " "}), rs.ReasonIssuer},
		{"iss empty", claim(claims{"iss": ""}), rs.ReasonIssuer},
		{"iss a number", claim(claims{"iss": 5}), rs.ReasonMalformedClaims},
		{"iss an array", claim(claims{"iss": []string{issuerName}}), rs.ReasonMalformedClaims},
		{"iss null", claim(claims{"iss": nil}), rs.ReasonMalformedClaims},
		{"no aud", claim(claims{"aud": absent}), rs.ReasonAudience},
		{"aud of another", claim(claims{"aud": "account"}), rs.ReasonAudience},
		{"aud in another case", claim(claims{"aud": "Messages-Service"}), rs.ReasonAudience},
		{"aud that only begins so", claim(claims{"aud": audience + "-2"}), rs.ReasonAudience},
		{"aud empty", claim(claims{"aud": ""}), rs.ReasonAudience},
		{"aud an empty array", claim(claims{"aud": []string{}}), rs.ReasonAudience},
		{"aud with the name inside a text", claim(claims{"aud": "account " + audience}), rs.ReasonAudience},
		{"aud a number", claim(claims{"aud": 5}), rs.ReasonMalformedClaims},
		{"aud null", claim(claims{"aud": nil}), rs.ReasonMalformedClaims},
		{"aud an object", claim(claims{"aud": claims{audience: true}}), rs.ReasonMalformedClaims},
		{"aud with a number in the array", claim(claims{"aud": []any{audience, 5}}), rs.ReasonMalformedClaims},
		{"sub a number", claim(claims{"sub": 5}), rs.ReasonMalformedClaims},
		{"azp an array", claim(claims{"azp": []string{"a"}}), rs.ReasonMalformedClaims},
		{"client_id a number", claim(claims{"client_id": 1}), rs.ReasonMalformedClaims},

		{"no exp", claim(claims{"exp": absent}), rs.ReasonMalformedClaims},
		{"exp null", claim(claims{"exp": nil}), rs.ReasonMalformedClaims},
		{"exp digits in a text", claim(claims{"exp": fmt.Sprint(now + 300)}), rs.ReasonMalformedClaims},
		{"exp a boolean", claim(claims{"exp": true}), rs.ReasonMalformedClaims},
		{"exp of 1e300", claim(claims{"exp": json.RawMessage("1e300")}), rs.ReasonMalformedClaims},
		{"exp of 2^63", claim(claims{"exp": json.RawMessage("9223372036854775808")}), rs.ReasonMalformedClaims},
		{"exp of 1e999", claim(claims{"exp": json.RawMessage("1e999")}), rs.ReasonMalformedClaims},
		{"expired", claim(claims{"exp": now - 61, "iat": now - 400}), rs.ReasonExpired},
		{"exp zero", claim(claims{"exp": 0, "iat": absent}), rs.ReasonExpired},
		{"exp negative", claim(claims{"exp": -1, "iat": absent}), rs.ReasonExpired},
		{"iat after exp", claim(claims{"iat": now + 400}), rs.ReasonMalformedClaims},
		{"iat a text", claim(claims{"iat": "now"}), rs.ReasonMalformedClaims},
		{"nbf ahead", claim(claims{"nbf": now + 3000, "exp": now + 6000}), rs.ReasonNotYetValid},
		{"nbf far ahead", claim(claims{"nbf": json.RawMessage("1e18")}), rs.ReasonNotYetValid},
		{"nbf of 1e300", claim(claims{"nbf": json.RawMessage("1e300")}), rs.ReasonMalformedClaims},
		{"nbf of 2^63", claim(claims{"nbf": json.RawMessage("9223372036854775808")}), rs.ReasonMalformedClaims},
		{"nbf of -2^63", claim(claims{"nbf": json.RawMessage("-9223372036854775808")}), rs.ReasonMalformedClaims},
		{"nbf a text", claim(claims{"nbf": "0"}), rs.ReasonMalformedClaims},

		{"an ID token", claim(claims{"typ": "ID"}), rs.ReasonTokenKind},
		{"a refresh token", claim(claims{"typ": "Refresh"}), rs.ReasonTokenKind},
		{"an offline token", claim(claims{"typ": "Offline"}), rs.ReasonTokenKind},
		{"a logout token", claim(claims{"typ": "Logout"}), rs.ReasonTokenKind},
		{"an action token", claim(claims{"typ": "reset-credentials"}), rs.ReasonTokenKind},
		{"typ claim a number", claim(claims{"typ": 1}), rs.ReasonMalformedClaims},
		{"an ID token that says at+jwt", sign(key, map[string]any{"typ": "at+jwt"}, good(claims{"typ": "ID"})), rs.ReasonTokenKind},
		{"no typ, but a nonce", claim(claims{"typ": absent, "nonce": "n"}), rs.ReasonTokenKind},
		{"no typ, but an at_hash", claim(claims{"typ": absent, "at_hash": "h"}), rs.ReasonTokenKind},
		{"typ claim JWT and a c_hash", claim(claims{"typ": "JWT", "c_hash": "h"}), rs.ReasonTokenKind},
		{"bound to a DPoP key", claim(claims{"cnf": claims{"jkt": "x"}}), rs.ReasonSenderBound},
		{"bound to a certificate", claim(claims{"cnf": claims{"x5t#S256": "x"}}), rs.ReasonSenderBound},
		{"cnf null", claim(claims{"cnf": nil}), rs.ReasonSenderBound},
		{"typ claim DPoP", claim(claims{"typ": "DPoP"}), rs.ReasonSenderBound},

		{"signature of another key under our kid", sign(other, map[string]any{"kid": key.ID()}, good(nil)), rs.ReasonSignature},
		{"unknown kid", sign(other, nil, good(nil)), rs.ReasonUnknownKey},
		{"another key, no kid", sign(other, map[string]any{"kid": nil}, good(nil)), rs.ReasonUnknownKey},
		{"another key in the header", sign(other, map[string]any{"kid": key.ID(), "jwk": other.PublicJWK("sig")}, good(nil)), rs.ReasonSignature},
		{"another key's address in the header", sign(other, map[string]any{"kid": key.ID(), "jku": "https://evil.test/jwks"}, good(nil)), rs.ReasonSignature},
		{"payload of another token", head + "." + b64(payload(good(claims{"roles": []string{"ROOT"}}))) + "." + sig, rs.ReasonSignature},
		{"header of another token", b64(`{"kid":"`+key.ID()+`","alg":"EdDSA"}`) + "." + body + "." + sig, rs.ReasonSignature},
		{"first byte of the signature", head + "." + body + "." + flip(sig), rs.ReasonSignature},
		{"signature too short", head + "." + body + "." + sig[:40], rs.ReasonSignature},
		{"ECDSA signature of zeros", esHead + "." + esBody + "." + b64(strings.Repeat("\x00", 64)), rs.ReasonSignature},
		{"ECDSA signature in DER", esHead + "." + esBody + "." + b64("\x30\x44\x02\x20"+strings.Repeat("a", 32)+"\x02\x20"+strings.Repeat("b", 32)), rs.ReasonSignature},
		{"ECDSA signature of the order", esHead + "." + esBody + "." + b64(strings.Repeat(string(order()), 2)), rs.ReasonSignature},
	} {
		t.Run(c.name, func(t *testing.T) {
			auth := newAuth(t, f.config())
			p, err := auth.Verify(t.Context(), c.token)
			require.Nil(t, p)
			var refused *rs.Error
			require.ErrorAs(t, err, &refused)
			require.Equal(t, c.want, refused.Reason, "expected and got are in %#v", refused)
			require.NotErrorIs(t, err, rs.ErrKeysUnavailable)
			assert.Equal(t, 401, refused.Status)
			assert.Equal(t, "invalid_token", refused.Code)
		})
	}
}

// order is the order of P-256.
func order() []byte {
	n, _ := new(big.Int).SetString("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 16)
	return n.Bytes()
}

// flip changes the first character.
func flip(s string) string {
	if s[0] == 'A' {
		return "B" + s[1:]
	}
	return "A" + s[1:]
}

// spareBits sets a bit of the last character that decodes to nothing.
func spareBits(s string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, s[len(s)-1])
	return s[:len(s)-1] + string(alphabet[last|1])
}

// TestNoFetchForHopelessTokens holds that a token which its own claims rule out costs the issuer nothing.
func TestNoFetchForHopelessTokens(t *testing.T) {
	f := newFakeIssuer(keyFor("EdDSA"))
	auth := newAuth(t, f.config())
	now := time.Now().Unix()
	for _, token := range []string{
		"garbage", "a.b.c",
		sign(keyFor("EdDSA/other"), nil, good(claims{"iss": "https://evil.test"})),
		sign(keyFor("EdDSA/other"), nil, good(claims{"aud": "account"})),
		sign(keyFor("EdDSA/other"), nil, good(claims{"exp": now - 3600, "iat": absent})),
		sign(keyFor("EdDSA/other"), nil, good(claims{"typ": "Refresh"})),
		sign(keyFor("EdDSA/other"), map[string]any{"crit": []string{"x"}}, good(nil)),
	} {
		_, err := auth.Verify(t.Context(), token)
		require.Error(t, err)
	}
	assert.Zero(t, f.count(discoveryPath))
	assert.Zero(t, f.count(certsPath))
}

func TestSkipAudienceCheck(t *testing.T) {
	c := newFakeIssuer(keyFor("EdDSA")).config()
	c.Audiences, c.SkipAudienceCheck = nil, true
	auth := newAuth(t, c)
	for _, aud := range []any{"account", absent} {
		_, err := auth.Verify(t.Context(), sign(keyFor("EdDSA"), nil, good(claims{"aud": aud})))
		require.NoError(t, err)
	}
}

func TestLeeway(t *testing.T) {
	c := newFakeIssuer(keyFor("EdDSA")).config()
	c.Leeway = -1
	auth := newAuth(t, c)
	now := time.Now().Unix()
	_, err := auth.Verify(t.Context(), sign(keyFor("EdDSA"), nil, good(claims{"exp": now - 2, "iat": absent})))
	require.ErrorIs(t, err, &rs.Error{Reason: rs.ReasonExpired})
	_, err = auth.Verify(t.Context(), sign(keyFor("EdDSA"), nil, good(claims{"nbf": now + 20})))
	require.ErrorIs(t, err, &rs.Error{Reason: rs.ReasonNotYetValid})
}

// TestLeewayToTheSecond holds where both dates end: a token is good up to, but not at, exp and the leeway, and from nbf less the leeway on.
func TestLeewayToTheSecond(t *testing.T) {
	keyFor("EdDSA")
	synctest.Test(t, func(t *testing.T) {
		auth := newAuth(t, newFakeIssuer(keyFor("EdDSA")).config())
		now, leeway := time.Now().Unix(), int64(rs.DefaultLeeway/time.Second)
		for _, c := range []struct {
			change claims
			want   rs.Reason // empty: accepted
		}{
			{claims{"exp": now - leeway + 1, "iat": absent}, ""},
			{claims{"exp": now - leeway, "iat": absent}, rs.ReasonExpired},
			{claims{"nbf": now + leeway}, ""},
			{claims{"nbf": now + leeway + 1}, rs.ReasonNotYetValid},
		} {
			err := verifyErr(t, auth, sign(keyFor("EdDSA"), nil, good(c.change)))
			if c.want == "" {
				assert.NoError(t, err, "%v", c.change)
			} else {
				requireReason(t, err, c.want)
			}
		}
	})
}

func TestAlgorithmsNarrow(t *testing.T) {
	c := newFakeIssuer(keyFor("EdDSA"), keyFor("ES256")).config()
	c.Algorithms = []string{"ES256"}
	auth := newAuth(t, c)
	_, err := auth.Verify(t.Context(), sign(keyFor("ES256"), nil, good(nil)))
	require.NoError(t, err)
	_, err = auth.Verify(t.Context(), sign(keyFor("EdDSA"), nil, good(nil)))
	require.ErrorIs(t, err, &rs.Error{Reason: rs.ReasonAlgorithm})
}

// TestIssuersKeepApart holds that one issuer's key, audience and roles never count for another.
func TestIssuersKeepApart(t *testing.T) {
	const second = "https://second.test/realms/other"
	f := newFakeIssuer(keyFor("EdDSA"))
	c := rs.Config{HTTPClient: f.config().HTTPClient, Logger: discard, Issuers: []rs.Config{
		{Issuer: issuerName, Audiences: []string{audience}, Roles: rs.RolesFromClaim("roles"), JWKSURL: "https://issuer.test" + certsPath},
		{Issuer: second, Audiences: []string{"second-audience"}, JWKSURL: "https://second.test/certs"},
	}}
	auth := newAuth(t, c)
	f.respond(nil)
	p, err := auth.Verify(t.Context(), goodToken())
	require.NoError(t, err)
	assert.True(t, p.HasRole("ADMIN"))

	_, err = auth.Verify(t.Context(), sign(keyFor("EdDSA"), nil, good(claims{"iss": second})))
	require.ErrorIs(t, err, &rs.Error{Reason: rs.ReasonAudience})
	_, err = auth.Verify(t.Context(), sign(keyFor("EdDSA"), nil, good(claims{"iss": second, "aud": "second-audience"})))
	require.ErrorIs(t, err, rs.ErrKeysUnavailable, "the second issuer's own keys are asked for, not the first's")
	_, err = auth.Verify(t.Context(), sign(keyFor("EdDSA"), nil, good(claims{"iss": "https://third.test"})))
	require.ErrorIs(t, err, &rs.Error{Reason: rs.ReasonIssuer})
}

func FuzzVerify(f *testing.F) {
	issuer := newFakeIssuer(keyFor("EdDSA"))
	auth := newAuth(f, issuer.config())
	genuine := goodToken()
	for _, seed := range []string{genuine, genuine[:len(genuine)-1], "a.b.c", "..", b64(`{"alg":"EdDSA"}`) + "." + b64("{}") + ".AA"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		p, err := auth.Verify(t.Context(), token)
		if token == genuine {
			return
		}
		require.Nil(t, p, "a token nobody signed was accepted")
		var refused *rs.Error
		require.ErrorAs(t, err, &refused)
		require.False(t, errors.Is(err, rs.ErrKeysUnavailable))
	})
}
