package main

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/svcauth/svcauth/resourceserver"
)

func TestOptions(t *testing.T) {
	defaults := options{from: fromIssuer, issuer: "http://localhost:9191/realms/sivalabs", clientID: "c", authMethod: "client_secret_basic", leeway: resourceserver.DefaultLeeway, timeout: 30 * time.Second}
	change := func(f func(*options)) options { o := defaults; f(&o); return o }
	for _, c := range []struct {
		args string
		env  env
		want options
	}{
		{"-client-id c", nil, defaults},
		{"", env{"OAUTH_CLIENT_ID": "c", "LEEWAY": ""}, defaults},
		{"-role a,b -role c", env{"OAUTH_CLIENT_ID": "c", "ROLE": "d"}, change(func(o *options) { o.roles = list{"a,b", "c"} })},
		{"", env{"OAUTH_CLIENT_ID": "c", "ROLE": "a,b  c", "AUDIENCE": "x y", "TIMEOUT": "2s", "TOKENCHECK_JSON": "true"}, change(func(o *options) {
			o.roles, o.audiences, o.timeout, o.json = list{"a,b", "c"}, list{"x", "y"}, 2*time.Second, true
		})},
		{"-client-id c -request-param audience=x -request-param a=b=c", nil, change(func(o *options) { o.requestParams = list{"audience=x", "a=b=c"} })},
		{"-client-id c -timeout 1s", env{"TIMEOUT": "nonsense"}, change(func(o *options) { o.timeout = time.Second })},

		{"-client-id c", env{"TOKEN": "t"}, defaults},
		{"-token f", env{"TOKEN": "t", "OAUTH_CLIENT_ID": "c"}, change(func(o *options) { o.from, o.tokenFile = fromFile, "f" })},
		{"", env{"TOKEN": "t", "TOKEN_FILE": "f", "OAUTH_CLIENT_ID": "c"}, change(func(o *options) { o.from, o.tokenFile = fromVariable, "f" })},
		{"", env{"TOKEN_FILE": "f", "OAUTH_CLIENT_ID": "c"}, change(func(o *options) { o.from, o.tokenFile = fromFile, "f" })},
	} {
		setEnv(t, c.env)
		got, err := parseOptions(strings.Fields(c.args), nil)
		require.NoError(t, err, c.args)
		assert.Equal(t, c.want, got, c.args)
	}
}

func TestWrongCalls(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	require.NoError(t, os.WriteFile(empty, []byte("\n"), 0o600))
	large := filepath.Join(t.TempDir(), "large")
	require.NoError(t, os.WriteFile(large, make([]byte, maxInput+1), 0o600))
	secret := env{secretVariable: "hunter2"}
	const jwt = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.c2lnbmF0dXJl"
	for _, c := range []struct {
		args, stdin string
		env         env
		says        string
	}{
		{"-client-id c -audience a -request-param hunter2", "", secret, "-request-param or REQUEST_PARAM: want name=value"},
		{"-nope", "", nil, "flag provided but not defined: -nope"},
		{"-client-secret=hunter2", "", nil, "flag provided but not defined: -client-secret"},
		{jwt, "", nil, "unexpected argument"},
		{"-audience a", "", nil, "no token to check: give one with -token - (stdin), -token FILE or TOKEN, or -client-id"},
		{"-token - -client-id c", "", secret, "-token and -client-id contradict each other"},
		{"-timeout 0s", "", secret, "-timeout or TIMEOUT is 0s"},
		{"", "", env{"LEEWAY": "soon"}, `environment variable LEEWAY: "soon"`},
		{"-token -", jwt, nil, "Audiences is empty"},
		{"-token - -audience a -skip-audience-check", jwt, nil, "contradict"},
		{"-token - -audience a -issuer nonsense", jwt, nil, `"nonsense"`},
		{"-token - -audience a -issuer http://idp.test/", jwt, nil, "plain http"},
		{"-token - -audience a -leeway 1h", jwt, nil, "Leeway is 1h0m0s"},
		{"-token - -audience a -algorithm HS256", jwt, nil, `"HS256" is not a supported asymmetric signature algorithm`},
		{"-token - -audience a -client-roles=", jwt, nil, "-client-roles is empty"},
		{"-token - -audience a -role a,,b", jwt, nil, "a role rule with an empty role"},
		{"-token - -audience a -role=", jwt, nil, "a role rule with an empty role"},
		{`-token - -audience a -scope "`, jwt, nil, "a scope rule with"},

		{"-token - -audience a", "", nil, "no token in stdin: it is empty"},
		{"-token - -audience a", "Bearer " + jwt, nil, "more than a token in stdin"},
		{"-token " + empty + " -audience a", "", nil, "it is empty"},
		{"-token " + large + " -audience a", "", nil, "more than 1048576 bytes"},
		{"-token " + jwt + " -audience a", "", nil, "no such file or directory (a token itself is never an argument"},
		{"-audience a", "", env{"TOKEN": "Bearer " + jwt}, "more than a token in TOKEN"},

		{"-client-id c -audience a", "", nil, `no secret of client "c": put it into OAUTH_CLIENT_SECRET, or into the file that -client-secret-file names`},
		{"-client-id c -audience a -client-secret-file /no/such/file", "", secret, `secret file "/no/such/file"`},
		{"-client-id c -audience a -auth-method none", "", secret, `-auth-method or OAUTH_AUTH_METHOD is "none"`},
		{"-client-id c -audience a -request-scope=", "", secret, "Scopes: an entry is empty"},
		{"-client-id c -audience a -token-url nonsense", "", secret, `"nonsense"`},
	} {
		t.Run(c.args, func(t *testing.T) {
			setEnv(t, c.env)
			status, stdout, stderr := call(t, c.stdin, strings.Fields(c.args)...)
			assert.Equal(t, 2, status)
			assert.Contains(t, stderr, c.says)
			assert.Regexp(t, `^tokencheck: [^\n]+\n$`, stderr, "one line")
			assert.Empty(t, stdout)
		})
	}
}

func TestSecretFromAFile(t *testing.T) {
	realm := startRealm(t)
	file := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(file, []byte("job-secret\n"), 0o600))
	setEnv(t, env{secretVariable: "hunter2", "OAUTH_SERVER": realm.Issuer()})
	status, text, _ := call(t, "", strings.Fields("-client-id job -audience service -client-secret-file "+file)...)
	assert.Equal(t, 0, status, text)
}

func TestHelp(t *testing.T) {
	setEnv(t, env{secretVariable: "hunter2", "OAUTH_SERVER": "http://me:hunter2@localhost/", "TOKEN": "hunter2"})
	status, stdout, stderr := call(t, "", "-h")
	assert.Equal(t, 0, status)
	for _, variable := range variables {
		assert.Contains(t, stdout, "["+variable+"]")
	}
	assert.Contains(t, stdout, secretVariable)
	assert.Empty(t, stderr)
}

// TestInterrupted holds that Ctrl-C ends a wait for a pipe that nobody closes.
func TestInterrupted(t *testing.T) {
	setEnv(t, nil)
	in, pipe, err := os.Pipe()
	require.NoError(t, err)
	defer pipe.Close()
	ctx, end := context.WithCancel(t.Context())
	go func() {
		defer end()
		_, _ = pipe.Write(make([]byte, 200_000)) // more than a pipe holds, so it is being read when this ends
	}()
	var out, errs strings.Builder
	assert.Equal(t, 1, run(ctx, []string{"-token", "-", "-audience", "a"}, in, &out, &errs))
	assert.Equal(t, "tokencheck: interrupted\n", errs.String())
	assert.Empty(t, out.String())
}

// TestTimeout holds that an issuer that never answers does not hold up the program.
func TestTimeout(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer silent.Close()
	setEnv(t, env{"OAUTH_SERVER": "http://" + silent.Addr().String(), secretVariable: "hunter2", "TIMEOUT": "100ms"})
	status, text, _ := call(t, "", "-client-id", "c", "-audience", "a")
	assert.Equal(t, 1, status)
	assert.Contains(t, text, "wrong    discovery")
}
