package main

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type env = map[string]string

// setEnv sets exactly these variables of the program; the others count as not set.
func setEnv(t *testing.T, env env) {
	t.Helper()
	for _, variable := range variables {
		t.Setenv(variable, env[variable])
	}
	t.Setenv("OAUTH_CLIENT_SECRET", env["OAUTH_CLIENT_SECRET"])
}

func TestOptions(t *testing.T) {
	defaults := options{
		addr: "localhost:8282", issuer: "http://localhost:9191/realms/sivalabs", audience: "archival-service", clientID: "archival-service",
		messagesURL: "http://localhost:8181", interval: 30 * time.Second,
	}
	change := func(f func(*options)) options { o := defaults; f(&o); return o }
	for _, c := range []struct {
		args string
		env  env
		want options
	}{
		{"", nil, defaults},
		{"", env{"AUDIENCE": "", "INTERVAL": ""}, defaults},
		{"", env{"OAUTH_CLIENT_ID": "c", "MESSAGES_URL": "https://m", "INTERVAL": "1m"}, change(func(o *options) { o.clientID, o.messagesURL, o.interval = "c", "https://m", time.Minute })},
		{"-client-id d -messages-url https://n -interval 2s -client-secret-file f", env{"OAUTH_CLIENT_ID": "c", "MESSAGES_URL": "https://m", "INTERVAL": "nonsense"},
			change(func(o *options) {
				o.clientID, o.messagesURL, o.interval, o.clientSecretFile = "d", "https://n", 2*time.Second, "f"
			})},
		{"-audience=", nil, change(func(o *options) { o.audience, o.skipAudienceCheck = "", true })},
	} {
		setEnv(t, c.env)
		got, err := parseOptions(strings.Fields(c.args), nil)
		require.NoError(t, err, c.args)
		assert.Equal(t, c.want, got, c.args)
	}
}

func TestWrongCalls(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	empty := filepath.Join(t.TempDir(), "empty")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	secret := env{"OAUTH_CLIENT_SECRET": "hunter2"}
	for _, c := range []struct {
		args string
		env  env
		code int
		says string
	}{
		{"-nope", secret, 2, "flag provided but not defined: -nope"},
		{"-client-secret=hunter2", nil, 2, "flag provided but not defined: -client-secret"},
		{"hunter2", secret, 2, "unexpected argument"},
		{"-addr 8282", secret, 2, "want host:port"},
		{"-interval -1s", secret, 2, "-interval or INTERVAL is -1s"},
		{"-interval 0s", secret, 2, "-interval or INTERVAL is 0s"},
		{"-interval 30", secret, 2, `invalid value "30" for flag -interval`},
		{"", env{"INTERVAL": "soon"}, 2, `environment variable INTERVAL: "soon"`},
		{"-issuer nonsense", secret, 2, `"nonsense"`},
		{"-client-id=", secret, 2, "ClientID is empty"},
		{"-messages-url localhost:8181", secret, 2, "want http://host:port"},
		{"-messages-url http://messages.example.com", secret, 2, "plain http"},
		{"-audience a -skip-audience-check", secret, 2, "contradict"},
		{"", nil, 2, `environment variable "OAUTH_CLIENT_SECRET" is empty: put the secret of client "archival-service" into OAUTH_CLIENT_SECRET, or into the file that -client-secret-file names`},
		{"-client-secret-file /no/such/file", secret, 1, `secret file "/no/such/file": no such file or directory`},
		{"-client-secret-file " + empty, secret, 1, "it is empty"},
		{"-addr " + taken.Addr().String(), secret, 1, "address already in use: choose another address with -addr or ADDR"},
	} {
		t.Run(c.args, func(t *testing.T) {
			setEnv(t, c.env)
			var out, err bytes.Buffer
			assert.Equal(t, c.code, run(t.Context(), strings.Fields(c.args), &out, &err))
			assert.Contains(t, err.String(), c.says)
			assert.Regexp(t, `^archival-service: [^\n]+\n$`, err.String(), "one line")
			assert.NotContains(t, err.String(), "hunter2")
			assert.Empty(t, out.String())
		})
	}
}

func TestHelp(t *testing.T) {
	setEnv(t, env{"OAUTH_CLIENT_SECRET": "hunter2", "OAUTH_SERVER": "http://me:hunter2@localhost/"})
	var out, err bytes.Buffer
	assert.Equal(t, 0, run(t.Context(), []string{"-h"}, &out, &err))
	for _, variable := range variables {
		assert.Contains(t, out.String(), "["+variable+"]")
	}
	assert.Contains(t, out.String(), "OAUTH_CLIENT_SECRET")
	assert.NotContains(t, out.String(), "hunter2")
	assert.Empty(t, err.String())
}

func TestStartsAndEndsWithoutAnIssuer(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(file, []byte("hunter2\n"), 0o600))
	setEnv(t, nil)
	ctx, end := context.WithCancel(t.Context())
	end()
	var out, err bytes.Buffer
	assert.Equal(t, 0, run(ctx, strings.Fields("-addr 127.0.0.1:0 -issuer http://127.0.0.1:1/ -client-secret-file "+file), &out, &err))
	assert.Contains(t, err.String(), `msg="archival-service is ready"`)
	assert.NotContains(t, err.String(), "hunter2")
}
