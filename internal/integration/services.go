package integration

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// binaries are the paths of the example programs, by name. They are built once.
var binaries = map[string]string{}

func build(dir string) error {
	for _, name := range []string{"messages-service", "archival-service", "messages-webapp", "minimal-client", "demo"} {
		binaries[name] = filepath.Join(dir, name)
		args := []string{"build", "-o", binaries[name]}
		if raceEnabled {
			args = append(args, "-race")
		}
		command := exec.Command("go", append(args, "./examples/"+name)...)
		command.Dir = root
		if output, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("building %s: %w\n%s", name, err, output)
		}
	}
	return nil
}

// messages starts messages-service for a realm, at a free port or at addr, and waits until it serves. More args win.
func messages(t *testing.T, issuerURL, addr string, args ...string) *program {
	t.Helper()
	return serve(t, "messages-service", addr, nil, append([]string{"-issuer", issuerURL}, args...)...)
}

// archival starts archival-service, which calls the messages-service at messagesURL.
func archival(t *testing.T, issuerURL, messagesURL string, args ...string) *program {
	t.Helper()
	return serve(t, "archival-service", "", []string{"OAUTH_CLIENT_SECRET=" + jobSecret},
		append([]string{"-issuer", issuerURL, "-messages-url", messagesURL, "-interval", "500ms"}, args...)...)
}

func serve(t *testing.T, name, addr string, env []string, args ...string) *program {
	t.Helper()
	if addr == "" {
		addr = freeAddr()
	}
	p := start(t, name, env, append([]string{"-addr", addr}, args...)...)
	p.url = "http://" + addr
	p.logs(t, 0, name+" is ready")
	return p
}

// answer is what came back for one request.
type answer struct {
	status int
	header http.Header
	body   []byte
	took   time.Duration
}

func (a answer) String() string { return fmt.Sprintf("answer %d %v %s", a.status, a.header, a.body) }

// do sends a request. A failure to get an answer ends the test.
func do(t *testing.T, request *http.Request) answer {
	t.Helper()
	got, err := try(request)
	require.NoError(t, err)
	return got
}

func try(request *http.Request) (answer, error) {
	begin := time.Now()
	response, err := client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	return answer{response.StatusCode, response.Header, body, time.Since(begin)}, err
}

// send makes a request with a bearer token, unless that is empty, and a form, unless that is nil.
func send(t *testing.T, method, target, token string, form url.Values) answer {
	t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	request, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), method, target, body) // cleanups send, too
	require.NoError(t, err)
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	return do(t, request)
}

// archive asks a service to archive.
func archive(t *testing.T, p *program, token string) answer {
	t.Helper()
	return send(t, http.MethodPost, p.url+"/api/messages/archive", token, nil)
}

// archiveStatus is archive for conditions that are polled: no answer is 0.
func archiveStatus(t *testing.T, p *program, token string) int {
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+"/api/messages/archive", nil)
	if err != nil {
		return 0
	}
	request.Header.Set("Authorization", "Bearer "+token)
	got, err := try(request)
	if err != nil {
		return 0
	}
	return got.status
}

// secretFile writes a secret to a file of the test, with the line break that editors leave.
func secretFile(t *testing.T, secret string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	replaceFile(t, path, secret)
	return path
}

// replaceFile changes the secret as deployments do: at no moment is there half a file.
func replaceFile(t *testing.T, path, secret string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path+".new", []byte(secret+"\n"), 0o600))
	require.NoError(t, os.Rename(path+".new", path))
}
