package resourceserver_test

import (
	"crypto"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/stretchr/testify/require"

	"github.com/svcauth/svcauth/internal/jose"
	rs "github.com/svcauth/svcauth/resourceserver"
)

// signText signs these very texts by Ed25519, so that an odd header is the only fault of a token.
func signText(key *jose.PrivateKey, head, body string) string {
	return signParts(key, b64(head), b64(body))
}

// signParts does so with parts that are encoded already, in an odd way perhaps.
func signParts(key *jose.PrivateKey, head, body string) string {
	input := head + "." + body
	signature, err := key.Signer().Sign(nil, []byte(input), crypto.Hash(0))
	if err != nil {
		panic(err)
	}
	return input + "." + b64(string(signature))
}

type attack struct {
	name, token string
	want        rs.Reason
}

// refuseAll verifies each token with an Authenticator of its own, whose issuer publishes the usual keys.
func refuseAll(t *testing.T, attacks []attack) {
	t.Helper()
	f := newFakeIssuer(keyFor("EdDSA"), keyFor("ES256"), keyFor("RS256"), keyFor("PS256"))
	names := map[string]bool{}
	for _, a := range attacks {
		require.False(t, names[a.name], "%q stands twice", a.name)
		names[a.name] = true
		t.Run(a.name, func(t *testing.T) {
			p, err := newAuth(t, f.config()).Verify(t.Context(), a.token)
			require.Nil(t, p)
			requireReason(t, err, a.want)
			require.NotErrorIs(t, err, rs.ErrKeysUnavailable)
		})
	}
}

// TestAttacksOnTheHeader has one line for each way to ask by the JOSE header for something other than a plain signature of the issuer.
func TestAttacksOnTheHeader(t *testing.T) {
	key, other := keyFor("EdDSA"), keyFor("EdDSA/other")
	text := payload(good(nil))
	head := func(format string, args ...any) string { return signText(key, fmt.Sprintf(format, args...), text) }
	alg := func(name string) string { return head(`{"alg":%q}`, name) }
	header := func(name string, value any) string { return sign(key, map[string]any{name: value}, good(nil)) }
	forged := func(name string, value any) string {
		return sign(other, map[string]any{"kid": key.ID(), name: value}, good(nil))
	}
	kid := func(value string) string { return sign(other, map[string]any{"kid": value}, good(nil)) }
	require.NoError(t, verifyErr(t, newAuth(t, newFakeIssuer(key).config()), head(`{"alg":"EdDSA"}`)), "the token without a fault")

	refuseAll(t, []attack{
		{"a byte order mark", head("\ufeff" + `{"alg":"EdDSA"}`), rs.ReasonMalformedToken},
		{"not UTF-8", head("{\"alg\":\"EdDSA\",\"x\":\"\xff\"}"), rs.ReasonMalformedToken},
		{"two objects", head(`{"alg":"EdDSA"}{"alg":"EdDSA"}`), rs.ReasonMalformedToken},
		{"null", head(`null`), rs.ReasonMalformedToken},
		{"a string", head(`"EdDSA"`), rs.ReasonMalformedToken},
		{"a trailing comma", head(`{"alg":"EdDSA",}`), rs.ReasonMalformedToken},
		{"a comment", head(`{"alg":"EdDSA"/**/}`), rs.ReasonMalformedToken},
		{"an object that opens as an array", head(`["alg":"EdDSA"}`), rs.ReasonMalformedToken},
		{"alg twice, once escaped", head(`{"alg":"none","\u0061lg":"EdDSA"}`), rs.ReasonMalformedToken},
		{"kid twice", head(`{"alg":"EdDSA","kid":"a","kid":%q}`, key.ID()), rs.ReasonMalformedToken},
		{"typ twice", head(`{"alg":"EdDSA","typ":"dpop+jwt","typ":"JWT"}`), rs.ReasonMalformedToken},
		{"a lone surrogate", head(`{"alg":"EdDSA","x":"\ud800"}`), rs.ReasonMalformedToken},
		{"nested too deep", head(`{"alg":"EdDSA","x":%s}`, strings.Repeat("[", 50)+strings.Repeat("]", 50)), rs.ReasonMalformedToken},
		{"a number too long", head(`{"alg":"EdDSA","x":%s}`, strings.Repeat("1", 100)), rs.ReasonMalformedToken},
		{"JSON serialization", fmt.Sprintf(`{"payload":%q,"signatures":[]}`, b64(text)), rs.ReasonMalformedToken},

		{"alg null", head(`{"alg":null}`), rs.ReasonMalformedToken},
		{"alg true", head(`{"alg":true}`), rs.ReasonMalformedToken},
		{"alg an object", head(`{"alg":{"alg":"EdDSA"}}`), rs.ReasonMalformedToken},
		{"alg none, before anything else is read", b64(`{"alg":"none"}`) + ".!." + b64("x"), rs.ReasonAlgorithm},
		{"alg nOnE", alg("nOnE"), rs.ReasonAlgorithm},
		{"alg HS512", alg("HS512"), rs.ReasonAlgorithm},
		{"alg HS256 in lower case", alg("hs256"), rs.ReasonAlgorithm},
		{"alg RS1", alg("RS1"), rs.ReasonAlgorithm},
		{"alg ES256K", alg("ES256K"), rs.ReasonAlgorithm},
		{"alg Ed448", alg("Ed448"), rs.ReasonAlgorithm},
		{"alg ML-DSA-44", alg("ML-DSA-44"), rs.ReasonAlgorithm},
		{"alg dir", alg("dir"), rs.ReasonAlgorithm},
		{"alg RSA1_5", alg("RSA1_5"), rs.ReasonAlgorithm},
		{"alg PBES2, whose p2c would cost us", head(`{"alg":"PBES2-HS256+A128KW","p2c":1000000000}`), rs.ReasonAlgorithm},
		{"alg with a NUL", head(`{"alg":"EdDSA\u0000"}`), rs.ReasonAlgorithm},
		{"alg with a Cyrillic letter", head(`{"alg":"EdDSА"}`), rs.ReasonAlgorithm},
		{"alg with two names", alg("EdDSA ES256"), rs.ReasonAlgorithm},

		{"crit null", head(`{"alg":"EdDSA","crit":null}`), rs.ReasonHeader},
		{"crit with what is understood", head(`{"alg":"EdDSA","crit":["alg"]}`), rs.ReasonHeader},
		{"b64 true", header("b64", true), rs.ReasonHeader},
		{"zip null", head(`{"alg":"EdDSA","zip":null}`), rs.ReasonHeader},
		{"enc null", head(`{"alg":"EdDSA","enc":null}`), rs.ReasonHeader},
		{"b64 in upper case", header("B64", false), rs.ReasonMalformedToken},
		{"zip in upper case", header("ZIP", "DEF"), rs.ReasonMalformedToken},
		{"enc in upper case", header("ENC", "A256GCM"), rs.ReasonMalformedToken},

		{"typ null", head(`{"alg":"EdDSA","typ":null}`), rs.ReasonMalformedToken},
		{"typ an array", header("typ", []string{"JWT"}), rs.ReasonMalformedToken},
		{"typ of a client's assertion", header("typ", "client-authentication+jwt"), rs.ReasonHeader},
		{"typ of a request object", header("typ", "oauth-authz-req+jwt"), rs.ReasonHeader},
		{"typ of an introspection", header("typ", "token-introspection+jwt"), rs.ReasonHeader},
		{"typ of a security event", header("typ", "application/secevent+jwt"), rs.ReasonHeader},
		{"typ of a key binding", header("typ", "kb+jwt"), rs.ReasonHeader},
		{"typ ID", header("typ", "ID"), rs.ReasonHeader},
		{"typ with application twice", header("typ", "application/application/jwt"), rs.ReasonHeader},
		{"typ with a space", header("typ", "JWT "), rs.ReasonHeader},
		{"typ with a parameter", header("typ", "JWT;v=1"), rs.ReasonHeader},

		{"kid null", head(`{"alg":"EdDSA","kid":null}`), rs.ReasonMalformedToken},
		{"kid an array", header("kid", []string{key.ID()}), rs.ReasonMalformedToken},
		{"kid a byte too long", header("kid", strings.Repeat("k", 513)), rs.ReasonMalformedToken},
		{"kid a path", kid("../../../../dev/null"), rs.ReasonUnknownKey},
		{"kid a query", kid("x' UNION SELECT 'key'--"), rs.ReasonUnknownKey},
		{"kid an address", kid("https://evil.test/jwks.json"), rs.ReasonUnknownKey},
		{"kid that begins as ours", kid(key.ID()[:10]), rs.ReasonUnknownKey},
		{"kid of ours and a NUL", kid(key.ID() + "\x00"), rs.ReasonUnknownKey},
		{"kid in another case", sign(key, map[string]any{"kid": swapCase(key.ID())}, good(nil)), rs.ReasonUnknownKey},
		{"kid of a key of another kind", sign(key, map[string]any{"kid": keyFor("RS256").ID()}, good(nil)), rs.ReasonAlgorithm},

		{"a forger's certificate", forged("x5c", []string{"MIIB"}), rs.ReasonSignature},
		{"a forger's certificate elsewhere", forged("x5u", "https://evil.test/cert.pem"), rs.ReasonSignature},
		{"a forger's certificate by its hash", forged("x5t#S256", "AA"), rs.ReasonSignature},
		{"a forger's key as epk", forged("epk", other.PublicJWK("sig")), rs.ReasonSignature},
	})
}

// swapCase changes the case of every letter.
func swapCase(s string) string {
	return strings.Map(func(r rune) rune {
		if upper := strings.ToUpper(string(r)); upper != string(r) {
			return rune(upper[0])
		}
		return rune(strings.ToLower(string(r))[0])
	}, s)
}

// TestAttacksOnTheSpelling has one line for each second spelling of a good token.
func TestAttacksOnTheSpelling(t *testing.T) {
	token := goodToken()
	head, body, sig := parts(token)
	key, whole := keyFor("EdDSA"), b64(`{"alg":"EdDSA"}`) // three bytes in each group, without a rest, so that no reader stumbles over the end
	text := payload(good(nil))
	text = b64(text + strings.Repeat(" ", (3-len(text)%3)%3))
	short := b64(payload(good(nil)) + strings.Repeat(" ", (4-len(payload(good(nil)))%3)%3)) // two characters in the last group
	standard := strings.NewReplacer("-", "+", "_", "/")
	require.NoError(t, verifyErr(t, newAuth(t, newFakeIssuer(key).config()), signParts(key, whole, text)), "without a fault")
	require.NoError(t, verifyErr(t, newAuth(t, newFakeIssuer(key).config()), signParts(key, whole, short)), "without a fault")
	refuseAll(t, []attack{
		{"padding in the header, signed so", signParts(key, whole+"=", text), rs.ReasonMalformedToken},
		{"a line break in the header, signed so", signParts(key, whole[:4]+"\n"+whole[4:], text), rs.ReasonMalformedToken},
		{"a line break after the header, signed so", signParts(key, whole+"\r\n", text), rs.ReasonMalformedToken},
		{"padding in the payload, signed so", signParts(key, whole, text+"="), rs.ReasonMalformedToken},
		{"a line break in the payload, signed so", signParts(key, whole, text[:4]+"\n"+text[4:]), rs.ReasonMalformedToken},
		{"spare bits in the payload, signed so", signParts(key, whole, spareBits(short)), rs.ReasonMalformedToken},
		{"a letter of another alphabet in the payload, signed so", signParts(key, whole, text+"é"), rs.ReasonMalformedToken},
		{"standard base64 in the header, signed so", signParts(key, standard.Replace(b64(`{"alg":"EdDSA","x":"~~~~~~??????"}`)), text), rs.ReasonMalformedToken},
		{"standard base64 in the payload, signed so", signParts(key, whole, standard.Replace(b64(payload(good(claims{"x": "~~~~~~??????"}))))), rs.ReasonMalformedToken},
		{"standard base64 in the signature", head + "." + body + "." + strings.Repeat("+/", 42) + "AA", rs.ReasonMalformedToken},
		{"a space before", " " + token, rs.ReasonMalformedToken},
		{"a tab after", token + "\t", rs.ReasonMalformedToken},
		{"a NUL after", token + "\x00", rs.ReasonMalformedToken},
		{"a byte order mark before", "\ufeff" + token, rs.ReasonMalformedToken},
		{"a dot before", "." + token, rs.ReasonMalformedToken},
		{"dots of another alphabet", strings.ReplaceAll(token, ".", "․"), rs.ReasonMalformedToken},
		{"percent-encoded", strings.ReplaceAll(token, ".", "%2E"), rs.ReasonMalformedToken},
		{"quoted", `"` + token + `"`, rs.ReasonMalformedToken},
		{"twice", token + "," + token, rs.ReasonMalformedToken},
		{"padding in the header", head + "=." + body + "." + sig, rs.ReasonMalformedToken},
		{"padding in the payload", head + "." + body + "==." + sig, rs.ReasonMalformedToken},
		{"a line break in the header", head[:4] + "\n" + head[4:] + "." + body + "." + sig, rs.ReasonMalformedToken},
		{"a carriage return in the payload", head + "." + body[:4] + "\r" + body[4:] + "." + sig, rs.ReasonMalformedToken},
		{"a line break after the signature", token + "\n", rs.ReasonMalformedToken},
		{"a length that base64 can't have", head + "." + body + "." + sig[:len(sig)-1], rs.ReasonMalformedToken},
		{"the signature twice", token + sig, rs.ReasonSignature},
		{"a byte more in the signature", head + "." + body + "." + sig[:len(sig)-2] + "AAA", rs.ReasonSignature},
		{"parts in another order", body + "." + head + "." + sig, rs.ReasonMalformedToken},
		{"signature in upper case", head + "." + body + "." + swapCase(sig[:80]) + sig[80:], rs.ReasonSignature},
	})
}

// TestAttacksOnTheClaims has one line for each claim that reads in two ways, or says that the token is not meant for this service, now, as a bearer token.
func TestAttacksOnTheClaims(t *testing.T) {
	key := keyFor("EdDSA")
	now := time.Now().Unix()
	full := payload(good(nil))
	raw := func(text string) string { return signRaw(key, nil, []byte(text)) }
	with := func(member string) string { return raw(full[:len(full)-1] + "," + member + "}") }
	claim := func(name string, value any) string { return sign(key, nil, good(claims{name: value})) }
	number := func(name, text string) string { return claim(name, json.RawMessage(text)) }
	untyped := func(name string, value any) string {
		return sign(key, nil, good(claims{"typ": absent, name: value}))
	}

	attacks := []attack{
		{"an empty object", raw(`{}`), rs.ReasonMalformedClaims},
		{"white space", raw(" \n"), rs.ReasonMalformedClaims},
		{"cut off", raw(full[:len(full)-1]), rs.ReasonMalformedClaims},
		{"a NUL at the end", raw(full + "\x00"), rs.ReasonMalformedClaims},
		{"a comment", raw("/**/" + full), rs.ReasonMalformedClaims},
		{"a trailing comma", with(""), rs.ReasonMalformedClaims},
		{"UTF-16", raw(inUTF16(full)), rs.ReasonMalformedClaims},
		{"an overlong slash", with("\"x\":\"\xc0\xaf\""), rs.ReasonMalformedClaims},
		{"a surrogate in UTF-8", with("\"x\":\"\xed\xa0\x80\""), rs.ReasonMalformedClaims},
		{"a lone surrogate in a name", with(`"\ud800":1`), rs.ReasonMalformedClaims},
		{"a control character", with("\"x\":\"\x01\""), rs.ReasonMalformedClaims},
		{"a single quote", with(`'x':1`), rs.ReasonMalformedClaims},
		{"aud twice", with(`"aud":"` + audience + `"`), rs.ReasonMalformedClaims},
		{"exp twice", with(`"exp":99999999999`), rs.ReasonMalformedClaims},
		{"sub twice, once escaped", with(`"s\u0075b":"admin"`), rs.ReasonMalformedClaims},
		{"twice in an object of an array", with(`"x":[{"y":1,"y":2}]`), rs.ReasonMalformedClaims},
		{"objects too deep", with(`"x":` + strings.Repeat(`{"x":`, 20) + "1" + strings.Repeat("}", 20)), rs.ReasonMalformedClaims},

		{"iss over plain http", claim("iss", strings.Replace(issuerName, "https", "http", 1)), rs.ReasonIssuer},
		{"iss with its port", claim("iss", strings.Replace(issuerName, ".test/", ".test:443/", 1)), rs.ReasonIssuer},
		{"iss with a user", claim("iss", strings.Replace(issuerName, "//", "//x@", 1)), rs.ReasonIssuer},
		{"iss with a query", claim("iss", issuerName+"?x"), rs.ReasonIssuer},
		{"iss with a fragment", claim("iss", issuerName+"#"), rs.ReasonIssuer},
		{"iss of another realm", claim("iss", issuerName+"2"), rs.ReasonIssuer},
		{"iss that only begins so", claim("iss", issuerName+".evil.test"), rs.ReasonIssuer},
		{"iss with a path that leads back", claim("iss", issuerName+"/../sivalabs"), rs.ReasonIssuer},
		{"iss percent-encoded", claim("iss", strings.Replace(issuerName, "realms", "%72ealms", 1)), rs.ReasonIssuer},
		{"iss an object", claim("iss", claims{issuerName: 1}), rs.ReasonMalformedClaims},
		{"iss true", claim("iss", true), rs.ReasonMalformedClaims},

		{"aud with a space", claim("aud", audience+" "), rs.ReasonAudience},
		{"aud of others", claim("aud", []string{"account", "archival-service"}), rs.ReasonAudience},
		{"aud an array in a text", claim("aud", `["`+audience+`"]`), rs.ReasonAudience},
		{"aud with a soft hyphen", claim("aud", "messages\u00adservice"), rs.ReasonAudience},
		{"aud any", claim("aud", "*"), rs.ReasonAudience},
		{"aud an array in an array", claim("aud", []any{[]string{audience}}), rs.ReasonMalformedClaims},
		{"aud with null in the array", claim("aud", []any{audience, nil}), rs.ReasonMalformedClaims},
		{"aud true", claim("aud", true), rs.ReasonMalformedClaims},

		{"sub null", claim("sub", nil), rs.ReasonMalformedClaims},
		{"sub an array", claim("sub", []string{"a", "b"}), rs.ReasonMalformedClaims},
		{"azp null", claim("azp", nil), rs.ReasonMalformedClaims},
		{"azp a number", claim("azp", 5), rs.ReasonMalformedClaims},
		{"client_id null", claim("client_id", nil), rs.ReasonMalformedClaims},
		{"typ null", claim("typ", nil), rs.ReasonMalformedClaims},
		{"typ an array", claim("typ", []string{"Bearer"}), rs.ReasonMalformedClaims},

		{"no exp and no iat", sign(key, nil, good(claims{"exp": absent, "iat": absent})), rs.ReasonMalformedClaims},
		{"exp just a leeway ago", sign(key, nil, good(claims{"exp": now - 60, "iat": absent})), rs.ReasonExpired},
		{"exp years ago", sign(key, nil, good(claims{"exp": 1300819380, "iat": absent})), rs.ReasonExpired},
		{"exp -1e300", number("exp", "-1e300"), rs.ReasonMalformedClaims},
		{"exp -2^63", number("exp", "-9223372036854775808"), rs.ReasonMalformedClaims},
		{"exp an array", claim("exp", []int64{now + 300}), rs.ReasonMalformedClaims},
		{"exp an object", claim("exp", claims{}), rs.ReasonMalformedClaims},
		{"exp Infinity", raw(strings.Replace(full, fmt.Sprint(now+300), "Infinity", 1)), rs.ReasonMalformedClaims},
		{"exp in hexadecimal", raw(strings.Replace(full, fmt.Sprint(now+300), "0x7fffffff", 1)), rs.ReasonMalformedClaims},
		{"nbf minutes ahead", claim("nbf", now+200), rs.ReasonNotYetValid},
		{"nbf null", claim("nbf", nil), rs.ReasonMalformedClaims},
		{"nbf 1e999", number("nbf", "1e999"), rs.ReasonMalformedClaims},
		{"nbf 2^63-1", number("nbf", "9223372036854775807"), rs.ReasonMalformedClaims},
		{"nbf false", claim("nbf", false), rs.ReasonMalformedClaims},
		{"iat null", claim("iat", nil), rs.ReasonMalformedClaims},
		{"iat 1e300", number("iat", "1e300"), rs.ReasonMalformedClaims},
		{"iat an array", claim("iat", []int{1}), rs.ReasonMalformedClaims},

		{"Keycloak's ID token after a refresh", claim("typ", "Serialized-ID"), rs.ReasonTokenKind},
		{"a permission ticket", claim("typ", "PermissionTicket"), rs.ReasonTokenKind},
		{"a registration token", claim("typ", "RegistrationAccessToken"), rs.ReasonTokenKind},
		{"an initial access token", claim("typ", "InitialAccessToken"), rs.ReasonTokenKind},
		{"a link to verify an email", claim("typ", "verify-email"), rs.ReasonTokenKind},
		{"a link to execute actions", claim("typ", "execute-actions"), rs.ReasonTokenKind},
		{"typ Bearer and a space", claim("typ", "Bearer "), rs.ReasonTokenKind},
		{"typ id in lower case", claim("typ", "id"), rs.ReasonTokenKind},
		{"typ dpop in lower case", claim("typ", "dpop"), rs.ReasonSenderBound},
		{"no typ, but a c_hash", untyped("c_hash", "h"), rs.ReasonTokenKind},
		{"no typ, but a nonce null", untyped("nonce", nil), rs.ReasonTokenKind},
		{"bound to a key inside", claim("cnf", claims{"jwk": claims{}}), rs.ReasonSenderBound},
		{"bound to nothing", claim("cnf", claims{}), rs.ReasonSenderBound},
		{"bound to a text", claim("cnf", "x"), rs.ReasonSenderBound},
		{"bound, at+jwt", sign(key, map[string]any{"typ": "at+jwt"}, good(claims{"typ": absent, "cnf": claims{"jkt": "x"}})), rs.ReasonSenderBound},

		{"a long s in iss", with(`"iſs":"https://evil.test"`), rs.ReasonMalformedClaims},
		{"a long s in scope", with(`"ſcope":"admin"`), rs.ReasonMalformedClaims},
		{"two long s in realm_access", with(`"realm_acceſſ":{"roles":["ADMIN"]}`), rs.ReasonMalformedClaims},
	}
	// A reader that folds case would take the second for the first.
	for _, name := range []string{
		"sub", "aud", "exp", "nbf", "iat", "jti", "typ", "azp", "client_id", "scope", "scp", "nonce", "at_hash", "c_hash", "cnf", "sid", "auth_time", "acr",
		"resource_access", "preferred_username", "username", "email", "name", "roles", "groups",
	} {
		attacks = append(attacks, attack{strings.ToUpper(name), with(`"` + strings.ToUpper(name) + `":"x"`), rs.ReasonMalformedClaims})
	}
	refuseAll(t, attacks)
}

// inUTF16 is s in UTF-16 with a byte order mark.
func inUTF16(s string) string {
	out := []byte{0xfe, 0xff}
	for _, unit := range utf16.Encode([]rune(s)) {
		out = binary.BigEndian.AppendUint16(out, unit)
	}
	return string(out)
}
