package keycloaktest

import "encoding/json"

// oddKeys stand in key sets now and then. None may verify a signature (RFC 7517 §5, RFC 7518 §3.3), and none may cost a service the good ones.
var oddKeys = []string{
	`{"kty":"AKP","kid":"odd-kind","alg":"ML-DSA-65","use":"sig","pub":"AAAA"}`,
	`{"kty":"oct","kid":"odd-symmetric","alg":"HS256","use":"sig","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}`,
	`{"kty":"RSA","kid":"odd-tiny","alg":"RS256","use":"sig","e":"AQAB","n":"vbE2zNy5hIrQR-nAbJkVmKgJ4gQ5RL3yTuGNfM9gXm4eQHk1b1Dg4SuVbUZrUoGOmu1sHbOvK0N7bIKFqRkXcw"}`,
	`{"kty":"EC","kid":"odd-point","alg":"ES256","use":"sig","crv":"P-256","x":"AAAA","y":"AAAA"}`,
	`{"kty":"OKP","kid":"odd-curve","alg":"EdDSA","use":"sig","crv":"Ed448","x":"AAAA"}`,
	`{"kty":"RSA","kid":7,"n":[],"e":null}`,
	`{"kid":"odd-nothing"}`,
	`null`,
}

// OddKeys puts keys before the realm's in the key set that can't be used: of an unknown kind, symmetric, too small, malformed, and an RSA key that bears the kid of
// the key that signs. The realm's keys are there too, and its tokens must still pass. It is for JWKSEndpoint alone.
func OddKeys() Trouble {
	return changed("odd keys", JWKSEndpoint, func(members map[string]json.RawMessage) {
		var ordinary []json.RawMessage
		if json.Unmarshal(members["keys"], &ordinary) != nil {
			return
		}
		var keys []json.RawMessage
		for _, odd := range oddKeys {
			keys = append(keys, json.RawMessage(odd))
		}
		keys = append(keys, namesake(ordinary))
		members["keys"] = rawJSON(append(keys, ordinary...))
	})
}

// namesake is the encryption key, published as if it were the one that signs: a reader that takes the first key of a kid fails.
func namesake(ordinary []json.RawMessage) json.RawMessage {
	var encryption, signing map[string]any
	for _, raw := range ordinary {
		var key map[string]any
		switch {
		case json.Unmarshal(raw, &key) != nil:
		case key["use"] == "enc":
			encryption = key
		case signing == nil:
			signing = key
		}
	}
	if encryption == nil || signing == nil {
		return json.RawMessage("{}") // can't happen: a realm has both
	}
	return rawJSON(map[string]any{"kty": "RSA", "kid": signing["kid"], "use": "sig", "n": encryption["n"], "e": encryption["e"]})
}

// NoKeys empties the key set. It is for JWKSEndpoint alone.
func NoKeys() Trouble {
	return changed("no keys", JWKSEndpoint, func(members map[string]json.RawMessage) { members["keys"] = json.RawMessage("[]") })
}
