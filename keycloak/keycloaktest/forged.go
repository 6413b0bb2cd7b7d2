package keycloaktest

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"strings"
	"sync"

	"github.com/svcauth/svcauth/internal/jose"
)

// forgers are keys that no realm publishes, by algorithm: one of each in a process.
var (
	forgerMu sync.Mutex // guards forgers
	forgers  = map[string]*jose.PrivateKey{}
)

func forger(alg string) *jose.PrivateKey {
	forgerMu.Lock()
	defer forgerMu.Unlock()
	if forgers[alg] == nil {
		forgers[alg] = generate(alg)
	}
	return forgers[alg]
}

// signAs signs as the Token wants it, by own if it doesn't say.
func (s *Server) signAs(t Token, own string, claims map[string]any) string {
	s.test.Helper()
	algorithm := t.Algorithm
	if algorithm == "" {
		algorithm = own
	}
	switch {
	case jose.Supported(algorithm):
		key := s.keys.signer(algorithm)
		if t.Forged {
			key = forger(algorithm).WithID(key.ID())
		}
		return s.signWith(key, t.Header, claims)
	case t.Forged:
		s.misuse("Token.Forged and Token.Algorithm %q are both set: choose one, no key of the realm signs by that algorithm", algorithm)
	case algorithm == "none":
		return s.unsigned(t.Header, claims)
	case jose.SupportedHMAC(algorithm):
		return s.signByPublicKey(algorithm, own, t.Header, claims)
	}
	s.misuse("Token.Algorithm %q is not supported: want none, HS256, HS384, HS512 or one of %s", algorithm, strings.Join(jose.Algorithms(), ", "))
	return ""
}

// unsigned is an unsecured JWS (RFC 7515 appendix A.5).
func (s *Server) unsigned(header, claims map[string]any) string {
	s.test.Helper()
	own := map[string]any{"alg": "none", "typ": "JWT"}
	maps.Copy(own, header)
	maps.DeleteFunc(own, func(_ string, value any) bool { return value == nil })
	head, err := json.Marshal(own)
	if err != nil {
		s.misuse("the header can't be encoded as JSON: %v", err)
	}
	return base64.RawURLEncoding.EncodeToString(head) + "." + base64.RawURLEncoding.EncodeToString(s.payload(claims)) + "."
}

// signByPublicKey is what an attacker can do who has the key set and no secret: a verifier that takes the algorithm from the token and the key from the set would
// take the text of the public key for a shared secret.
func (s *Server) signByPublicKey(algorithm, own string, header, claims map[string]any) string {
	s.test.Helper()
	key := s.keys.signer(own)
	der, err := x509.MarshalPKIXPublicKey(key.Signer().Public())
	if err != nil {
		s.misuse("the public key can't be encoded: %v", err)
	}
	whole := map[string]any{"kid": key.ID()}
	maps.Copy(whole, header)
	token, err := jose.SignHMAC(algorithm, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), whole, s.payload(claims))
	if err != nil {
		s.misuse("%v", err)
	}
	return token
}
