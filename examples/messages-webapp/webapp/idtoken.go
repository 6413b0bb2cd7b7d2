package webapp

import (
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"
)

const (
	maxIDToken = 16 << 10 // bytes
	leeway     = time.Minute
	minRSABits = 2048
)

// idAlgorithms are the signature algorithms accepted, with the hash that at_hash is made with. None of them is symmetric: the client secret signs nothing.
var idAlgorithms = map[jwa.SignatureAlgorithm]func([]byte) []byte{
	jwa.RS256: hash256, jwa.PS256: hash256, jwa.ES256: hash256,
	jwa.RS384: hash384, jwa.PS384: hash384, jwa.ES384: hash384,
	jwa.RS512: hash512, jwa.PS512: hash512, jwa.ES512: hash512, jwa.EdDSA: hash512,
}

func hash256(b []byte) []byte { h := sha256.Sum256(b); return h[:] }
func hash384(b []byte) []byte { h := sha512.Sum384(b); return h[:] }
func hash512(b []byte) []byte { h := sha512.Sum512(b); return h[:] }

// claims are an ID token's claims by their exact names: Go's decoder of structs would take "Nonce" for "nonce".
type claims map[string]json.RawMessage

func (c claims) has(name string) bool { return c[name] != nil }

func (c claims) text(name string) string {
	var text string
	_ = json.Unmarshal(c[name], &text) // absent or of another type: "", which no check takes for good
	return text
}

func (c claims) time(name string) (time.Time, bool) {
	var seconds float64
	if json.Unmarshal(c[name], &seconds) != nil || !c.has(name) || seconds < 1 || seconds > 1<<40 {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds), 0), true
}

// audience is a text or an array of them (RFC 7519 §4.1.3).
func (c claims) audience() []string {
	var list []string
	if json.Unmarshal(c["aud"], &list) == nil {
		return list
	}
	return []string{c.text("aud")}
}

// verifyIDToken checks an ID token that came with accessToken (OpenID Connect Core 1.0 §3.1.3.7) and returns its claims. Errors say what is wrong, and nothing
// of the token. Those of keys that can't be had are errIssuerUnavailable. The token of a refresh may lack the nonce (§12.2).
func (p *provider) verifyIDToken(ctx context.Context, token, accessToken, nonce string, refreshed bool) (claims, error) {
	if len(token) > maxIDToken || strings.Count(token, ".") != 2 {
		return nil, errors.New("the ID token is malformed")
	}
	message, err := jws.ParseString(token)
	if err != nil || len(message.Signatures()) != 1 {
		return nil, errors.New("the ID token is malformed")
	}
	header := message.Signatures()[0].ProtectedHeaders()
	hash, ok := idAlgorithms[header.Algorithm()]
	switch {
	case !ok:
		return nil, fmt.Errorf("the ID token's alg %q is not accepted", clip(header.Algorithm().String()))
	case header.Critical() != nil:
		return nil, errors.New("the ID token has a crit header")
	case header.Type() != "" && !strings.EqualFold(header.Type(), "JWT"):
		return nil, fmt.Errorf("the ID token's header typ is %q", clip(header.Type()))
	}
	key, err := p.key(ctx, header.KeyID(), header.Algorithm())
	if err != nil {
		return nil, err
	}
	payload, err := jws.Verify([]byte(token), jws.WithKey(header.Algorithm(), key))
	if err != nil {
		return nil, errors.New("the ID token's signature is not valid")
	}
	var c claims
	if json.Unmarshal(payload, &c) != nil {
		return nil, errors.New("the ID token's claims are malformed")
	}
	if refreshed && !c.has("nonce") {
		nonce = ""
	} else if nonce == "" {
		return nil, errors.New("there is no nonce to compare the ID token's with")
	}
	if err := c.check(p.issuer, p.clientID, nonce, time.Now()); err != nil {
		return nil, err
	}
	if sum := hash([]byte(accessToken)); c.has("at_hash") && c.text("at_hash") != base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2]) {
		return nil, errors.New("the ID token belongs to another access token (at_hash)")
	}
	return c, nil
}

// check is what the claims must say at the time now. An empty nonce is that of a token without one.
func (c claims) check(issuer, clientID, nonce string, now time.Time) error {
	expiry, ok := c.time("exp")
	issued, issuedOK := c.time("iat")
	notBefore, notBeforeOK := c.time("nbf")
	audience := c.audience()
	switch {
	case c.text("iss") != issuer:
		return fmt.Errorf("the ID token's iss is %q", clip(c.text("iss")))
	case !slices.Contains(audience, clientID):
		return errors.New("the ID token's aud does not name this client")
	case c.has("azp") && c.text("azp") != clientID, !c.has("azp") && len(audience) > 1:
		return errors.New("the ID token was made for another client (azp)")
	case c.has("typ") && c.text("typ") != "ID":
		return fmt.Errorf("it is no ID token: its typ is %q", clip(c.text("typ")))
	case !ok || !issuedOK || c.has("nbf") && !notBeforeOK:
		return errors.New("the ID token lacks exp or iat, or one of its times is malformed")
	case !now.Before(expiry.Add(leeway)):
		return errors.New("the ID token has expired")
	case issued.After(now.Add(leeway)), notBefore.After(now.Add(leeway)):
		return errors.New("the ID token comes from the future: compare the clocks of this machine and the issuer's")
	case subtle.ConstantTimeCompare([]byte(c.text("nonce")), []byte(nonce)) != 1:
		return errors.New("the ID token's nonce is not the one of this sign-in")
	case c.text("sub") == "":
		return errors.New("the ID token has no sub")
	}
	return nil
}

// key finds the key that signed. One that is not in the set may be new: then the set is fetched anew, but not at once again.
func (p *provider) key(ctx context.Context, id string, alg jwa.SignatureAlgorithm) (jwk.Key, error) {
	set, err := p.keys.get(ctx)
	if err == nil {
		if key := choose(set, id, alg); key != nil {
			return key, nil
		}
		set, err = p.keys.newerThan(ctx, time.Now())
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errIssuerUnavailable, err)
	}
	if key := choose(set, id, alg); key != nil {
		return key, nil
	}
	return nil, errors.New("no key of the issuer fits the ID token")
}

// choose takes the signing key with this id, or the only one that fits if the token names none.
func choose(set jwk.Set, id string, alg jwa.SignatureAlgorithm) jwk.Key {
	var found []jwk.Key
	for i := range set.Len() {
		if key, ok := set.Key(i); ok && (id == "" || key.KeyID() == id) && fits(key, alg) {
			found = append(found, key)
		}
	}
	if len(found) != 1 {
		return nil
	}
	return found[0]
}

func fits(key jwk.Key, alg jwa.SignatureAlgorithm) bool {
	if use := key.KeyUsage(); use != "" && use != "sig" {
		return false
	}
	if own := key.Algorithm().String(); own != "" && own != alg.String() {
		return false
	}
	kinds := map[byte]jwa.KeyType{'R': jwa.RSA, 'P': jwa.RSA, 'E': jwa.EC}
	if alg == jwa.EdDSA {
		return key.KeyType() == jwa.OKP
	}
	if key.KeyType() != kinds[alg.String()[0]] {
		return false
	}
	var public rsa.PublicKey
	return key.KeyType() != jwa.RSA || key.Raw(&public) == nil && public.N.BitLen() >= minRSABits
}
