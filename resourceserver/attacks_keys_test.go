package resourceserver_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/svcauth/svcauth/internal/jose"
	rs "github.com/svcauth/svcauth/resourceserver"
)

// jwkWith is the public half of key with some members changed; absent removes one.
func jwkWith(key *jose.PrivateKey, change map[string]any) string {
	var members map[string]any
	if err := json.Unmarshal(key.PublicJWK("sig"), &members); err != nil {
		panic(err)
	}
	for name, value := range change {
		if members[name] = value; value == absent {
			delete(members, name)
		}
	}
	data, _ := json.Marshal(members)
	return string(data)
}

// resigned is a good token that says alg and kid, with the signature that sign makes of its text.
func resigned(alg, kid string, sign func(input []byte) []byte) string {
	head, _ := json.Marshal(map[string]any{"alg": alg, "kid": kid, "typ": "JWT"})
	input := b64(string(head)) + "." + b64(payload(good(nil)))
	return input + "." + b64(string(sign([]byte(input))))
}

func digest(input []byte) []byte {
	sum := sha256.Sum256(input)
	return sum[:]
}

// ecdsaSignature signs by P-256 and gives r and s.
func ecdsaSignature(input []byte) (r, s []byte) {
	rInt, sInt, err := ecdsa.Sign(rand.Reader, keyFor("ES256").Signer().(*ecdsa.PrivateKey), digest(input))
	if err != nil {
		panic(err)
	}
	return rInt.FillBytes(make([]byte, 32)), sInt.FillBytes(make([]byte, 32))
}

func rsaPrivate(name string) *rsa.PrivateKey { return keyFor(name).Signer().(*rsa.PrivateKey) }

// TestAttacksOnTheSignature has one line for each signature that some verifier once took for valid. All claims are good, and all keys are those of the issuer.
func TestAttacksOnTheSignature(t *testing.T) {
	es, rsa256, ed := keyFor("ES256"), keyFor("RS256"), keyFor("EdDSA")
	size := rsaPrivate("RS256").Size()
	ec := func(change func(r, s []byte) []byte) string {
		return resigned("ES256", es.ID(), func(input []byte) []byte { return change(ecdsaSignature(input)) })
	}
	rs256 := func(signature func(input []byte) []byte) string { return resigned("RS256", rsa256.ID(), signature) }
	pkcs1 := func(hash crypto.Hash) func([]byte) []byte {
		return func(input []byte) []byte {
			h := hash.New()
			h.Write(input)
			signature, err := rsa.SignPKCS1v15(nil, rsaPrivate("RS256"), hash, h.Sum(nil))
			require.NoError(t, err)
			return signature
		}
	}
	pss := func(key string, salt int) func([]byte) []byte {
		return func(input []byte) []byte {
			signature, err := rsa.SignPSS(rand.Reader, rsaPrivate(key), crypto.SHA256, digest(input), &rsa.PSSOptions{SaltLength: salt})
			require.NoError(t, err)
			return signature
		}
	}
	fixed := func(n int, last byte) func([]byte) []byte {
		return func([]byte) []byte { return append(make([]byte, n-1), last) }
	}
	auth := newAuth(t, newFakeIssuer(es, rsa256, keyFor("PS256")).config())
	for name, token := range map[string]string{
		"ECDSA": ec(func(r, s []byte) []byte { return append(r, s...) }), "RSA": rs256(pkcs1(crypto.SHA256)), "PSS": resigned("PS256", keyFor("PS256").ID(), pss("PS256", 32)),
	} {
		require.NoError(t, verifyErr(t, auth, token), "%s without a fault", name)
	}

	refuseAll(t, []attack{
		{"ECDSA, r and s swapped", ec(func(r, s []byte) []byte { return append(s, r...) }), rs.ReasonSignature},
		{"ECDSA, a real one in DER", resigned("ES256", es.ID(), func(input []byte) []byte {
			signature, _ := ecdsa.SignASN1(rand.Reader, es.Signer().(*ecdsa.PrivateKey), digest(input))
			return signature
		}), rs.ReasonSignature},
		{"ECDSA, a zero before r and s", ec(func(r, s []byte) []byte { return slices.Concat([]byte{0}, r, []byte{0}, s) }), rs.ReasonSignature},
		{"ECDSA, a zero after", ec(func(r, s []byte) []byte { return slices.Concat(r, s, []byte{0, 0}) }), rs.ReasonSignature},
		{"ECDSA, r alone", ec(func(r, _ []byte) []byte { return r }), rs.ReasonSignature},
		{"ECDSA, s of zero", ec(func(r, _ []byte) []byte { return append(r, make([]byte, 32)...) }), rs.ReasonSignature},
		{"ECDSA, r and s of one", resigned("ES256", es.ID(), func([]byte) []byte { return append(fixed(32, 1)(nil), fixed(32, 1)(nil)...) }), rs.ReasonSignature},
		{"RSA of zero", rs256(fixed(size, 0)), rs.ReasonSignature},
		{"RSA of one", rs256(fixed(size, 1)), rs.ReasonSignature},
		{"RSA of the modulus", rs256(func([]byte) []byte { return rsaPrivate("RS256").N.Bytes() }), rs.ReasonSignature},
		{"RSA, a zero before", rs256(func(input []byte) []byte { return append([]byte{0}, pkcs1(crypto.SHA256)(input)...) }), rs.ReasonSignature},
		{"RSA, SHA-384 under RS256", rs256(pkcs1(crypto.SHA384)), rs.ReasonSignature},
		{"RSA, SHA-1 under RS256", rs256(pkcs1(crypto.SHA1)), rs.ReasonSignature},
		{"RSA, PSS under RS256", rs256(pss("RS256", 32)), rs.ReasonSignature},
		{"PSS with a short salt", resigned("PS256", keyFor("PS256").ID(), pss("PS256", 20)), rs.ReasonSignature},
		{"PSS with a long salt", resigned("PS256", keyFor("PS256").ID(), pss("PS256", 64)), rs.ReasonSignature},
		{"Ed25519 with the order added to s", plusOrder(goodToken()), rs.ReasonSignature},
		{"Ed25519 of zeros", resigned("EdDSA", ed.ID(), fixed(64, 0)), rs.ReasonSignature},
		{"Ed25519, the point of order one and zero", resigned("EdDSA", ed.ID(), func([]byte) []byte { return append([]byte{1}, make([]byte, 63)...) }), rs.ReasonSignature},
		{"Ed25519, a byte more", resigned("EdDSA", ed.ID(), fixed(65, 0)), rs.ReasonSignature},
		{"HMAC with the RSA key's modulus", resigned("HS256", rsa256.ID(), func(input []byte) []byte {
			mac := hmac.New(sha256.New, rsaPrivate("RS256").N.Bytes())
			mac.Write(input)
			return mac.Sum(nil)
		}), rs.ReasonAlgorithm},
	})
}

// plusOrder adds the group's order to the second half of a token's signature: the same number to a verifier that does not look (RFC 8032 §5.1.7).
func plusOrder(token string) string {
	head, body, sig := parts(token)
	signature, err := base64.RawURLEncoding.DecodeString(sig)
	if err != nil {
		panic(err)
	}
	order, _ := new(big.Int).SetString("1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed", 16)
	s := slices.Clone(signature[32:])
	slices.Reverse(s)
	moved := order.Add(order, new(big.Int).SetBytes(s)).FillBytes(make([]byte, 32))
	slices.Reverse(moved)
	return head + "." + body + "." + b64(string(signature[:32])+string(moved))
}

// TestAttacksByWayOfTheKeys has one line for each key of an issuer's set that must not verify the token which it signed. Good keys stand beside it.
func TestAttacksByWayOfTheKeys(t *testing.T) {
	key, ec, rsaKey := keyFor("EdDSA/set"), keyFor("ES256/set"), keyFor("RS256/set")
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	weakJWK, _ := json.Marshal(map[string]string{"kty": "RSA", "kid": "weak", "n": base64.RawURLEncoding.EncodeToString(weak.N.Bytes()), "e": "AQAB"})
	one := resigned("RS256", rsaKey.ID(), func(input []byte) []byte { // with exponent 1 the padded text is its own signature
		prefix := "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"
		return []byte("\x00\x01" + strings.Repeat("\xff", 256-3-len(prefix)-32) + "\x00" + prefix + string(digest(input)))
	})
	hs := resigned("HS256", "shared", func(input []byte) []byte {
		mac := hmac.New(sha256.New, []byte("secret"))
		mac.Write(input)
		return mac.Sum(nil)
	})
	token := sign(key, nil, good(nil))
	for _, c := range []struct {
		name, jwk, token string
		want             rs.Reason
	}{
		{"for encryption", jwkWith(key, map[string]any{"use": "enc"}), token, rs.ReasonUnknownKey},
		{"for signing only", jwkWith(key, map[string]any{"key_ops": []string{"sign"}}), token, rs.ReasonUnknownKey},
		{"with its private half", jwkWith(key, map[string]any{"d": "AA"}), token, rs.ReasonUnknownKey},
		{"with a shared secret", jwkWith(key, map[string]any{"k": "AA"}), token, rs.ReasonUnknownKey},
		{"a shared secret", `{"kty":"oct","kid":"shared","alg":"HS256","k":"` + b64("secret") + `"}`, hs, rs.ReasonAlgorithm},
		{"RSA of 1024 bits", string(weakJWK), resigned("RS256", "weak", func(input []byte) []byte {
			signature, _ := rsa.SignPKCS1v15(nil, weak, crypto.SHA256, digest(input))
			return signature
		}), rs.ReasonUnknownKey},
		{"RSA with exponent 1", jwkWith(rsaKey, map[string]any{"e": "AQ"}), one, rs.ReasonUnknownKey},
		{"RSA with an even modulus", jwkWith(rsaKey, map[string]any{"n": base64.RawURLEncoding.EncodeToString(new(big.Int).Lsh(big.NewInt(1), 2047).Bytes())}), one, rs.ReasonUnknownKey},
		{"RSA for encryption by its alg", jwkWith(rsaKey, map[string]any{"alg": "RSA-OAEP"}), sign(rsaKey, nil, good(nil)), rs.ReasonUnknownKey},
		{"EC with the alg of another curve", jwkWith(ec, map[string]any{"alg": "ES384"}), sign(ec, nil, good(nil)), rs.ReasonUnknownKey},
		{"EC under the name of another curve", jwkWith(ec, map[string]any{"crv": "P-384", "alg": absent}), sign(ec, nil, good(nil)), rs.ReasonUnknownKey},
		{"EC with a point off the curve", jwkWith(ec, map[string]any{"x": jwkMember(ec, "y"), "alg": absent}), sign(ec, nil, good(nil)), rs.ReasonUnknownKey},
		{"EdDSA under kty EC", jwkWith(key, map[string]any{"kty": "EC"}), token, rs.ReasonUnknownKey},
		{"of another alg, as the key says", jwkWith(rsaKey, map[string]any{"alg": "RS512"}), sign(rsaKey, nil, good(nil)), rs.ReasonAlgorithm},
		{"PSS by a key for PKCS #1", jwkWith(rsaKey, nil), sign(rsaKey, map[string]any{"alg": "PS256"}, good(nil)), rs.ReasonAlgorithm},
		{"of another kind, without alg", jwkWith(rsaKey, map[string]any{"alg": absent, "kid": "k"}), sign(key, map[string]any{"kid": "k"}, good(nil)), rs.ReasonAlgorithm},
		{"of another curve, without alg", jwkWith(keyFor("ES384/set"), map[string]any{"alg": absent, "kid": "k"}), sign(ec, map[string]any{"kid": "k"}, good(nil)), rs.ReasonAlgorithm},
		{"EdDSA under the name RS256, without alg", jwkWith(key, map[string]any{"alg": absent}), sign(key, map[string]any{"alg": "RS256"}, good(nil)), rs.ReasonAlgorithm},
		{"ECDSA under the name RS256, without alg", jwkWith(ec, map[string]any{"alg": absent}), sign(ec, map[string]any{"alg": "RS256"}, good(nil)), rs.ReasonAlgorithm},
		{"the name of another", jwkWith(key, map[string]any{"kid": "other"}), token, rs.ReasonUnknownKey},
		{"the name twice, none of them fits", jwkWith(rsaKey, map[string]any{"kid": "k"}) + "," + jwkWith(ec, map[string]any{"kid": "k"}), sign(key, map[string]any{"kid": "k"}, good(nil)), rs.ReasonAlgorithm},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFakeIssuer()
			f.publishRaw(`{"keys":[` + string(keyFor("EdDSA").PublicJWK("sig")) + "," + c.jwk + `]}`)
			auth := newAuth(t, f.config())
			require.NoError(t, verifyErr(t, auth, goodToken()))
			requireReason(t, verifyErr(t, auth, c.token), c.want)
		})
	}
}

func jwkMember(key *jose.PrivateKey, name string) any {
	var members map[string]any
	if err := json.Unmarshal(key.PublicJWK("sig"), &members); err != nil {
		panic(err)
	}
	return members[name]
}

// TestAttacksAcrossIssuers has one line for each thing of one issuer that must not count for another, and for each setting that narrows what is accepted.
func TestAttacksAcrossIssuers(t *testing.T) {
	const second = "https://issuer.test/realms/second"
	now := time.Now().Unix()
	first := keyFor("EdDSA")
	f := newFakeIssuer(first, keyFor("ES256"))
	base := f.config()
	several := rs.Config{HTTPClient: base.HTTPClient, Logger: discard, Issuers: []rs.Config{
		{Issuer: issuerName, Audiences: []string{audience}, Algorithms: []string{"EdDSA"}},
		{Issuer: second, Audiences: []string{"second"}, Algorithms: []string{"ES256"}, JWKSURL: "https://issuer.test" + certsPath},
	}}
	narrow := func(change func(*rs.Config)) rs.Config {
		c := f.config()
		change(&c)
		return c
	}
	token := goodToken()
	for _, c := range []struct {
		name   string
		config rs.Config
		token  string
		want   rs.Reason
	}{
		{"the algorithm of the other issuer", several, sign(keyFor("ES256"), nil, good(nil)), rs.ReasonAlgorithm},
		{"the audience of the other issuer", several, sign(first, nil, good(claims{"aud": "second"})), rs.ReasonAudience},
		{"no issuer of them", several, sign(first, nil, good(claims{"iss": issuerName + "/second"})), rs.ReasonIssuer},
		{"both issuers in one name", several, sign(first, nil, good(claims{"iss": issuerName + " " + second})), rs.ReasonIssuer},
		{"an algorithm left out", narrow(func(c *rs.Config) { c.Algorithms = []string{"ES256"} }), token, rs.ReasonAlgorithm},
		{"a byte too large", narrow(func(c *rs.Config) { c.MaxTokenSize = len(token) - 1 }), token, rs.ReasonTokenTooLarge},
		{"exp a second ago, no leeway", narrow(func(c *rs.Config) { c.Leeway = -1 }), sign(first, nil, good(claims{"exp": now - 1, "iat": absent})), rs.ReasonExpired},
		{"nbf soon, no leeway", narrow(func(c *rs.Config) { c.Leeway = -1 }), sign(first, nil, good(claims{"nbf": now + 20})), rs.ReasonNotYetValid},
		{"exp beyond a leeway of ours", narrow(func(c *rs.Config) { c.Leeway = 5 * time.Minute }), sign(first, nil, good(claims{"exp": now - 300, "iat": absent})), rs.ReasonExpired},
		{"an issuer with a slash, the token without", narrow(func(c *rs.Config) { c.Issuer += "/" }), token, rs.ReasonIssuer},
	} {
		t.Run(c.name, func(t *testing.T) {
			requireReason(t, verifyErr(t, newAuth(t, c.config), c.token), c.want)
		})
	}
	requireReason(t, verifyErr(t, newAuth(t, several), sign(keyFor("ES256/other"), nil, good(claims{"iss": second, "aud": "second"}))), rs.ReasonUnknownKey)
	require.NoError(t, verifyErr(t, newAuth(t, several), sign(keyFor("ES256"), nil, good(claims{"iss": second, "aud": "second"}))))
}
