package jose

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/lestrrat-go/jwx/v2/jwk"
)

const (
	minRSABits = 2048  // RFC 7518 §3.3
	maxRSABits = 16384 // beyond it one verification costs an attacker nothing and us seconds
	maxKeys    = 256   // per set, for the same reason
	// maxExponentText is the length of the largest exponent that check allows, in base64url. The JOSE dependency would cut a longer one down to 64 bits, and so
	// make another key of it.
	maxExponentText = 6
)

// Key is a public key that may verify signatures. It is immutable.
type Key struct {
	ID        string // kid; empty if the set gave none
	Algorithm string // alg; empty if the set gave none
	kty, crv  string
	public    any // *rsa.PublicKey, *ecdsa.PublicKey or ed25519.PublicKey
}

// Skipped is a key of a set that can't be used, and why. The reason names no key material.
type Skipped struct {
	ID, Reason string
}

// ErrNoKeys is a set in which no key can verify a signature. It must never replace a good one.
var ErrNoKeys = errors.New("the key set has no usable signing key")

// wireKey is a JWK as issuers send it; the members that only private or symmetric keys have are there to find such keys.
type wireKey struct {
	Kty    string          `json:"kty"`
	Kid    string          `json:"kid"`
	Alg    string          `json:"alg"`
	Use    string          `json:"use"`
	KeyOps []string        `json:"key_ops"`
	Crv    string          `json:"crv"`
	N      string          `json:"n"`
	E      string          `json:"e"`
	X      string          `json:"x"`
	Y      string          `json:"y"`
	D      json.RawMessage `json:"d"`
	K      json.RawMessage `json:"k"`
}

// ParseSet reads a JWK Set key by key. A key of an unknown kind, for encryption, too weak, private, or mistyped is skipped and listed, as RFC 7517 §5 asks:
// one odd key must not cost the service the others. It fails if data is not a set, or with ErrNoKeys if nothing usable is in it.
func ParseSet(data []byte) ([]*Key, []Skipped, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(data, &set); err != nil || set.Keys == nil {
		return nil, nil, errors.New("the answer is not a JWK Set")
	}
	if len(set.Keys) > maxKeys {
		return nil, nil, fmt.Errorf("the key set has %d keys, more than %d", len(set.Keys), maxKeys)
	}
	var keys []*Key
	var skipped []Skipped
	for _, raw := range set.Keys {
		key, id, err := parseKey(raw)
		if err != nil {
			skipped = append(skipped, Skipped{ID: id, Reason: err.Error()})
			continue
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, skipped, ErrNoKeys
	}
	return keys, skipped, nil
}

func parseKey(raw json.RawMessage) (*Key, string, error) {
	var w wireKey
	if err := json.Unmarshal(raw, &w); err != nil {
		return nil, w.Kid, errors.New("not a JWK (a member has the wrong type)")
	}
	switch {
	case w.K != nil || w.Kty == "oct":
		return nil, w.Kid, errors.New("a symmetric key")
	case w.D != nil:
		return nil, w.Kid, errors.New("a private key: the issuer publishes a secret")
	case w.Use != "" && w.Use != "sig" && w.Use != "jwt-svid": // SPIFFE Trust Domain and Bundle §4.2.2: a key of JWT-SVIDs
		return nil, w.Kid, fmt.Errorf("use is %.20q, not sig", w.Use)
	case len(w.KeyOps) > 0 && !slices.Contains(w.KeyOps, "verify"):
		return nil, w.Kid, errors.New("key_ops lacks verify")
	}
	if w.Alg != "" {
		alg, ok := algorithms[w.Alg]
		if !ok {
			return nil, w.Kid, fmt.Errorf("alg %.20q is not a supported signature algorithm", w.Alg)
		}
		if alg.kty != w.Kty || alg.crv != "" && alg.crv != w.Crv {
			return nil, w.Kid, fmt.Errorf("alg %q does not fit a key of kty %.20q, crv %.20q", w.Alg, w.Kty, w.Crv)
		}
	}
	public, err := w.public()
	if err != nil {
		return nil, w.Kid, err
	}
	return &Key{ID: w.Kid, Algorithm: w.Alg, kty: w.Kty, crv: w.Crv, public: public}, w.Kid, nil
}

// public makes the key from its own members alone: what else a set says of it (x5c, x5u, …) is neither needed nor believed.
func (w *wireKey) public() (any, error) {
	var members map[string]string
	switch {
	case w.Kty == "RSA":
		if len(w.E) > maxExponentText {
			return nil, errors.New("an RSA key with an unusable exponent")
		}
		members = map[string]string{"kty": w.Kty, "n": w.N, "e": w.E}
	case w.Kty == "EC" && (w.Crv == "P-256" || w.Crv == "P-384" || w.Crv == "P-521"):
		members = map[string]string{"kty": w.Kty, "crv": w.Crv, "x": w.X, "y": w.Y}
	case w.Kty == "OKP" && w.Crv == "Ed25519":
		members = map[string]string{"kty": w.Kty, "crv": w.Crv, "x": w.X}
	default:
		return nil, fmt.Errorf("kty %.20q, crv %.20q is not supported", w.Kty, w.Crv)
	}
	minimal, err := json.Marshal(members)
	if err != nil {
		return nil, errors.New("not a JWK")
	}
	key, err := jwk.ParseKey(minimal)
	if err != nil {
		return nil, errors.New("not a usable key (a member is missing or is not base64url)")
	}
	var public any
	if err := key.Raw(&public); err != nil {
		return nil, errors.New("not a usable key (its numbers make no key)")
	}
	return public, check(public)
}

// check refuses keys with which a signature proves little.
func check(public any) error {
	switch k := public.(type) {
	case *rsa.PublicKey:
		bits := k.N.BitLen()
		switch {
		case bits < minRSABits:
			return fmt.Errorf("an RSA key of %d bits, fewer than %d", bits, minRSABits)
		case bits > maxRSABits:
			return fmt.Errorf("an RSA key of %d bits, more than %d", bits, maxRSABits)
		case k.N.Bit(0) == 0:
			return errors.New("an RSA key with an even modulus")
		case k.E < 3 || k.E&1 == 0 || k.E > 1<<31-1:
			return errors.New("an RSA key with an unusable exponent")
		}
		return nil
	case *ecdsa.PublicKey:
		if _, err := k.ECDH(); err != nil { // refuses points off the curve and the point at infinity
			return errors.New("an EC key whose point is not on the curve")
		}
		return nil
	case ed25519.PublicKey:
		if len(k) != ed25519.PublicKeySize {
			return errors.New("an Ed25519 key of the wrong length")
		}
		if smallOrder(k) {
			return errors.New("an Ed25519 key of small order, for which anybody can sign")
		}
		return nil
	}
	return errors.New("not a public key")
}
