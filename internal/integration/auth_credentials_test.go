package integration

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"sync"

	"github.com/svcauth/svcauth/clientcreds"
)

// What a client has, and what its realm knows of it, for each way to authenticate.

// wrongSecret is long enough for all algorithms, and stands in no error.
const wrongSecret = "wr0ng horse battery staple, and enough of it for every hash there is"

const longSecret = "another horse battery staple, and enough of it for every hash there is"

func given(text string) clientcreds.Secret {
	return func(context.Context) ([]byte, error) { return []byte(text), nil }
}

func withSecret(secret string) object {
	return object{"clientAuthenticatorType": "client-secret", "secret": secret}
}

func withSecretJWT(secret, algorithm string) object {
	return object{"clientAuthenticatorType": "client-secret-jwt", "secret": secret, "attributes": object{"token.endpoint.auth.signing.alg": algorithm}}
}

func withPublicKey(key crypto.Signer, algorithm string) object {
	return object{"clientAuthenticatorType": "client-jwt", "attributes": object{
		"use.jwks.string": "true", "jwks.string": asJSON(object{"keys": []any{publicJWK(key, algorithm)}}), "token.endpoint.auth.signing.alg": algorithm,
	}}
}

// withCertificate is what a click on "Import certificate" makes of a client.
func withCertificate(key crypto.Signer) object {
	template := certificate("signer")
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	return object{"clientAuthenticatorType": "client-jwt", "attributes": object{"jwt.credential.certificate": base64.StdEncoding.EncodeToString(der)}}
}

func withSubjectDN(name string) object {
	return object{"clientAuthenticatorType": "client-x509", "attributes": object{"x509.subjectdn": name, "x509.allow.regex.pattern.comparison": "false"}}
}

// withBoundTokens makes the tokens of such a client name the certificate.
func withBoundTokens(client object) object {
	client["attributes"].(object)["tls.client.certificate.bound.access.tokens"] = "true"
	return client
}

// withFederatedSubject is a client known by a subject of another issuer, which is the identity provider alias of its realm.
func withFederatedSubject(alias, subject string) object {
	return object{"clientAuthenticatorType": "federated-jwt", "attributes": object{"jwt.credential.issuer": alias, "jwt.credential.sub": subject}}
}

// keyPair is a key that the realm knows, and another one that calls itself the same.
type keyPair struct{ known, unknown crypto.Signer }

var (
	rsaKeys = sync.OnceValue(func() keyPair {
		return twice(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })
	})
	ecKeys = sync.OnceValue(func() keyPair {
		return twice(func() (*ecdsa.PrivateKey, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) })
	})
	edKeys = sync.OnceValue(func() keyPair {
		return twice(func() (ed25519.PrivateKey, error) { _, key, err := ed25519.GenerateKey(rand.Reader); return key, err })
	})
)

func twice[K crypto.Signer](generate func() (K, error)) keyPair {
	known, err := generate()
	if err != nil {
		panic(err)
	}
	unknown, err := generate()
	if err != nil {
		panic(err)
	}
	return keyPair{known, unknown}
}

const signingKeyID = "the signing key"

// publicJWK is RFC 7517 §4 and RFC 7518 §6, or RFC 8037 §2.
func publicJWK(key crypto.Signer, algorithm string) object {
	jwk := object{"kid": signingKeyID, "alg": algorithm, "use": "sig"}
	switch key := key.(type) {
	case *rsa.PrivateKey:
		jwk["kty"], jwk["n"], jwk["e"] = "RSA", octets(key.N.Bytes()), octets(big.NewInt(int64(key.E)).Bytes())
	case *ecdsa.PrivateKey:
		point, err := key.PublicKey.Bytes() // 4, x, y
		if err != nil {
			panic(err)
		}
		jwk["kty"], jwk["crv"], jwk["x"], jwk["y"] = "EC", "P-256", octets(point[1:33]), octets(point[33:])
	case ed25519.PrivateKey:
		jwk["kty"], jwk["crv"], jwk["x"] = "OKP", "Ed25519", octets(key.Public().(ed25519.PublicKey))
	}
	return jwk
}

func privateJWK(key crypto.Signer, algorithm string) clientcreds.Secret {
	jwk := publicJWK(key, algorithm)
	switch key := key.(type) {
	case *rsa.PrivateKey:
		jwk["d"], jwk["p"], jwk["q"] = octets(key.D.Bytes()), octets(key.Primes[0].Bytes()), octets(key.Primes[1].Bytes())
		jwk["dp"], jwk["dq"], jwk["qi"] = octets(key.Precomputed.Dp.Bytes()), octets(key.Precomputed.Dq.Bytes()), octets(key.Precomputed.Qinv.Bytes())
	case *ecdsa.PrivateKey:
		d, err := key.Bytes()
		if err != nil {
			panic(err)
		}
		jwk["d"] = octets(d)
	case ed25519.PrivateKey:
		jwk["d"] = octets(key.Seed())
	}
	return given(asJSON(jwk))
}

func privatePEM(key crypto.Signer) clientcreds.Secret {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err)
	}
	return given(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
}

func octets(value []byte) string { return encode(string(value)) }

func asJSON(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(text)
}
