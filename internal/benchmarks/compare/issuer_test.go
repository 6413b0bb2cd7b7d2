package compare

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"sync"
	"time"
)

const (
	issuerHost = "keycloak.example"
	issuerURL  = "https://" + issuerHost + "/realms/sivalabs"
	jwksURL    = issuerURL + "/protocol/openid-connect/certs"
	tokenURL   = issuerURL + "/protocol/openid-connect/token"
	audience   = "messages-service"
	lifetime   = 5 * time.Minute // of an access token, as Keycloak's default
)

// key is one of an issuer's. RS256 is what Keycloak signs with unless it is told otherwise, and what all the libraries take.
type key struct {
	id      string
	private *rsa.PrivateKey
}

// keys are one set for all tests: making them takes longer than all the rest.
var keys = sync.OnceValue(func() [2]key {
	var all [2]key
	for n := range all {
		private, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		all[n] = key{fmt.Sprintf("key-%d", n), private}
	}
	return all
})

func (k key) jwk() any {
	return map[string]string{
		"kid": k.id, "kty": "RSA", "alg": "RS256", "use": "sig",
		"n": base64url(k.private.N.Bytes()), "e": base64url(big.NewInt(int64(k.private.E)).Bytes()),
	}
}

// issuer is one like Keycloak, in memory.
type issuer struct {
	mu            sync.Mutex // guards the following
	published     []any      // JWKs
	padding       int        // bytes of blanks before the key set
	keyRequests   int
	tokenRequests int
	tokens        http.HandlerFunc // answers the token endpoint
}

// newNetwork is a network with an issuer, which publishes the first of the keys.
func newNetwork() (*network, *issuer) {
	i := &issuer{published: []any{keys()[0].jwk()}, tokens: giveTokens}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /realms/sivalabs/.well-known/openid-configuration", metadata)
	mux.HandleFunc("GET /realms/sivalabs/protocol/openid-connect/certs", i.keySet)
	mux.HandleFunc("POST /realms/sivalabs/protocol/openid-connect/token", i.token)
	return &network{hosts: map[string]http.Handler{issuerHost: mux}}, i
}

func (i *issuer) publish(jwks ...any) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.published = jwks
}

func (i *issuer) answerTokens(answer http.HandlerFunc) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.tokens = answer
}

// requests is how often keys and tokens were asked for.
func (i *issuer) requests() (forKeys, forTokens int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.keyRequests, i.tokenRequests
}

// metadata is OpenID Connect Discovery 1.0 §4.2.
func metadata(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, map[string]any{
		"issuer": issuerURL, "jwks_uri": jwksURL, "token_endpoint": tokenURL, "authorization_endpoint": issuerURL + "/protocol/openid-connect/auth",
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"RS256"},
	})
}

func (i *issuer) keySet(w http.ResponseWriter, _ *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keyRequests++
	w.Header().Set("Content-Type", "application/json")
	blanks := make([]byte, i.padding)
	for n := range blanks {
		blanks[n] = ' '
	}
	w.Write(blanks)
	writeJSON(w, map[string]any{"keys": i.published})
}

func (i *issuer) token(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	i.tokenRequests++
	answer := i.tokens
	i.mu.Unlock()
	answer(w, r)
}

// giveTokens is a successful answer (RFC 6749 §5.1). No two tokens are alike.
func giveTokens(w http.ResponseWriter, _ *http.Request) {
	token := keys()[0].access(map[string]any{"jti": rand.Text()})
	writeJSON(w, map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": lifetime / time.Second})
}

func writeJSON(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(body); err != nil {
		panic(err)
	}
}

// access is a good access token, as Keycloak makes them for a service account, with some claims changed. A nil leaves its claim out. It lives for a year, since
// what is looked at here is not its end.
func (k key) access(changes map[string]any) string {
	now := time.Now()
	claims := map[string]any{
		"iss": issuerURL, "aud": []string{audience, "account"}, "sub": "5d5f4b62-9d0d-4d2a-8a52-1a7c0c9f3b55", "typ": "Bearer", "azp": "archival-service",
		"iat": now.Unix(), "exp": now.AddDate(1, 0, 0).Unix(), "jti": "trrtcc:b3ad4a6c", "scope": "profile email", "preferred_username": "service-account-archival-service",
		"realm_access": map[string]any{"roles": []string{"ROLE_ADMIN", "offline_access"}},
	}
	maps.Copy(claims, changes)
	maps.DeleteFunc(claims, func(_ string, value any) bool { return value == nil })
	payload, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	return k.sign(k.id, payload)
}

// sign makes a JWS (RFC 7515 §7.1) that names kid.
func (k key) sign(kid string, payload []byte) string {
	input := base64url([]byte(`{"alg":"RS256","typ":"JWT","kid":"`+kid+`"}`)) + "." + base64url(payload)
	hash := sha256.Sum256([]byte(input))
	signature, err := rsa.SignPKCS1v15(rand.Reader, k.private, crypto.SHA256, hash[:])
	if err != nil {
		panic(err)
	}
	return input + "." + base64url(signature)
}

func base64url(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }
