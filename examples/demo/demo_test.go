package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/svcauth/svcauth/examples/realm"
	"github.com/svcauth/svcauth/keycloak/keycloaktest"
)

// output is what a program writes, to be read while it runs.
type output struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

const freePorts = "-realm-addr localhost:0 -messages-addr localhost:0 -archival-addr localhost:0 -webapp-addr localhost:0 -interval 20ms"

func TestDemoTellsItsStoryAndEnds(t *testing.T) {
	keycloak := keycloaktest.NewServer(keycloaktest.Config{RealmJSON: realm.JSON})
	t.Cleanup(keycloak.Close)
	for name, args := range map[string]string{"embedded": freePorts, "issuer": freePorts + " -issuer " + keycloak.Issuer()} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("OAUTH_CLIENT_SECRET", "")
			var out, log output
			ctx, end := context.WithCancel(t.Context())
			defer end()
			ended := make(chan int, 1)
			go func() { ended <- run(ctx, strings.Fields(args), &out, &log) }()

			story := regexp.MustCompile(`(?s)msg="Running MessageArchivalJob at [^"]+Z" service=archival-service.*` +
				`msg="Archiving all messages" service=messages-service caller=service-account-archival-service.*` +
				`msg="Archive messages response code: 200 OK" service=archival-service.*Running MessageArchivalJob`)
			require.Eventually(t, func() bool { return story.MatchString(log.String()) }, 10*time.Second, 10*time.Millisecond)
			assert.NotContains(t, log.String(), "level=ERROR")

			urls := regexp.MustCompile(`http://[a-z0-9.]+:\d+`).FindAllString(out.String(), 4)
			require.Len(t, urls, 4, "addresses come first: %s", out.String())
			for _, page := range []string{urls[0] + "/", urls[2] + "/api/messages"} {
				resp, err := http.Get(page)
				require.NoError(t, err)
				body, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				resp.Body.Close()
				assert.Equal(t, 200, resp.StatusCode)
				assert.Contains(t, string(body), "Test Message 2")
			}
			for _, who := range []string{"admin-demo-password", "user-demo-password"} {
				assert.Equal(t, name == "embedded", strings.Contains(out.String(), who), "how to sign in stands there")
			}
			assert.Contains(t, out.String(), "-u archival-service:"+demoSecret, "the line works as it stands")

			end()
			assert.Equal(t, 0, <-ended)
			assert.NotContains(t, log.String(), "level=ERROR")
			for i, url := range urls {
				if i != 1 || name == "embedded" {
					_, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
					assert.Error(t, err, "nothing is left running")
				}
			}
		})
	}
}

// TestOwnSecretIsNotPrinted holds that the secret of a Keycloak of one's own stays in its variable.
func TestOwnSecretIsNotPrinted(t *testing.T) {
	keycloak := keycloaktest.NewServer(keycloaktest.Config{RealmJSON: realm.JSON})
	t.Cleanup(keycloak.Close)
	keycloak.SetSecret("archival-service", "a-secret-of-ours")
	t.Setenv("OAUTH_CLIENT_SECRET", "a-secret-of-ours")
	var out, log output
	ctx, end := context.WithCancel(t.Context())
	defer end()
	ended := make(chan int, 1)
	go func() { ended <- run(ctx, strings.Fields(freePorts+" -issuer "+keycloak.Issuer()), &out, &log) }()
	require.Eventually(t, func() bool { return strings.Contains(log.String(), "200 OK") }, 10*time.Second, 10*time.Millisecond)
	end()
	assert.Equal(t, 0, <-ended)
	assert.NotContains(t, out.String()+log.String(), "a-secret-of-ours")
	assert.Contains(t, out.String(), `-u archival-service:"$OAUTH_CLIENT_SECRET"`)
}

func TestTogether(t *testing.T) {
	broken := errors.New("broken")
	untilEnd := func(ctx context.Context) error { <-ctx.Done(); return nil }
	synctest.Test(t, func(t *testing.T) { // a deadlock fails at once
		assert.ErrorIs(t, together(t.Context(), untilEnd, func(context.Context) error { return broken }), broken)
		assert.ErrorIs(t, together(t.Context(), func(context.Context) error { return broken }, untilEnd), broken)
		ctx, end := context.WithCancel(t.Context())
		end()
		assert.NoError(t, together(ctx, untilEnd, untilEnd))
	})
}

func TestWrongCalls(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	addr := taken.Addr().String()
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{freePorts + " -realm-addr " + addr, 1, addr + ": bind: address already in use: choose another address with -realm-addr"},
		{freePorts + " -messages-addr " + addr, 1, addr + ": bind: address already in use: choose another address with -messages-addr"},
		{freePorts + " -archival-addr " + addr, 1, addr + ": bind: address already in use: choose another address with -archival-addr"},
		{freePorts + " -webapp-addr " + addr, 1, addr + ": bind: address already in use: choose another address with -webapp-addr"},
		{freePorts + " -realm-addr 0.0.0.0:0", 1, "loopback"},
		{freePorts + " -messages-addr 192.0.2.1:0", 1, "choose another address with -messages-addr"},
		{freePorts + " -issuer nonsense", 2, `"nonsense"`},
		{"-messages-addr 8181", 2, `-messages-addr is "8181": want host:port`},
		{"-archival-addr :8282", 2, `-archival-addr is ":8282": want host:port`},
		{"-interval -1s", 2, "-interval is -1s"},
		{"-nope", 2, "flag provided but not defined: -nope"},
		{"x", 2, "unexpected argument"},
	} {
		t.Run(c.args, func(t *testing.T) {
			var out, err bytes.Buffer
			assert.Equal(t, c.code, run(t.Context(), strings.Fields(c.args), &out, &err))
			assert.Contains(t, err.String(), c.says)
			assert.Regexp(t, `^demo: [^\n]+\n$`, err.String(), "one line")
			assert.Empty(t, out.String())
		})
	}
}

func TestHelp(t *testing.T) {
	var out, err bytes.Buffer
	assert.Equal(t, 0, run(t.Context(), []string{"-h"}, &out, &err))
	for _, name := range []string{"-issuer", "-realm-addr", "-messages-addr", "-archival-addr", "-webapp-addr", "-interval", "OAUTH_CLIENT_SECRET"} {
		assert.Contains(t, out.String(), name)
	}
}
