package jose

import (
	"crypto"
	"crypto/hmac"
	"fmt"
)

// hmacHashes are for signing only, by a client that proves it knows a shared secret (client_secret_jwt). They are no entries of algorithms, and nothing
// verifies with them: a public key can never be taken for a shared secret.
var hmacHashes = map[string]crypto.Hash{"HS256": crypto.SHA256, "HS384": crypto.SHA384, "HS512": crypto.SHA512}

// SupportedHMAC reports whether SignHMAC knows alg: HS256, HS384 and HS512, spelled exactly.
func SupportedHMAC(alg string) bool { return hmacHashes[alg] != 0 }

// SignHMAC makes a compact JWS (RFC 7515 §3.1) of payload with a shared secret (RFC 7518 §3.2). alg and typ "JWT" are filled in as [PrivateKey.Sign] does.
func SignHMAC(alg string, secret []byte, header map[string]any, payload []byte) (string, error) {
	if !SupportedHMAC(alg) {
		return "", fmt.Errorf("jose: %.20q is not a supported HMAC algorithm", alg)
	}
	own := map[string]any{"alg": alg, "typ": "JWT"}
	return compact(own, header, payload, func(input []byte) ([]byte, error) { return mac(alg, secret, input), nil })
}

func mac(alg string, secret, input []byte) []byte {
	h := hmac.New(hmacHashes[alg].New, secret)
	h.Write(input)
	return h.Sum(nil)
}
