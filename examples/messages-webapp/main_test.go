package main

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type env = map[string]string

// setEnv sets exactly these variables of the program; the others count as not set.
func setEnv(t *testing.T, env env) {
	t.Helper()
	t.Setenv("OAUTH_CLIENT_SECRET", env["OAUTH_CLIENT_SECRET"])
	for _, variable := range variables {
		t.Setenv(variable, env[variable])
	}
}

func TestOptions(t *testing.T) {
	defaults := options{
		addr: "localhost:8080", issuer: "http://localhost:9191/realms/sivalabs", clientID: "messages-webapp",
		messagesURL: "http://localhost:8181", archivalURL: "http://localhost:8282",
	}
	all := env{"ADDR": "a:1", "BASE_URL": "https://b", "OAUTH_SERVER": "https://i", "OAUTH_CLIENT_ID": "c", "MESSAGES_URL": "http://m", "ARCHIVAL_URL": "http://r"}
	set := options{addr: "a:1", baseURL: "https://b", issuer: "https://i", clientID: "c", messagesURL: "http://m", archivalURL: "http://r"}
	flags := options{addr: ":2", baseURL: "https://x", issuer: "https://j", clientID: "d", clientSecretFile: "f", messagesURL: "http://n", archivalURL: "http://s"}
	for _, c := range []struct {
		args string
		env  env
		want options
	}{
		{"", nil, defaults},
		{"", env{"ADDR": "", "OAUTH_SERVER": ""}, defaults},
		{"", all, set},
		{"-addr :2 -base-url https://x -issuer https://j -client-id d -client-secret-file f -messages-url http://n -archival-url http://s", all, flags},
	} {
		setEnv(t, c.env)
		got, err := parseOptions(strings.Fields(c.args), nil)
		require.NoError(t, err, c.args)
		assert.Equal(t, c.want, got, c.args)
	}
}

func TestBaseURL(t *testing.T) {
	for addr, want := range map[string]string{
		"localhost:8080": "http://localhost:8080",
		"127.0.0.1:80":   "http://127.0.0.1:80",
		":8080":          "http://localhost:8080",
		"0.0.0.0:8080":   "http://localhost:8080",
		"[::]:8080":      "http://localhost:8080",
		"[::1]:8080":     "http://[::1]:8080",
		"nonsense":       "",
	} {
		assert.Equal(t, want, baseURLOf(addr), addr)
	}
}

func TestWrongCalls(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	set := env{"OAUTH_CLIENT_SECRET": "hunter2"}
	with := func(name, value string) env { return env{"OAUTH_CLIENT_SECRET": "hunter2", name: value} }
	for _, c := range []struct {
		args string
		env  env
		code int
		says string
	}{
		{"-nope", set, 2, "flag provided but not defined: -nope"},
		{"-client-secret=hunter2", set, 2, "flag provided but not defined: -client-secret"},
		{"hunter2", set, 2, "unexpected argument"},
		{"", nil, 2, `"OAUTH_CLIENT_SECRET" is empty: put the secret of client "messages-webapp" into OAUTH_CLIENT_SECRET`},
		{"-client-secret-file /does/not/exist", nil, 1, `secret file "/does/not/exist": no such file`},
		{"-addr 8080", set, 2, `-addr or ADDR is "8080": want host:port`},
		{"-addr m.example:8080", set, 2, "the base URL"},
		{"-base-url http://m.example", set, 2, "plain http"},
		{"-base-url https://m.example/app", set, 2, "has a path"},
		{"-issuer=", set, 2, "the issuer: it is empty"},
		{"-issuer localhost:9191", set, 2, "the issuer"},
		{"-issuer http://me:hunter2@localhost/", set, 2, "user information"},
		{"", with("MESSAGES_URL", "nonsense"), 2, `the URL of messages-service: "nonsense"`},
		{"-archival-url http://archival.example", set, 2, "the URL of archival-service"},
		{"-client-id=", set, 2, "the client id is empty"},
		{"-addr " + taken.Addr().String(), set, 1, taken.Addr().String() + ": bind: address already in use: choose another address with -addr or ADDR"},
	} {
		t.Run(c.args, func(t *testing.T) {
			setEnv(t, c.env)
			var out, err bytes.Buffer
			assert.Equal(t, c.code, run(t.Context(), strings.Fields(c.args), &out, &err))
			assert.Contains(t, err.String(), c.says)
			assert.Regexp(t, `^messages-webapp: [^\n]+\n$`, err.String(), "one line")
			assert.NotContains(t, err.String(), "hunter2")
			assert.Empty(t, out.String())
		})
	}
}

func TestHelp(t *testing.T) {
	setEnv(t, env{"OAUTH_SERVER": "http://me:hunter2@localhost/"})
	var out, err bytes.Buffer
	assert.Equal(t, 0, run(t.Context(), []string{"-h"}, &out, &err))
	for name, variable := range variables {
		assert.Contains(t, out.String(), "-"+name)
		assert.Contains(t, out.String(), "["+variable+"]")
	}
	assert.Contains(t, out.String(), "-client-secret-file")
	assert.NotContains(t, out.String(), "hunter2")
	assert.Empty(t, err.String())
}

func TestStartsAndEndsWithoutAnIssuer(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(file, []byte("hunter2\n"), 0o600))
	for _, c := range []struct {
		args string
		env  env
	}{
		{"-addr 127.0.0.1:0 -issuer http://127.0.0.1:1/", env{"OAUTH_CLIENT_SECRET": "hunter2"}},
		{"-addr 127.0.0.1:0 -issuer http://127.0.0.1:1/ -client-secret-file " + file, nil},
	} {
		setEnv(t, c.env)
		ctx, end := context.WithCancel(t.Context())
		end()
		var out, err bytes.Buffer
		assert.Equal(t, 0, run(ctx, strings.Fields(c.args), &out, &err))
		assert.Contains(t, err.String(), `msg="messages-webapp is ready"`)
		assert.NotContains(t, err.String(), "hunter2")
	}
}
