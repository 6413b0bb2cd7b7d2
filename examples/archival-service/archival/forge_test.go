package archival

import (
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/svcauth/svcauth/keycloak/keycloaktest"
)

type object = map[string]any

var encode = base64.RawURLEncoding.EncodeToString

// headerOf decodes a token's header.
func headerOf(t *testing.T, token string) (header object) {
	t.Helper()
	part, _, _ := strings.Cut(token, ".")
	data, err := base64.RawURLEncoding.DecodeString(part)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &header))
	return header
}

// reheaded changes the header of a token and keeps the rest, signature and all; a nil value removes a member.
func reheaded(t *testing.T, token string, changes object) string {
	t.Helper()
	header := headerOf(t, token)
	maps.Copy(header, changes)
	maps.DeleteFunc(header, func(_ string, value any) bool { return value == nil })
	data, err := json.Marshal(header)
	require.NoError(t, err)
	return encode(data) + token[strings.Index(token, "."):]
}

// hs256 is a token signed anew, with a public key as if it were a shared secret.
func hs256(t *testing.T, token string, key []byte) string {
	t.Helper()
	input, _ := cutSignature(reheaded(t, token, object{"alg": "HS256"}))
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(input))
	return input + "." + encode(mac.Sum(nil))
}

func cutSignature(token string) (input, signature string) {
	i := strings.LastIndex(token, ".")
	return token[:i], token[i+1:]
}

// signingKey reads the key that signs, as JWK and as what its certificate holds, from a realm's key set.
func signingKey(t *testing.T, realm *keycloaktest.Server) (jwk object, der []byte, key *rsa.PublicKey) {
	t.Helper()
	resp, err := http.Get(realm.Issuer() + "/protocol/openid-connect/certs")
	require.NoError(t, err)
	defer resp.Body.Close()
	var set struct{ Keys []object }
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&set))
	for _, jwk := range set.Keys {
		if jwk["use"] != "sig" {
			continue
		}
		data, err := base64.StdEncoding.DecodeString(jwk["x5c"].([]any)[0].(string))
		require.NoError(t, err)
		certificate, err := x509.ParseCertificate(data)
		require.NoError(t, err)
		return jwk, certificate.RawSubjectPublicKeyInfo, certificate.PublicKey.(*rsa.PublicKey)
	}
	require.Fail(t, "the realm has no key that signs")
	return nil, nil, nil
}
