package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/svcauth/svcauth/keycloak/keycloaktest"
)

func TestRun(t *testing.T) {
	realm := keycloaktest.NewServer(keycloaktest.Config{})
	t.Cleanup(realm.Close)
	tokenURL := realm.Issuer() + "/protocol/openid-connect/token"
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ey"):
			w.WriteHeader(http.StatusUnauthorized)
		case r.URL.Path == "/forbidden":
			w.WriteHeader(http.StatusForbidden)
		}
		_, _ = w.Write([]byte(r.Method + " with a token"))
	}))
	t.Cleanup(service.Close)
	closed := httptest.NewServer(nil)
	closed.Close()
	file := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(file, []byte("job-secret\n"), 0o600))

	type env struct{ tokenURL, id, secret string }
	good := env{tokenURL, "job", "job-secret"}
	for _, c := range []struct {
		name   string
		args   []string
		env    env
		code   int
		stdout string
		stderr string // part of it
	}{
		{"URL", []string{service.URL}, good, 0, "200 OK\nGET with a token\n", ""},
		{"METHOD URL", []string{"PUT", service.URL}, good, 0, "200 OK\nPUT with a token\n", ""},
		{"flags win", []string{"-token-url", tokenURL, "-client-id", "job", "-client-secret-file", file, service.URL}, env{"http://localhost:1/", "x", "hunter2"}, 0, "200 OK\nGET with a token\n", ""},
		{"refused", []string{service.URL + "/forbidden"}, good, 1, "403 Forbidden\nGET with a token\n", ""},
		{"service is down", []string{closed.URL}, good, 1, "", "connection refused"},
		{"wrong secret", []string{service.URL}, env{tokenURL, "job", "hunter2"}, 1, "", "unauthorized_client \"Invalid client or Invalid client credentials\" (Keycloak: Clients > job"},
		{"token endpoint is down", []string{service.URL}, env{closed.URL, "job", "hunter2"}, 1, "", "connection refused"},
		{"no token URL", []string{service.URL}, env{"", "job", "hunter2"}, 2, "", "OAUTH_TOKEN_URL"},
		{"no client id", []string{service.URL}, env{tokenURL, "", "hunter2"}, 2, "", "OAUTH_CLIENT_ID"},
		{"no secret", []string{service.URL}, env{tokenURL, "job", ""}, 2, "", "OAUTH_CLIENT_SECRET"},
		{"no such file", []string{"-client-secret-file", "/no/such/file", service.URL}, good, 2, "", "no such file"},
		{"plain http", []string{"http://service.example.com"}, good, 1, "", "plain http"},
		{"wrong method", []string{"GE T", service.URL}, good, 2, "", "malformed"},
		{"wrong URL", []string{"http://me:hunter2@local host"}, good, 2, "", "malformed"},
		{"no URL", []string{"service"}, good, 1, "", "service"},
		{"three arguments", []string{"GET", service.URL, "x"}, good, 2, "", "too many arguments"},
		{"wrong flag", []string{"-nope"}, good, 2, "", "flag provided but not defined: -nope"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("OAUTH_TOKEN_URL", c.env.tokenURL)
			t.Setenv("OAUTH_CLIENT_ID", c.env.id)
			t.Setenv("OAUTH_CLIENT_SECRET", c.env.secret)
			var out, err bytes.Buffer
			assert.Equal(t, c.code, run(c.args, &out, &err), err.String())
			assert.Equal(t, c.stdout, out.String())
			if c.stderr == "" {
				return
			}
			assert.Contains(t, err.String(), c.stderr)
			assert.NotContains(t, err.String(), "hunter2")
			assert.NotContains(t, err.String(), "next attempt")
			assert.Equal(t, 1, strings.Count(err.String(), "\n"), "one line")
			assert.Contains(t, err.String(), "minimal-client: ")
		})
	}
}

func TestHelp(t *testing.T) {
	var out, err bytes.Buffer
	assert.Equal(t, 0, run([]string{"-h"}, &out, &err))
	for _, name := range []string{"OAUTH_TOKEN_URL", "OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET", "[[METHOD] URL]"} {
		assert.Contains(t, out.String(), name)
	}
}
