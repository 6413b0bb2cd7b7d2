package keycloaktest

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// refreshKey signs refresh tokens. As at Keycloak it is an HMAC key that the key set doesn't show: who takes a refresh token for an access token fails here too.
type refreshKey struct {
	id     string
	secret []byte
}

func newRefreshKey() refreshKey {
	secret := make([]byte, 64)
	rand.Read(secret) // never fails
	return refreshKey{randomUUID(), secret}
}

// refreshClaims are those that are looked at when the token comes back.
type refreshClaims struct {
	ID      string `json:"jti"`
	Type    string `json:"typ"`
	Client  string `json:"azp"`
	Session string `json:"sid"`
	Scope   string `json:"scope"`
	Expiry  int64  `json:"exp"`
}

// signRefresh makes the refresh token that goes along with an access token for that audience.
func (s *Server) signRefresh(session session, audience any, now time.Time) string {
	claims := map[string]any{
		"iss": s.Issuer(), "aud": s.Issuer(), "sub": session.user.id, "typ": "Refresh", "azp": session.client.id, "sid": session.sid,
		"jti": session.refreshID, "iat": now.Unix(), "exp": session.idleEnd.Unix(), "scope": session.refreshScope, "prov": "default",
	}
	if session.refreshScope == "" {
		claims["scope"] = session.granted.names()
	}
	if audience != nil {
		claims["aud_x"] = audience
	}
	return s.refresh.sign(claims)
}

func (k refreshKey) sign(claims map[string]any) string {
	encode := func(v any) string {
		data, err := json.Marshal(v)
		if err != nil {
			panic(fmt.Sprintf("keycloaktest: a refresh token can't be encoded: %v", err)) // can't happen: strings, numbers and lists
		}
		return base64.RawURLEncoding.EncodeToString(data)
	}
	input := encode(map[string]string{"alg": "HS512", "typ": "JWT", "kid": k.id}) + "." + encode(claims)
	return input + "." + base64.RawURLEncoding.EncodeToString(k.mac(input))
}

// read returns the claims of a token that this key signed. It may have expired.
func (k refreshKey) read(token string) (claims refreshClaims, ok bool) {
	dot := strings.LastIndexByte(token, '.')
	if dot < 0 {
		return claims, false
	}
	signature, err := base64.RawURLEncoding.Strict().DecodeString(token[dot+1:])
	if err != nil || !hmac.Equal(signature, k.mac(token[:dot])) {
		return claims, false
	}
	_, payload, _ := strings.Cut(token[:dot], ".")
	data, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil || json.Unmarshal(data, &claims) != nil {
		return claims, false
	}
	return claims, claims.Type == "Refresh"
}

func (k refreshKey) mac(input string) []byte {
	mac := hmac.New(sha512.New, k.secret)
	mac.Write([]byte(input)) // never fails
	return mac.Sum(nil)
}
