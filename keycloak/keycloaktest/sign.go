package keycloaktest

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/json"
	"hash"
	"strings"

	"github.com/svcauth/svcauth/internal/jose"
)

// hashOf is the hash that a signature algorithm uses.
func hashOf(algorithm string) hash.Hash {
	switch {
	case strings.HasSuffix(algorithm, "384"):
		return sha512.New384()
	case strings.HasSuffix(algorithm, "512"), strings.HasPrefix(algorithm, "Ed"):
		return sha512.New()
	}
	return sha256.New()
}

func (s *Server) sign(algorithm string, header, claims map[string]any) string {
	return s.signWith(s.keys.signer(algorithm), header, claims)
}

func (s *Server) signWith(key *jose.PrivateKey, header, claims map[string]any) string {
	token, err := key.Sign(header, s.payload(claims))
	if err != nil {
		s.test.Helper()
		s.misuse("%v", err)
	}
	return token
}

func (s *Server) payload(claims map[string]any) []byte {
	payload, err := json.Marshal(claims)
	if err != nil {
		s.test.Helper()
		s.misuse("the claims can't be encoded as JSON: %v", err)
	}
	return payload
}
