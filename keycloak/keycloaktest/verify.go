package keycloaktest

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/svcauth/svcauth/internal/jose"
)

// issuedClaims are the claims of an access token or an ID token that are looked at when it comes back to the realm.
type issuedClaims struct {
	ID      string `json:"jti"`
	Issuer  string `json:"iss"`
	Subject string `json:"sub"`
	Type    string `json:"typ"`
	Client  string `json:"azp"`
	Session string `json:"sid"`
	Scope   string `json:"scope"`
	Issued  int64  `json:"iat"`
	Expiry  int64  `json:"exp"`
}

// verify returns the claims of a token of that type which this realm signed. It may have expired.
func (s *Server) verify(token, typ string) (claims issuedClaims, ok bool) {
	segments := strings.Split(token, ".")
	if len(segments) != 3 {
		return claims, false
	}
	var header struct {
		Algorithm string `json:"alg"`
		KeyID     string `json:"kid"`
	}
	if !decodeSegment(segments[0], &header) {
		return claims, false
	}
	signature, err := base64.RawURLEncoding.Strict().DecodeString(segments[2])
	if err != nil {
		return claims, false
	}
	set, err := json.Marshal(map[string][]json.RawMessage{"keys": s.keys.public()})
	if err != nil {
		return claims, false
	}
	keys, _, err := jose.ParseSet(set)
	if err != nil {
		return claims, false
	}
	for _, key := range keys {
		if key.ID == header.KeyID && key.Verify(header.Algorithm, segments[0]+"."+segments[1], signature) == nil {
			return claims, decodeSegment(segments[1], &claims) && claims.Issuer == s.Issuer() && claims.Type == typ
		}
	}
	return claims, false
}

func decodeSegment(segment string, v any) bool {
	data, err := base64.RawURLEncoding.Strict().DecodeString(segment)
	return err == nil && json.Unmarshal(data, v) == nil
}
