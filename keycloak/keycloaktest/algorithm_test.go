package keycloaktest

import (
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"hash"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/svcauth/svcauth/internal/jose"
)

// algorithms of the key set, in its order.
func algorithms(t *testing.T, s *Server) []string {
	t.Helper()
	var all []string
	for _, key := range keySet(t, s).Keys {
		all = append(all, key.Algorithm)
	}
	return all
}

func TestAlgorithmOfTheRealm(t *testing.T) {
	for alg, kind := range map[string]struct {
		kty  string
		hash hash.Hash
	}{
		"RS512": {"RSA", sha512.New()}, "PS256": {"RSA", sha256.New()}, "ES256": {"EC", sha256.New()}, "ES384": {"EC", sha512.New384()}, "EdDSA": {"OKP", sha512.New()},
	} {
		t.Run(alg, func(t *testing.T) {
			s := start(t, Config{Algorithm: alg})
			assert.Equal(t, []string{"RSA-OAEP", alg}, algorithms(t, s))
			assert.Equal(t, kind.kty, keySet(t, s).Keys[1].KeyType)
			status, answer := issue(t, s, "job", "job-secret", "&scope=openid")
			require.Equal(t, 200, status)
			for _, token := range []string{answer.AccessToken, answer.IDToken, s.Token(Token{User: "alice"}), s.Token(Token{Type: "ID"})} {
				header, _ := parts(t, token)
				assert.Equal(t, alg, header["alg"])
				assert.True(t, verified(t, s, token))
			}
			kind.hash.Write([]byte(answer.AccessToken))
			half := kind.hash.Sum(nil)[:kind.hash.Size()/2]
			assert.Equal(t, base64.RawURLEncoding.EncodeToString(half), claimsOf(t, answer.IDToken)["at_hash"])
			_, body := get(t, s.Issuer()+DiscoveryEndpoint)
			assert.Contains(t, body, `"id_token_signing_alg_values_supported":["`+alg+`"]`)

			before := s.Token(Token{})
			s.RotateKeys(true)
			assert.Equal(t, []string{"RSA-OAEP", alg, alg}, algorithms(t, s))
			assert.True(t, verified(t, s, before))
			s.RotateKeys(false)
			assert.False(t, verified(t, s, before))
			assert.True(t, verified(t, s, s.Token(Token{})))
		})
	}
}

func TestAlgorithmsOfTheJSON(t *testing.T) {
	s := startJSON(t, `{"realm": "r", "enabled": true, "defaultSignatureAlgorithm": "EdDSA", "clients": [
	  {"clientId": "a", "secret": "x", "serviceAccountsEnabled": true},
	  {"clientId": "b", "secret": "x", "serviceAccountsEnabled": true,
	    "attributes": {"access.token.signed.response.alg": "ES256", "id.token.signed.response.alg": "ES512"}}]}`)
	for id, want := range map[string][]string{"a": {"EdDSA", "EdDSA"}, "b": {"ES256", "ES512"}} {
		_, answer := issue(t, s, id, "x", "&scope=openid")
		access, _ := parts(t, answer.AccessToken)
		id, _ := parts(t, answer.IDToken)
		assert.Equal(t, want, []string{access["alg"].(string), id["alg"].(string)})
	}
	assert.ElementsMatch(t, []string{"RSA-OAEP", "EdDSA", "ES256", "ES512"}, algorithms(t, s))
	_, body := get(t, s.Issuer()+DiscoveryEndpoint)
	assert.Contains(t, body, `"id_token_signing_alg_values_supported":["EdDSA","ES512"]`)
}

func TestAlgorithmOfOneToken(t *testing.T) {
	s := start(t, Config{Algorithm: "EdDSA"})
	assert.Equal(t, []string{"RSA-OAEP", "EdDSA"}, algorithms(t, s))
	token := s.Token(Token{Algorithm: "ES256"})
	assert.Equal(t, []string{"RSA-OAEP", "EdDSA", "ES256"}, algorithms(t, s), "its key is published")
	assert.True(t, verified(t, s, token))
	s.RotateKeys(false)
	assert.Equal(t, []string{"RSA-OAEP", "EdDSA", "ES256"}, algorithms(t, s), "each kind has a new key")
	assert.False(t, verified(t, s, token))
	assert.True(t, verified(t, s, s.Token(Token{Algorithm: "ES256"})))
}

func TestCertificatesStayTheSameWhenKeysRotate(t *testing.T) {
	s := start(t, Config{})
	before := keySet(t, s).Keys[1]
	s.RotateKeys(true)
	assert.Equal(t, before, keySet(t, s).Keys[2])
}

func TestForgedToken(t *testing.T) {
	s := start(t, Config{Algorithm: "EdDSA"})
	good, _ := parts(t, s.Token(Token{}))
	forged := s.Token(Token{Forged: true})
	header, claims := parts(t, forged)
	assert.Equal(t, good, header, "it names the realm's key")
	assert.Equal(t, s.Issuer(), claims["iss"])
	assert.False(t, verified(t, s, forged))
	assert.Equal(t, []string{"RSA-OAEP", "EdDSA"}, algorithms(t, s))
}

func TestUnsignedToken(t *testing.T) {
	s := start(t, Config{Algorithm: "EdDSA"})
	token := s.Token(Token{Algorithm: "none", Header: map[string]any{"typ": nil, "x": 1}})
	header, claims := parts(t, token)
	assert.Equal(t, map[string]any{"alg": "none", "x": 1.0}, header)
	assert.Equal(t, "job", claims["azp"])
	assert.True(t, strings.HasSuffix(token, "."), "no signature")
}

func TestTokenSignedWithThePublicKey(t *testing.T) {
	s := start(t, Config{Algorithm: "ES256"})
	token := s.Token(Token{Algorithm: "HS384"})
	key := s.keys.signer("ES256")
	header, claims := parts(t, token)
	assert.Equal(t, map[string]any{"alg": "HS384", "typ": "JWT", "kid": key.ID()}, header)
	der, err := x509.MarshalPKIXPublicKey(key.Signer().Public())
	require.NoError(t, err)
	payload, err := json.Marshal(claims)
	require.NoError(t, err)
	want, err := jose.SignHMAC("HS384", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), map[string]any{"kid": key.ID()}, payload)
	require.NoError(t, err)
	assert.Equal(t, want, token)
}
