package webapp

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type object = map[string]any

// idTokens makes ID tokens with keys of its own, and the provider that trusts them.
type idTokens struct {
	t    *testing.T
	keys map[string]any // private, by kid
	set  jwk.Set
}

func newIDTokens(t *testing.T) *idTokens {
	t.Helper()
	f := &idTokens{t: t, keys: map[string]any{}, set: jwk.NewSet()}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	f.add("ec", ec, object{"alg": "ES256", "use": "sig"})
	f.add("ed", ed, nil)
	f.add("weak", weak, nil)
	f.add("enc", ec, object{"use": "enc"})
	return f
}

func (f *idTokens) add(id string, private any, members object) {
	f.t.Helper()
	key, err := jwk.PublicKeyOf(private)
	require.NoError(f.t, err)
	require.NoError(f.t, key.Set("kid", id))
	for name, value := range members {
		require.NoError(f.t, key.Set(name, value))
	}
	require.NoError(f.t, f.set.AddKey(key))
	f.keys[id] = private
}

func (f *idTokens) provider() *provider {
	p := newProvider(Config{Issuer: "https://i", ClientID: "app", Logger: slog.New(slog.DiscardHandler)}, "")
	p.keys = remember(time.Hour, func(context.Context) (jwk.Set, error) { return f.set, nil })
	return p
}

// sign makes a token of any header and payload.
func (f *idTokens) sign(alg jwa.SignatureAlgorithm, key any, header, payload object) string {
	f.t.Helper()
	part := func(o object) string {
		data, err := json.Marshal(o)
		require.NoError(f.t, err)
		return base64.RawURLEncoding.EncodeToString(data)
	}
	input := part(header) + "." + part(payload)
	signer, err := jws.NewSigner(alg)
	require.NoError(f.t, err)
	signature, err := signer.Sign([]byte(input), key)
	require.NoError(f.t, err)
	return input + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func goodClaims() object {
	now := time.Now().Unix()
	return object{"iss": "https://i", "aud": "app", "azp": "app", "sub": "1", "typ": "ID", "nonce": "n", "exp": now + 300, "iat": now, "name": "Ada"}
}

func changed(o, changes object) object {
	c := maps.Clone(o)
	for name, value := range changes {
		if c[name] = value; value == nil {
			delete(c, name)
		}
	}
	return c
}

func TestIDTokenClaims(t *testing.T) {
	f := newIDTokens(t)
	p := f.provider()
	at := func(d time.Duration) int64 { return time.Now().Add(d).Unix() }
	for _, c := range []struct {
		name    string
		changes object
		says    string // empty: accepted
	}{
		{"as it should be", nil, ""},
		{"aud in an array", object{"aud": []string{"app"}}, ""},
		{"several aud, azp is us", object{"aud": []string{"other", "app"}}, ""},
		{"no azp", object{"azp": nil}, ""},
		{"no typ", object{"typ": nil}, ""},
		{"expired within the leeway", object{"exp": at(-50 * time.Second)}, ""},
		{"issued ahead within the leeway", object{"iat": at(50 * time.Second)}, ""},
		{"fractions of a second", object{"exp": float64(at(time.Hour)) + .5}, ""},
		{"nbf passed", object{"nbf": at(-time.Second)}, ""},

		{"another issuer", object{"iss": "https://evil"}, `iss is "https://evil"`},
		{"issuer with a slash", object{"iss": "https://i/"}, "iss"},
		{"no issuer", object{"iss": nil}, "iss"},
		{"issuer under another name", object{"iss": nil, "ISS": "https://i"}, "iss"},
		{"another audience", object{"aud": "other"}, "aud"},
		{"no audience", object{"aud": nil}, "aud"},
		{"audience a number", object{"aud": 1}, "aud"},
		{"another azp", object{"azp": "other"}, "azp"},
		{"azp null", object{"azp": json.RawMessage("null")}, "azp"},
		{"several aud, no azp", object{"aud": []string{"other", "app"}, "azp": nil}, "azp"},
		{"an access token", object{"typ": "Bearer"}, `typ is "Bearer"`},
		{"a logout token", object{"typ": "Logout"}, "typ"},
		{"expired", object{"exp": at(-61 * time.Second)}, "expired"},
		{"no exp", object{"exp": nil}, "lacks exp"},
		{"exp a text", object{"exp": "9999999999"}, "lacks exp"},
		{"exp beyond all time", object{"exp": 1e300}, "lacks exp"},
		{"no iat", object{"iat": nil}, "lacks exp or iat"},
		{"issued in the future", object{"iat": at(70 * time.Second)}, "future"},
		{"not yet valid", object{"nbf": at(70 * time.Second)}, "future"},
		{"nbf a text", object{"nbf": "x"}, "malformed"},
		{"another nonce", object{"nonce": "m"}, "nonce"},
		{"no nonce", object{"nonce": nil}, "nonce"},
		{"nonce a list", object{"nonce": []string{"n"}}, "nonce"},
		{"nonce under another name", object{"nonce": nil, "Nonce": "n"}, "nonce"},
		{"no sub", object{"sub": nil}, "sub"},
		{"sub a number", object{"sub": 1}, "sub"},
	} {
		t.Run(c.name, func(t *testing.T) {
			token := f.sign(jwa.ES256, f.keys["ec"], object{"alg": "ES256", "kid": "ec"}, changed(goodClaims(), c.changes))
			got, err := p.verifyIDToken(t.Context(), token, "at", "n", false)
			if c.says == "" {
				require.NoError(t, err)
				assert.Equal(t, "Ada", got.text("name"))
				return
			}
			require.ErrorContains(t, err, c.says)
			assert.Nil(t, got)
			assert.NotContains(t, err.Error(), token[:20])
		})
	}
}

func TestIDTokenSignature(t *testing.T) {
	f := newIDTokens(t)
	p := f.provider()
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	header := func(alg, kid string) object { return object{"alg": alg, "kid": kid} }
	good := f.sign(jwa.ES256, f.keys["ec"], header("ES256", "ec"), goodClaims())
	parts := strings.Split(good, ".")
	other := strings.Split(f.sign(jwa.ES256, f.keys["ec"], header("ES256", "ec"), changed(goodClaims(), object{"sub": "2"})), ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`))
	hs := f.sign(jwa.HS256, []byte("the client secret, which is long"), header("HS256", "ec"), goodClaims())
	for _, c := range []struct {
		name, token, says string
	}{
		{"good", good, ""},
		{"typ JWT", f.sign(jwa.ES256, f.keys["ec"], changed(header("ES256", "ec"), object{"typ": "jwt"}), goodClaims()), ""},
		{"EdDSA", f.sign(jwa.EdDSA, f.keys["ed"], header("EdDSA", "ed"), goodClaims()), ""},
		{"no kid, one key fits", f.sign(jwa.ES256, f.keys["ec"], object{"alg": "ES256"}, goodClaims()), ""},

		{"empty", "", "malformed"},
		{"two parts", parts[0] + "." + parts[1], "malformed"},
		{"garbage", "a.b.c", "malformed"},
		{"JSON serialization", `{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `.."}`, "malformed"},
		{"too long", good + strings.Repeat("A", maxIDToken), "malformed"},
		{"payload swapped", parts[0] + "." + other[1] + "." + parts[2], "signature"},
		{"signature of another", parts[0] + "." + parts[1] + "." + other[2], "signature"},
		{"no signature", parts[0] + "." + parts[1] + ".", "signature"},
		{"a stranger's key", f.sign(jwa.ES256, stranger, header("ES256", "ec"), goodClaims()), "signature"},
		{"unknown kid", f.sign(jwa.ES256, f.keys["ec"], header("ES256", "nobody"), goodClaims()), "no key"},
		{"alg none", none + "." + parts[1] + ".", "alg"},
		{"alg HS256", hs, `alg "HS256" is not accepted`},
		{"alg of another kind of key", f.sign(jwa.EdDSA, f.keys["ed"], header("EdDSA", "ec"), goodClaims()), "no key"},
		{"an encryption key", f.sign(jwa.ES256, f.keys["enc"], header("ES256", "enc"), goodClaims()), "no key"},
		{"a weak key", f.sign(jwa.RS256, f.keys["weak"], header("RS256", "weak"), goodClaims()), "no key"},
		{"crit", f.sign(jwa.ES256, f.keys["ec"], changed(header("ES256", "ec"), object{"crit": []string{"exp"}, "exp": 1}), goodClaims()), "crit"},
		{"an access token's typ", f.sign(jwa.ES256, f.keys["ec"], changed(header("ES256", "ec"), object{"typ": "at+jwt"}), goodClaims()), "typ"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := p.verifyIDToken(t.Context(), c.token, "at", "n", false)
			if c.says == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.says)
			}
		})
	}
}

func TestIDTokenGoesWithItsAccessToken(t *testing.T) {
	f := newIDTokens(t)
	p := f.provider()
	sum := hash256([]byte("at"))
	verify := func(claim any, accessToken string) error {
		token := f.sign(jwa.ES256, f.keys["ec"], object{"alg": "ES256", "kid": "ec"}, changed(goodClaims(), object{"at_hash": claim}))
		_, err := p.verifyIDToken(t.Context(), token, accessToken, "n", false)
		return err
	}
	right := base64.RawURLEncoding.EncodeToString(sum[:16])
	assert.NoError(t, verify(right, "at"))
	assert.ErrorContains(t, verify(right, "other"), "at_hash")
	assert.ErrorContains(t, verify(base64.RawURLEncoding.EncodeToString(sum), "at"), "at_hash")
	assert.ErrorContains(t, verify(1, "at"), "at_hash")
}

func TestNonceOfARefresh(t *testing.T) {
	f := newIDTokens(t)
	p := f.provider()
	verify := func(claim any, nonce string, refreshed bool) error {
		token := f.sign(jwa.ES256, f.keys["ec"], object{"alg": "ES256", "kid": "ec"}, changed(goodClaims(), object{"nonce": claim}))
		_, err := p.verifyIDToken(t.Context(), token, "at", nonce, refreshed)
		return err
	}
	assert.NoError(t, verify("n", "n", true))
	assert.NoError(t, verify(nil, "n", true))
	assert.Error(t, verify("m", "n", true))
	assert.Error(t, verify(nil, "n", false))
	assert.Error(t, verify("", "", false), "no nonce is not the same nonce")
}

func TestRolesAndName(t *testing.T) {
	for _, c := range []struct {
		name   string
		claims string
		want   string
		admin  bool
	}{
		{"usual", `{"sub":"1","name":"Ada Admin","preferred_username":"admin","realm_access":{"roles":["ROLE_ADMIN"]}}`, "Ada Admin", true},
		{"bare role", `{"sub":"1","preferred_username":"admin","realm_access":{"roles":["ADMIN"]}}`, "admin", true},
		{"no name", `{"sub":"1","realm_access":{"roles":["ROLE_USER"]}}`, "1", false},
		{"no realm_access", `{"sub":"1","name":"a"}`, "a", false},
		{"realm_access a text", `{"sub":"1","name":"a","realm_access":"ROLE_ADMIN"}`, "a", false},
		{"roles a text", `{"sub":"1","name":"a","realm_access":{"roles":"ROLE_ADMIN"}}`, "a", false},
		{"odd roles", `{"sub":"1","name":"a","realm_access":{"roles":[1e999,null,[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]],"x"]}}`, "a", false},
		{"odd beside good", `{"sub":"1","name":2,"realm_access":{"roles":[1,null,{},"ROLE_ADMIN"]}}`, "1", true},
		{"a client's role", `{"sub":"1","resource_access":{"app":{"roles":["ROLE_ADMIN"]}}}`, "1", false},
	} {
		var parsed claims
		require.NoError(t, json.Unmarshal([]byte(c.claims), &parsed))
		var p person
		p.describe(parsed, "")
		assert.Equal(t, c.want, p.shownName(), c.name)
		assert.Equal(t, c.admin, p.isAdmin(), c.name)
	}
}
