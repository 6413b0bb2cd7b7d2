package keycloaktest

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type wireSet struct {
	Keys []struct {
		KeyID     string   `json:"kid"`
		KeyType   string   `json:"kty"`
		Algorithm string   `json:"alg"`
		Use       string   `json:"use"`
		Chain     []string `json:"x5c"`
		SHA1      string   `json:"x5t"`
		SHA256    string   `json:"x5t#S256"`
		N         string   `json:"n"`
		E         string   `json:"e"`
	} `json:"keys"`
}

func keySet(t *testing.T, s *Server) wireSet {
	t.Helper()
	res, body := get(t, s.certsURL())
	require.Equal(t, 200, res.StatusCode)
	assert.Equal(t, "no-cache", res.Header.Get("Cache-Control"))
	var set wireSet
	require.NoError(t, json.Unmarshal([]byte(body), &set))
	assert.NotContains(t, body, `"d"`)
	return set
}

func TestKeySet(t *testing.T) {
	s := start(t, Config{})
	set := keySet(t, s)
	require.Len(t, set.Keys, 2)
	assert.Equal(t, []string{"enc", "RSA-OAEP"}, []string{set.Keys[0].Use, set.Keys[0].Algorithm}, "the encryption key is first")
	assert.Equal(t, []string{"sig", "RS256"}, []string{set.Keys[1].Use, set.Keys[1].Algorithm})
	for _, key := range set.Keys {
		assert.Equal(t, "RSA", key.KeyType)
		assert.NotEmpty(t, key.KeyID)
		assert.NotEmpty(t, key.SHA1)
		assert.NotEmpty(t, key.SHA256)
		der, err := base64.StdEncoding.DecodeString(key.Chain[0])
		require.NoError(t, err)
		certificate, err := x509.ParseCertificate(der)
		require.NoError(t, err)
		assert.Equal(t, "test", certificate.Subject.CommonName)
		assert.NoError(t, certificate.CheckSignature(certificate.SignatureAlgorithm, certificate.RawTBSCertificate, certificate.Signature), "self-signed")
	}
	assert.Equal(t, set, keySet(t, s), "the set is made once")
}

func TestRotateKeys(t *testing.T) {
	s := start(t, Config{})
	first := s.Token(Token{})
	assert.True(t, verified(t, s, first))

	s.RotateKeys(true)
	second := s.Token(Token{})
	assert.True(t, verified(t, s, first), "the old key is still in the set")
	assert.True(t, verified(t, s, second))
	assert.Len(t, keySet(t, s).Keys, 3)

	s.RotateKeys(false)
	third := s.Token(Token{})
	assert.False(t, verified(t, s, first))
	assert.False(t, verified(t, s, second))
	assert.True(t, verified(t, s, third))
	assert.Len(t, keySet(t, s).Keys, 2)
}

func TestOpenServersShareNoSigningKey(t *testing.T) {
	seen := map[string]bool{}
	for range 3 {
		s := start(t, Config{})
		id := s.keys.signer("RS256").ID()
		assert.False(t, seen[id])
		seen[id] = true
	}
	closed := NewServer(Config{})
	id := closed.keys.signer("RS256").ID()
	closed.Close()
	assert.Equal(t, id, start(t, Config{}).keys.signer("RS256").ID(), "a closed server's key is used again")
}

func TestSetDown(t *testing.T) {
	s := start(t, Config{})
	s.SetDown(true)
	for _, u := range []string{s.certsURL(), s.tokenURL(), s.URL + "/nope"} {
		res, err := http.Get(u)
		if !assert.Error(t, err) {
			res.Body.Close()
		}
	}
	assert.Positive(t, s.Requests(s.certsURL()), "requests count while it is down")
	assert.NotEmpty(t, s.Token(Token{}), "tokens can be made while it is down")
	s.SetDown(false)
	res, _ := get(t, s.certsURL())
	assert.Equal(t, 200, res.StatusCode)
}

func TestRequestsCounts(t *testing.T) {
	s := start(t, Config{})
	assert.Zero(t, s.Requests(s.certsURL()))
	var group sync.WaitGroup
	for range 5 {
		group.Go(func() { http.Get(s.certsURL()) })
	}
	group.Wait()
	assert.Equal(t, 5, s.Requests("/realms/test/protocol/openid-connect/certs"))
	assert.Equal(t, 5, s.Requests(s.certsURL()))
	assert.Zero(t, s.Requests(s.tokenURL()))
	get(t, s.URL+"/elsewhere?a=b")
	assert.Equal(t, 1, s.Requests("/elsewhere"))
}

func TestRequestsAreBounded(t *testing.T) {
	s := newServer(&realm{name: "r", algorithm: "RS256"}, "http://localhost")
	for n := range maxPaths + 10 {
		s.countRequest("/" + strings.Repeat("a", n))
	}
	assert.Len(t, s.counts.paths, maxPaths)
	s.countRequest("/realms/r" + TokenEndpoint)
	assert.Equal(t, 1, s.Requests("/realms/r"+TokenEndpoint), "an endpoint counts, however many other paths were asked for")
	assert.Equal(t, maxPaths+11, s.Requests(AllEndpoints))
}

func TestSetSecret(t *testing.T) {
	s := start(t, Config{})
	s.SetSecret("job", "new-secret")
	status, _ := issue(t, s, "job", "job-secret", "")
	assert.Equal(t, 401, status)
	status, _ = issue(t, s, "job", "new-secret", "")
	assert.Equal(t, 200, status)
	assert.PanicsWithValue(t, `keycloaktest: realm "test" has no client "nope" (it has service, job, webapp)`, func() { s.SetSecret("nope", "hush") })
}

func TestEverythingAtOnce(t *testing.T) {
	s := start(t, Config{})
	var group sync.WaitGroup
	for n := range 12 {
		group.Go(func() {
			for range 5 {
				switch n % 6 {
				case 0:
					s.RotateKeys(n == 0)
				case 1:
					s.SetDown(false)
					s.SetSecret("job", "job-secret")
				case 2:
					assert.NotEmpty(t, s.Token(Token{}))
				case 3:
					status, _ := issue(t, s, "job", "job-secret", "")
					assert.Equal(t, 200, status)
					s.Requests(s.tokenURL())
					get(t, s.certsURL())
				case 4:
					s.SetTrouble(UserinfoEndpoint, Status(503).Times(2), Dropped().Times(1))
					s.SetTrouble(AllEndpoints)
					s.RotateSecret("webapp", time.Hour)
					s.SetNotBefore(time.Time{})
					s.SetClockSkew(time.Duration(n))
				case 5:
					s.SetClientEnabled("webapp", n == 5)
					assert.NotEmpty(t, s.Token(Token{User: "alice", Type: "Refresh"}))
					assert.NotEmpty(t, s.Token(Token{Algorithm: "EdDSA", Forged: true}))
					assert.LessOrEqual(t, s.Grants("job"), s.Requests(TokenEndpoint))
					s.LastTokenRequest()
				}
			}
		})
	}
	group.Wait()
}
