package benchmarks

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
)

// Issuer is an issuer on a loopback address, from which all peers fetch the same keys. It has any number of realms, which share the keys. Make one with NewIssuer;
// its methods may be called concurrently.
type Issuer struct {
	server      *httptest.Server
	keyRequests atomic.Int64

	mu         sync.Mutex // guards the following
	keys       map[string]*signingKey
	generation int
}

// NewIssuer starts an issuer with one key for each of these algorithms.
func NewIssuer(algorithms ...string) (*Issuer, error) {
	i := &Issuer{keys: map[string]*signingKey{}}
	for _, algorithm := range algorithms {
		key, err := newSigningKey(algorithm, 0)
		if err != nil {
			return nil, err
		}
		i.keys[algorithm] = key
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /realms/{realm}/.well-known/openid-configuration", i.metadata)
	mux.HandleFunc("GET /realms/{realm}/protocol/openid-connect/certs", i.keySet)
	i.server = httptest.NewServer(mux)
	return i, nil
}

// Close stops the issuer.
func (i *Issuer) Close() { i.server.Close() }

// Realm is the name of one of its realms, as it stands in iss.
func (i *Issuer) Realm(name string) string { return i.server.URL + "/realms/" + name }

// KeyRequests is how often keys were asked for.
func (i *Issuer) KeyRequests() int64 { return i.keyRequests.Load() }

// Rotate gives the issuer new keys under new names, and withdraws the old ones.
func (i *Issuer) Rotate() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.generation++
	for algorithm := range i.keys {
		key, err := newSigningKey(algorithm, i.generation)
		if err != nil {
			return err
		}
		i.keys[algorithm] = key
	}
	return nil
}

func (i *Issuer) key(algorithm string) (*signingKey, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if key := i.keys[algorithm]; key != nil {
		return key, nil
	}
	return nil, fmt.Errorf("the issuer has no key for %s", algorithm)
}

// metadata is OpenID Connect Discovery 1.0 §4.2.
func (i *Issuer) metadata(w http.ResponseWriter, r *http.Request) {
	issuer := i.Realm(r.PathValue("realm"))
	endpoint := issuer + "/protocol/openid-connect/"
	answer(w, map[string]any{
		"issuer": issuer, "jwks_uri": endpoint + "certs", "authorization_endpoint": endpoint + "auth", "token_endpoint": endpoint + "token",
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": Algorithms,
	})
}

// keySet is the JWK Set. As Keycloak's it holds a key for encryption too, which no verifier may use.
func (i *Issuer) keySet(w http.ResponseWriter, _ *http.Request) {
	i.keyRequests.Add(1)
	i.mu.Lock()
	defer i.mu.Unlock()
	var all []map[string]string
	for _, algorithm := range Algorithms {
		key := i.keys[algorithm]
		if key == nil {
			continue
		}
		jwk, err := key.jwk()
		if err != nil {
			http.Error(w, "the key can't be encoded", http.StatusInternalServerError)
			return
		}
		if algorithm == RS256 {
			all = append(all, map[string]string{"kid": "enc", "use": "enc", "alg": "RSA-OAEP", "kty": "RSA", "n": jwk["n"], "e": jwk["e"]})
		}
		all = append(all, jwk)
	}
	answer(w, map[string]any{"keys": all})
}

func answer(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(body); err != nil {
		panic(http.ErrAbortHandler) // the client is gone
	}
}
