package main

import (
	"bytes"
	"context"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// setEnv sets exactly these variables of the program; the others count as not set.
func setEnv(t *testing.T, env map[string]string) {
	t.Helper()
	for _, variable := range variables {
		t.Setenv(variable, env[variable])
	}
}

type env = map[string]string

func TestOptions(t *testing.T) {
	defaults := options{addr: "localhost:8181", issuer: "http://localhost:9191/realms/sivalabs", audience: "messages-service"}
	change := func(f func(*options)) options { o := defaults; f(&o); return o }
	skipped := change(func(o *options) { o.audience, o.skipAudienceCheck = "", true })
	for _, c := range []struct {
		args string
		env  env
		want options
	}{
		{"", nil, defaults},
		{"", env{"ADDR": "127.0.0.1:1", "OAUTH_SERVER": "https://i", "AUDIENCE": "a"}, options{addr: "127.0.0.1:1", issuer: "https://i", audience: "a"}},
		{"-addr :2 -issuer https://j -audience b", env{"ADDR": "127.0.0.1:1", "OAUTH_SERVER": "https://i", "AUDIENCE": "a"}, options{addr: ":2", issuer: "https://j", audience: "b"}},
		{"", env{"AUDIENCE": ""}, defaults}, // an empty variable skips nothing
		{"-audience=", nil, skipped},
		{"-audience=", env{"AUDIENCE": "a"}, skipped},
		{"-skip-audience-check", nil, skipped},
		{"-skip-audience-check", env{"AUDIENCE": "a"}, skipped},
		{"-skip-audience-check -audience=", nil, skipped},
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
	for _, c := range []struct {
		args string
		env  env
		code int
		says string
	}{
		{"-nope", nil, 2, "flag provided but not defined: -nope"},
		{"-client-secret=hunter2", nil, 2, "flag provided but not defined: -client-secret"},
		{"hunter2", nil, 2, "unexpected argument"},
		{"-addr 8181", nil, 2, `-addr or ADDR is "8181": want host:port`},
		{"-addr=", nil, 2, `-addr or ADDR is "": want host:port`},
		{"-addr localhost:", nil, 2, "want host:port"},
		{"", env{"ADDR": "8181"}, 2, `-addr or ADDR is "8181"`},
		{"-issuer=", nil, 2, "Issuer is empty"},
		{"-issuer localhost:9191", nil, 2, "-issuer"},
		{"-issuer http://sso.example.com/realms/sivalabs", nil, 2, "plain http"},
		{"-issuer http://me:hunter2@localhost/", nil, 2, "user information"},
		{"", env{"OAUTH_SERVER": "nonsense"}, 2, `"nonsense"`},
		{"-audience a -skip-audience-check", nil, 2, "contradict"},
		{"-audience messages-service -skip-audience-check", nil, 2, "contradict"},
		{"-addr " + taken.Addr().String(), nil, 1, taken.Addr().String() + ": bind: address already in use: choose another address with -addr or ADDR"},
	} {
		t.Run(c.args, func(t *testing.T) {
			setEnv(t, c.env)
			var out, err bytes.Buffer
			assert.Equal(t, c.code, run(t.Context(), strings.Fields(c.args), &out, &err))
			assert.Contains(t, err.String(), c.says)
			assert.Regexp(t, `^messages-service: [^\n]+\n$`, err.String(), "one line")
			assert.NotContains(t, err.String(), "hunter2")
			assert.Empty(t, out.String())
		})
	}
}

func TestHelp(t *testing.T) {
	setEnv(t, env{"OAUTH_SERVER": "http://me:hunter2@localhost/"})
	var out, err bytes.Buffer
	assert.Equal(t, 0, run(t.Context(), []string{"-h"}, &out, &err))
	for _, name := range []string{"-addr", "[ADDR]", "-issuer", "[OAUTH_SERVER]", "-audience", "[AUDIENCE]", "-skip-audience-check", "localhost:8181"} {
		assert.Contains(t, out.String(), name)
	}
	assert.NotContains(t, out.String(), "hunter2")
	assert.Empty(t, err.String())
}

func TestStartsAndEndsWithoutAnIssuer(t *testing.T) {
	setEnv(t, nil)
	ctx, end := context.WithCancel(t.Context())
	end()
	var out, err bytes.Buffer
	assert.Equal(t, 0, run(ctx, strings.Fields("-addr 127.0.0.1:0 -issuer http://127.0.0.1:1/"), &out, &err))
	assert.Contains(t, err.String(), `msg="messages-service is ready"`)
}
