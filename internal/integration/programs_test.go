package integration

import (
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// minimal-client needs three environment variables and a URL, and no discovery.
func TestMinimalClient(t *testing.T) {
	onEachIssuer(t, func(t *testing.T, one issuer) {
		m := messages(t, one.URL(sivalabs), "")
		env := func(secret string) []string {
			return []string{
				"OAUTH_TOKEN_URL=" + one.URL(sivalabs) + tokenPath, "OAUTH_CLIENT_ID=archival-service", "OAUTH_CLIENT_SECRET=" + secret,
			}
		}
		code, p := run(t, "minimal-client", env(jobSecret), m.url+"/api/me")
		assert.Zero(t, code, "%s", p.log)
		assert.True(t, strings.HasPrefix(p.out.String(), "200 OK\n"), "%s", p.log)
		assert.Contains(t, p.out.String(), `"username":"service-account-archival-service"`)

		code, p = run(t, "minimal-client", env(jobSecret), "POST", m.url+"/api/messages/archive")
		assert.Zero(t, code, "%s", p.log)
		assert.Equal(t, "200 OK\n{\"status\":\"success\"}\n", p.out.String())
		assert.Equal(t, 1, m.log.count(archived))

		code, p = run(t, "minimal-client", env(jobSecret), m.url+"/nope")
		assert.Equal(t, 1, code, "%s", p.log)
		assert.True(t, strings.HasPrefix(p.out.String(), "404 Not Found\n"), "%s", p.log)

		code, p = run(t, "minimal-client", env("wrong-horse"), m.url+"/api/me")
		assert.Equal(t, 1, code, "%s", p.log)
		assert.Contains(t, p.log.String(), "unauthorized_client")
		assert.NotContains(t, p.log.String(), "wrong-horse")
	})
}

// The demo is a realm of its own, or uses ours.
func TestDemo(t *testing.T) {
	for name, args := range map[string][]string{
		"own realm": {"-realm-addr", freeAddr()},
		"keycloak":  {"-issuer", theKeycloak.URL(sivalabs)},
	} {
		t.Run(name, func(t *testing.T) {
			messagesAddr := freeAddr()
			p := start(t, "demo", nil, append([]string{"-messages-addr", messagesAddr, "-archival-addr", freeAddr(), "-webapp-addr", freeAddr(), "-interval", "500ms"}, args...)...)
			p.logs(t, 1, got200, "service=archival-service")
			p.logs(t, 1, archived, "service=messages-service")
			assert.Equal(t, http.StatusOK, send(t, http.MethodGet, "http://"+messagesAddr+"/api/messages", "", nil).status)
			assert.Zero(t, p.log.count(callFailed))
		})
	}
}

// TestWrongCalls: what a program can't work with is told in one line that names it, and never with a secret.
func TestWrongCalls(t *testing.T) {
	const secret = "wrong-horse"
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	folder := t.TempDir()
	real := strings.NewReplacer("''", "", "TAKEN", taken.Addr().String(), "EMPTY", secretFile(t, ""), "MISSING", filepath.Join(folder, "nothing here"), "FOLDER", folder)
	withSecret := []string{"OAUTH_CLIENT_SECRET=" + secret}

	for _, c := range []struct {
		program string
		env     []string
		args    string // parted at blanks; '' is an empty one, and words in capitals stand for what is known only now
		code    int
		want    []string // in the message
	}{
		{"messages-service", nil, "-nope", 2, []string{"-nope", "-h"}},
		{"messages-service", nil, "extra", 2, []string{"unexpected argument"}},
		{"messages-service", nil, "-addr here", 2, []string{"-addr", `"here"`}},
		{"messages-service", []string{"ADDR=here"}, "", 2, []string{"ADDR", `"here"`}},
		{"messages-service", nil, "-addr TAKEN", 1, []string{"in use", "-addr"}},
		{"messages-service", nil, "-issuer ''", 2, []string{"-issuer"}},
		{"messages-service", nil, "-issuer localhost:9191/realms/sivalabs", 2, []string{"localhost:9191/realms/sivalabs", "-issuer", "https://"}},
		{"messages-service", nil, "-issuer http://sso.example.com/realms/sivalabs", 2, []string{"sso.example.com", "https"}},
		{"messages-service", nil, "-issuer http://user:wrong-horse@localhost/realms/sivalabs", 2, []string{"-issuer"}},
		{"messages-service", nil, "-audience x -skip-audience-check", 2, []string{"-audience", "-skip-audience-check"}},

		{"archival-service", nil, "", 2, []string{"OAUTH_CLIENT_SECRET", "not set", "-client-secret-file"}},
		{"archival-service", []string{"OAUTH_CLIENT_SECRET="}, "", 2, []string{"OAUTH_CLIENT_SECRET", "empty", "-client-secret-file"}},
		{"archival-service", nil, "-client-secret-file EMPTY", 1, []string{"EMPTY", "empty"}},
		{"archival-service", nil, "-client-secret-file MISSING", 1, []string{"MISSING", "no such file"}},
		{"archival-service", nil, "-client-secret-file FOLDER", 1, []string{"FOLDER", "regular file"}},
		{"archival-service", withSecret, "-client-id ''", 2, []string{"client"}},
		{"archival-service", withSecret, "-client-secret wrong-horse", 2, []string{"-client-secret", "-h"}},
		{"archival-service", withSecret, "-interval soon", 2, []string{"-interval", `"soon"`}},
		{"archival-service", withSecret, "-interval 0s", 2, []string{"-interval"}},
		{"archival-service", withSecret, "-messages-url localhost:8181", 2, []string{"localhost:8181", "http://host:port"}},
		{"archival-service", withSecret, "-messages-url http://user:wrong-horse@localhost:8181", 2, []string{"messages-service", "user information"}},
		{"archival-service", withSecret, "-messages-url http://messages.example.com", 2, []string{"messages.example.com", "https"}},
		{"archival-service", withSecret, "-issuer localhost:9191/realms/sivalabs", 2, []string{"localhost:9191/realms/sivalabs", "https://"}},
		{"archival-service", withSecret, "-issuer http://sso.example.com/realms/sivalabs", 2, []string{"sso.example.com", "https"}},
		{"archival-service", withSecret, "-addr TAKEN", 1, []string{"in use", "-addr"}},

		{"minimal-client", nil, "http://localhost:1/", 2, []string{"OAUTH_CLIENT_SECRET", "not set"}},
		{"minimal-client", withSecret, "http://localhost:1/", 2, []string{"OAUTH_TOKEN_URL"}},
		{"minimal-client", withSecret, "-token-url http://localhost:1/token http://localhost:1/", 2, []string{"OAUTH_CLIENT_ID"}},
		{"minimal-client", withSecret, "-token-url http://sso.example.com/token -client-id x http://localhost:1/", 2, []string{"sso.example.com", "https"}},
		{"minimal-client", withSecret, "-token-url http://localhost:1/token -client-id x http://localhost:1/", 1, []string{"connection refused"}},
		{"minimal-client", withSecret, "-token-url http://localhost:1/token -client-id x http://messages.example.com/", 1, []string{"messages.example.com"}},
		{"minimal-client", withSecret, "GET http://localhost:1/ more", 2, []string{"too many arguments"}},

		{"demo", nil, "-interval 0s", 2, []string{"-interval"}},
		{"demo", nil, "-issuer localhost:9191 -messages-addr localhost:0 -archival-addr localhost:0", 2, []string{"localhost:9191", "-issuer"}},
		{"demo", nil, "-messages-addr TAKEN", 1, []string{"in use", "-messages-addr"}},
	} {
		t.Run(strings.Join(append(c.env, c.program, c.args), " "), func(t *testing.T) {
			var args []string
			for _, arg := range strings.Fields(c.args) {
				args = append(args, real.Replace(arg))
			}
			code, p := run(t, c.program, c.env, args...)
			text := p.log.String()
			assert.Equal(t, c.code, code, "%s", text)
			lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
			last := lines[len(lines)-1]
			assert.True(t, strings.HasPrefix(last, c.program+": "), "%s", text)
			if c.code == 2 {
				assert.Len(t, lines, 1, "%s", text)
			}
			for _, want := range c.want {
				assert.Contains(t, last, real.Replace(want))
			}
			assert.NotContains(t, text, secret)
			assert.NotContains(t, text, "panic")
		})
	}
}

// A client that the issuer does not know, or with a wrong secret, costs the job its runs and the service nothing else.
func TestWrongClient(t *testing.T) {
	for _, c := range []struct{ name, clientID, want string }{
		{"wrong secret", "archival-service", "unauthorized_client"},
		{"unknown client", "nobody", "invalid_client"},
	} {
		t.Run(c.name, func(t *testing.T) {
			onEachIssuer(t, func(t *testing.T, one issuer) {
				m := messages(t, one.URL(sivalabs), "")
				a := serve(t, "archival-service", "", []string{"OAUTH_CLIENT_SECRET=wrong-horse"},
					"-issuer", one.URL(sivalabs), "-messages-url", m.url, "-interval", "200ms", "-client-id", c.clientID)
				a.logs(t, 1, callFailed, c.want)
				assert.Equal(t, http.StatusBadGateway, archive(t, a, person(t, one, sivalabs, "admin").Access).status)
				assert.NotContains(t, a.log.String(), "wrong-horse")
				assert.Zero(t, m.log.count(archived))
			})
		})
	}
}
