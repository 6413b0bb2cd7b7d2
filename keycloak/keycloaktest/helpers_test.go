package keycloaktest

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/svcauth/svcauth/internal/jose"
)

func start(t *testing.T, config Config) *Server {
	t.Helper()
	s, err := Start(config)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

func startJSON(t *testing.T, realm string) *Server {
	t.Helper()
	return start(t, Config{RealmJSON: []byte(realm)})
}

// send makes one request and returns the answer with its body.
func send(t *testing.T, method, url, body string, header http.Header) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	for name, values := range header {
		req.Header[name] = values
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res, string(data)
}

func get(t *testing.T, url string) (*http.Response, string) {
	t.Helper()
	return send(t, http.MethodGet, url, "", nil)
}

// basic is an Authorization field of RFC 6749 §2.3.1.
func basic(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id)+":"+url.QueryEscape(secret)))
}

const formType = "application/x-www-form-urlencoded"

func (s *Server) tokenURL() string { return s.Issuer() + "/protocol/openid-connect/token" }
func (s *Server) certsURL() string { return s.Issuer() + "/protocol/openid-connect/certs" }

// issue asks the token endpoint for a token with client_secret_basic.
func issue(t *testing.T, s *Server, id, secret, form string) (int, tokenResponse) {
	t.Helper()
	res, body := send(t, http.MethodPost, s.tokenURL(), "grant_type=client_credentials"+form, http.Header{
		"Authorization": {basic(id, secret)}, "Content-Type": {formType},
	})
	var answer tokenResponse
	require.NoError(t, json.Unmarshal([]byte(body), &answer))
	return res.StatusCode, answer
}

// parts decodes a token without looking at its signature.
func parts(t *testing.T, token string) (header, claims map[string]any) {
	t.Helper()
	segments := strings.Split(token, ".")
	require.Len(t, segments, 3)
	for i, into := range []*map[string]any{&header, &claims} {
		raw, err := base64.RawURLEncoding.DecodeString(segments[i])
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(raw, into))
	}
	return header, claims
}

func claimsOf(t *testing.T, token string) map[string]any {
	t.Helper()
	_, claims := parts(t, token)
	return claims
}

// verified says whether a key of the server's key set made the token's signature.
func verified(t *testing.T, s *Server, token string) bool {
	t.Helper()
	_, body := get(t, s.certsURL())
	keys, _, err := jose.ParseSet([]byte(body))
	require.NoError(t, err)
	header, _ := parts(t, token)
	dot := strings.LastIndex(token, ".")
	signature, err := base64.RawURLEncoding.DecodeString(token[dot+1:])
	require.NoError(t, err)
	for _, key := range keys {
		if key.ID == header["kid"] {
			alg, _ := header["alg"].(string)
			if alg == "none" { // signed all the same
				alg = "RS256"
			}
			return key.Verify(alg, token[:dot], signature) == nil
		}
	}
	return false
}
