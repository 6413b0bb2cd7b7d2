package messages

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
)

// The keys of this test binary that no realm has: an attacker's, and those of the issuer below.
var (
	rsaKey     = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	ecKey      = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })
	ed25519Key = sync.OnceValue(func() ed25519.PrivateKey { _, key, err := ed25519.GenerateKey(rand.Reader); return must(key, err) })
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

type object = map[string]any

var encode = base64.RawURLEncoding.EncodeToString

// A signer makes the signature of a JWS over its first two parts.
type signer func(input string) []byte

// token makes a compact JWS of a header and a payload as they stand.
func token(header, payload string, sign signer) string {
	input := encode([]byte(header)) + "." + encode([]byte(payload))
	return input + "." + encode(sign(input))
}

func asJSON(v any) string { return string(must(json.Marshal(v))) }

func digest(h crypto.Hash, input string) []byte {
	d := h.New()
	d.Write([]byte(input))
	return d.Sum(nil)
}

func rs(h crypto.Hash) signer {
	return func(input string) []byte { return must(rsa.SignPKCS1v15(nil, rsaKey(), h, digest(h, input))) }
}

func ps(h crypto.Hash) signer {
	return func(input string) []byte {
		return must(rsa.SignPSS(rand.Reader, rsaKey(), h, digest(h, input), &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}))
	}
}

func es256(input string) []byte {
	r, s, err := ecdsa.Sign(rand.Reader, ecKey(), digest(crypto.SHA256, input))
	must(0, err)
	return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
}

func es256DER(input string) []byte {
	return must(ecdsa.SignASN1(rand.Reader, ecKey(), digest(crypto.SHA256, input)))
}

func edDSA(input string) []byte { return ed25519.Sign(ed25519Key(), []byte(input)) }

func hs(h func() hash.Hash, key []byte) signer {
	return func(input string) []byte {
		mac := hmac.New(h, key)
		mac.Write([]byte(input))
		return mac.Sum(nil)
	}
}

// refreshToken is one as Keycloak signs them, with a key that nobody else has.
func refreshToken(claims string) string {
	return token(`{"alg":"HS512","typ":"JWT","kid":"00000000-0000-4000-8000-000000000000"}`, claims, hs(sha512.New, []byte("a key of the realm alone")))
}

// hs256 is claims signed with a public key as if it were a shared secret.
func hs256(kid, claims string, key []byte) string {
	return token(asJSON(object{"alg": "HS256", "typ": "JWT", "kid": kid}), claims, hs(sha256.New, key))
}

// parts splits a token and decodes header and payload.
func parts(token string) (header, payload, signature string) {
	p := strings.Split(token, ".")
	return string(must(base64.RawURLEncoding.DecodeString(p[0]))), string(must(base64.RawURLEncoding.DecodeString(p[1]))), p[2]
}

// flipped is a token whose signature has another first character.
func flipped(token string) string {
	i := strings.LastIndex(token, ".") + 1
	c := "A"
	if token[i] == 'A' {
		c = "B"
	}
	return token[:i] + c + token[i+1:]
}

// publicKeyOf reads the signing key with this kid from an issuer's key set.
func publicKeyOf(jwksURL, kid string) *rsa.PublicKey {
	resp := must(http.Get(jwksURL))
	defer resp.Body.Close()
	var set struct{ Keys []struct{ Kid, N string } }
	must(0, json.NewDecoder(resp.Body).Decode(&set))
	for _, key := range set.Keys {
		if key.Kid == kid {
			return &rsa.PublicKey{N: new(big.Int).SetBytes(must(base64.RawURLEncoding.DecodeString(key.N))), E: 65537}
		}
	}
	panic(fmt.Sprintf("no key %q in the set", kid))
}

// ownIssuer is an issuer whose keys we hold, to sign validly what no Keycloak would. Its one RSA key stands under several kids, each with another alg.
var ownIssuer = sync.OnceValue(func() string {
	n, e := encode(rsaKey().N.Bytes()), "AQAB"
	ec := must(ecKey().PublicKey.Bytes()) // 4, x, y
	keys := asJSON(object{"keys": []object{
		{"kid": "enc", "kty": "RSA", "use": "enc", "alg": "RSA-OAEP", "n": n, "e": e},
		{"kid": "rs", "kty": "RSA", "use": "sig", "alg": "RS256", "n": n, "e": e},
		{"kid": "ps", "kty": "RSA", "use": "sig", "alg": "PS256", "n": n, "e": e},
		{"kid": "noalg", "kty": "RSA", "use": "sig", "n": n, "e": e},
		{"kid": "es", "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "x": encode(ec[1:33]), "y": encode(ec[33:])},
		{"kid": "ed", "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "x": encode(ed25519Key().Public().(ed25519.PublicKey))},
	}})
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, asJSON(object{"issuer": server.URL, "jwks_uri": server.URL + "/keys"}))
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, keys) })
	return server.URL
})

// with returns base with members replaced; a nil value removes one.
func with(base, changes object) object {
	out := maps.Clone(base)
	maps.Copy(out, changes)
	maps.DeleteFunc(out, func(_ string, v any) bool { return v == nil })
	return out
}
