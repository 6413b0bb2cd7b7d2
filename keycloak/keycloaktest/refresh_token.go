package keycloaktest

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/svcauth/svcauth/internal/jose"
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

// returnedRefresh are the claims that are looked at when the token comes back.
type returnedRefresh struct {
	ID      string `json:"jti"`
	Type    string `json:"typ"`
	Client  string `json:"azp"`
	Session string `json:"sid"`
	Scope   string `json:"scope"`
	Issued  int64  `json:"iat"`
	Expiry  int64  `json:"exp"`
}

// refreshClaims are those of the refresh token that goes along with an access token for that audience.
func (s *Server) refreshClaims(session session, audience any, now time.Time) map[string]any {
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
	return claims
}

// sign panics if a claim can't be encoded, which those of refreshClaims always can.
func (k refreshKey) sign(header, claims map[string]any) string {
	own := map[string]any{"kid": k.id}
	maps.Copy(own, header)
	payload, err := json.Marshal(claims)
	if err != nil {
		panic(fmt.Sprintf("keycloaktest: the claims can't be encoded as JSON: %v", err))
	}
	token, err := jose.SignHMAC("HS512", k.secret, own, payload)
	if err != nil {
		panic("keycloaktest: " + err.Error())
	}
	return token
}

// read returns the claims of a token that this key signed. It may have expired.
func (k refreshKey) read(token string) (claims returnedRefresh, ok bool) {
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
