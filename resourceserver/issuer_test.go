package resourceserver_test

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/svcauth/svcauth/internal/jose"
	"github.com/svcauth/svcauth/resourceserver"
)

const (
	issuerName = "https://issuer.test/realms/sivalabs"
	audience   = "messages-service"
)

// keyFor makes each key of this test binary once.
var (
	keysMu sync.Mutex
	keys   = map[string]*jose.PrivateKey{}
)

// keyFor returns the key with this name; the name begins with its algorithm: "EdDSA", "EdDSA-other".
func keyFor(name string) *jose.PrivateKey {
	keysMu.Lock()
	defer keysMu.Unlock()
	if keys[name] == nil {
		alg, _, _ := strings.Cut(name, "/")
		key, err := jose.GenerateKey(alg)
		if err != nil {
			panic(err)
		}
		keys[name] = key
	}
	return keys[name]
}

// fakeIssuer answers in memory, so that it works in virtual time.
type fakeIssuer struct {
	mu      sync.Mutex
	jwks    string
	header  http.Header
	answer  func(*http.Request) (*http.Response, error) // instead of all else
	fetches map[string]int                              // by path
}

func newFakeIssuer(keys ...*jose.PrivateKey) *fakeIssuer {
	f := &fakeIssuer{fetches: map[string]int{}, header: http.Header{}}
	f.publish(keys...)
	return f
}

func (f *fakeIssuer) publish(keys ...*jose.PrivateKey) {
	var set []json.RawMessage
	for _, key := range keys {
		set = append(set, key.PublicJWK("sig"))
	}
	data, _ := json.Marshal(map[string]any{"keys": set})
	f.publishRaw(string(data))
}

func (f *fakeIssuer) publishRaw(jwks string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.jwks = jwks
}

// respond replaces every answer; nil goes back to normal.
func (f *fakeIssuer) respond(answer func(*http.Request) (*http.Response, error)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answer = answer
}

func (f *fakeIssuer) down() {
	f.respond(func(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") })
}

func (f *fakeIssuer) count(path string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fetches[path]
}

const (
	certsPath     = "/realms/sivalabs/certs"
	discoveryPath = "/realms/sivalabs/.well-known/openid-configuration"
	rfc8414Path   = "/.well-known/oauth-authorization-server/realms/sivalabs"
)

func (f *fakeIssuer) RoundTrip(r *http.Request) (*http.Response, error) {
	f.mu.Lock()
	f.fetches[r.URL.Path]++
	answer, jwks, header := f.answer, f.jwks, f.header.Clone()
	f.mu.Unlock()
	if answer != nil {
		return answer(r)
	}
	switch r.URL.Path {
	case certsPath:
		return reply(200, jwks, header), nil
	case discoveryPath:
		return reply(200, `{"issuer":"`+issuerName+`","jwks_uri":"https://issuer.test`+certsPath+`"}`, nil), nil
	}
	return reply(404, `{}`, nil), nil
}

func reply(status int, body string, header http.Header) *http.Response {
	if header == nil {
		header = http.Header{}
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body))}
}

// config is the usual configuration for tokens of f.
func (f *fakeIssuer) config() resourceserver.Config {
	return resourceserver.Config{
		Issuer: issuerName, Audiences: []string{audience}, Roles: resourceserver.RolesFromClaim("roles"), HTTPClient: &http.Client{Transport: f}, Logger: discard,
	}
}

func newAuth(t testing.TB, c resourceserver.Config) *resourceserver.Authenticator {
	t.Helper()
	auth, err := resourceserver.New(c)
	require.NoError(t, err)
	return auth
}

type claims map[string]any

// good are the claims of a token that passes; change replaces some, and removes those whose value is absent.
func good(change claims) claims {
	now := time.Now().Unix()
	c := claims{
		"iss": issuerName, "aud": audience, "exp": now + 300, "iat": now, "sub": "b1c5", "typ": "Bearer", "azp": "archival-service",
		"preferred_username": "siva", "scope": "openid profile", "roles": []string{"ADMIN"},
	}
	maps.Copy(c, change)
	for name, value := range c {
		if value == absent {
			delete(c, name)
		}
	}
	return c
}

type absence struct{}

var absent = absence{}

func sign(key *jose.PrivateKey, header map[string]any, c claims) string {
	payload, err := json.Marshal(c)
	if err != nil {
		panic(err)
	}
	return signRaw(key, header, payload)
}

func signRaw(key *jose.PrivateKey, header map[string]any, payload []byte) string {
	token, err := key.Sign(header, payload)
	if err != nil {
		panic(err)
	}
	return token
}

func goodToken() string { return sign(keyFor("EdDSA"), nil, good(nil)) }
