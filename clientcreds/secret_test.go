package clientcreds

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFromFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	secret := FromFile(path)
	_, err := secret(t.Context())
	assert.EqualError(t, err, `secret file "`+path+`": no such file or directory`)

	for content, want := range map[string]string{
		"s": "s", "s\n": "s", "s\r\n": "s", "s\r": "s\r", "s\n\n": "s\n", " s ": " s ", "a\nb\n": "a\nb", "ü%+\x00": "ü%+\x00",
		strings.Repeat("x", maxSecret): strings.Repeat("x", maxSecret),
	} {
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		got, err := secret(t.Context())
		assert.NoError(t, err)
		assert.Equal(t, want, string(got), "each reading sees the file as it is")
	}
	for content, want := range map[string]string{
		"": "it is empty", "\n": "it is empty", "\r\n": "it is empty", strings.Repeat("x", maxSecret+1): "it is larger than 64 KiB",
	} {
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		_, err := secret(t.Context())
		assert.EqualError(t, err, `secret file "`+path+`": `+want)
	}
	_, err = FromFile(filepath.Dir(path))(t.Context())
	assert.ErrorContains(t, err, "it is not a regular file")
}

func TestFromFileFollowsAReplacedSymbolicLink(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "1"), []byte("one"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "2"), []byte("two"), 0o600))
	link := filepath.Join(dir, "secret")
	secret := FromFile(link)
	for _, name := range []string{"1", "2"} {
		require.NoError(t, os.Symlink(name, link+".new"))
		require.NoError(t, os.Rename(link+".new", link))
		got, err := secret(t.Context())
		require.NoError(t, err)
		assert.Equal(t, map[string]string{"1": "one", "2": "two"}[name], string(got))
	}
}

func TestFromEnv(t *testing.T) {
	secret := FromEnv("CLIENTCREDS_TEST_SECRET")
	_, err := secret(t.Context())
	assert.EqualError(t, err, `environment variable "CLIENTCREDS_TEST_SECRET" is not set`)
	t.Setenv("CLIENTCREDS_TEST_SECRET", "")
	_, err = secret(t.Context())
	assert.EqualError(t, err, `environment variable "CLIENTCREDS_TEST_SECRET" is empty`)
	t.Setenv("CLIENTCREDS_TEST_SECRET", "s")
	got, err := secret(t.Context())
	assert.NoError(t, err)
	assert.Equal(t, "s", string(got))
}

func TestSecretMethods(t *testing.T) {
	for _, tt := range []struct{ id, secret, pair string }{
		{"archival-service", "simple", "archival-service:simple"},
		{"a:b", "s3cr3t%+ /:ü", "a%3Ab:s3cr3t%25%2B%20%2F%3A%C3%BC"}, // a space as %20, a plus as %2B
		{"c", "a b+c", "c:a%20b%2Bc"},
	} {
		req, form := &http.Request{Header: http.Header{}}, url.Values{"client_id": {tt.id}}
		require.NoError(t, SecretBasic{Secret: static(tt.secret)}.AuthenticateClient(t.Context(), "", req, form))
		assert.Equal(t, "Basic "+base64.StdEncoding.EncodeToString([]byte(tt.pair)), req.Header.Get("Authorization"))
		assert.Empty(t, form, "one method a request")

		req, form = &http.Request{Header: http.Header{}}, url.Values{"client_id": {tt.id}}
		require.NoError(t, SecretPost{Secret: static(tt.secret)}.AuthenticateClient(t.Context(), "", req, form))
		assert.Empty(t, req.Header)
		assert.Equal(t, url.Values{"client_id": {tt.id}, "client_secret": {tt.secret}}, form)
	}
	for _, auth := range []ClientAuth{SecretBasic{Secret: static("")}, SecretPost{Secret: static("")}} {
		err := auth.AuthenticateClient(t.Context(), "", &http.Request{Header: http.Header{}}, url.Values{"client_id": {"c"}})
		assert.EqualError(t, err, "the secret is empty")
	}
}
