package integration

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// bootTimeout is ten times what a boot takes on an idle machine of two cores, and what it took on one with a load of 13.
const bootTimeout = 5 * time.Minute

// keycloak is a real Keycloak: a copy of the distribution, with a data folder of its own.
type keycloak struct {
	home    string
	logPath string
	base    string // URL without a path
	args    []string

	secure       string // base over https; see keycloak_https.go
	mtlsTokenURL string // of authRealm, for those who show a certificate
	authority    *authority

	mu       sync.Mutex // guards the following
	process  *exec.Cmd
	lifeline *os.File // Keycloak is stopped when this is closed, by us or by our end
	ended    chan struct{}
}

// supervisor ends Keycloak when its own standard input ends: then the test binary has closed it, or is gone, by a panic, a timeout or a signal.
const supervisor = `exec 3<&0
"$@" </dev/null &
keycloak=$!
{ read -r _ <&3; kill -TERM "$keycloak"; } 2>/dev/null &
wait "$keycloak"`

// newKeycloak copies the distribution into dir and puts the realms where Keycloak imports them at its first start.
func newKeycloak(distribution, dir string) (*keycloak, error) {
	home := filepath.Join(dir, "keycloak")
	if err := os.CopyFS(home, os.DirFS(distribution)); err != nil {
		return nil, fmt.Errorf("copying Keycloak: %w", err)
	}
	data := filepath.Join(home, "data")
	if err := os.RemoveAll(data); err != nil { // somebody may have run the distribution where it lies
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(data, "import"), 0o755); err != nil {
		return nil, err
	}
	for _, realm := range []string{sivalabs, wide, article} {
		content, err := realmFile(realm)
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(data, "import", realm+"-realm.json"), content, 0o644); err != nil {
			return nil, err
		}
	}
	addr, management := freeAddr(), freeAddr()
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	_, managementPort, err := net.SplitHostPort(management)
	if err != nil {
		return nil, err
	}
	k := &keycloak{
		home: home, logPath: filepath.Join(dir, "keycloak.log"), base: "http://" + addr,
		args: []string{
			// Plain http, local caches (no cluster protocol on the network), and the options of .ci/keycloak: with others, Keycloak rebuilds itself first.
			"start", "--db=dev-file", "--cache=local", "--http-enabled=true", "--hostname-strict=false", "--import-realm",
			"--http-host", "127.0.0.1", "--http-port", port, "--http-management-port", managementPort,
		},
	}
	return k, k.serveHTTPS(dir)
}

// boot starts it and waits until all realms answer. Its output is in the error if they don't.
func (k *keycloak) boot() error {
	log, err := os.OpenFile(k.logPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	stdin, lifeline, err := os.Pipe()
	if err != nil {
		return err
	}
	defer stdin.Close()
	command := exec.Command("sh", append([]string{"-c", supervisor, "sh", filepath.Join(k.home, "bin", "kc.sh")}, k.args...)...)
	command.Env = append(os.Environ(), "KC_BOOTSTRAP_ADMIN_USERNAME=admin", "KC_BOOTSTRAP_ADMIN_PASSWORD="+adminPassword,
		"JAVA_OPTS_KC_HEAP=-Xms64m -Xmx400m", "JAVA_OPTS_APPEND=-XX:TieredStopAtLevel=1") // a short life is not worth the second compiler
	command.Stdin, command.Stdout, command.Stderr = stdin, log, log
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := command.Start(); err != nil {
		lifeline.Close()
		return err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = command.Wait()
	}()
	k.mu.Lock()
	k.process, k.lifeline, k.ended = command, lifeline, ended
	k.mu.Unlock()

	ctx, cancel := context.WithTimeout(context.Background(), bootTimeout)
	defer cancel()
	for _, realm := range []string{sivalabs, wide, article, "master"} {
		for !answers(ctx, k.URL(realm)+"/.well-known/openid-configuration") {
			select {
			case <-time.After(100 * time.Millisecond):
				continue
			case <-ended:
				err = errors.New("it has ended")
			case <-ctx.Done():
				err = fmt.Errorf("not within %v", bootTimeout)
			}
			k.halt()
			return fmt.Errorf("Keycloak does not get ready with realm %s: %w; its output:\n%s", realm, err, k.log())
		}
	}
	return nil
}

func answers(ctx context.Context, url string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	response, err := client.Do(request)
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// halt ends Keycloak: politely, so that its database is whole, and after 20 s by force, with all that it started.
func (k *keycloak) halt() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.process == nil {
		return
	}
	k.lifeline.Close()
	select {
	case <-k.ended:
	case <-time.After(20 * time.Second):
	}
	_ = syscall.Kill(-k.process.Process.Pid, syscall.SIGKILL) // its own process group
	<-k.ended
	k.process = nil
}

func (k *keycloak) log() string {
	text, err := os.ReadFile(k.logPath)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func (k *keycloak) Name() string            { return "keycloak" }
func (k *keycloak) URL(realm string) string { return k.base + "/realms/" + realm }

func (k *keycloak) Foreign(t *testing.T) string { return k.adminToken(t) }

func (k *keycloak) Lightweight(t *testing.T, realm string) string {
	return service(t, k, realm, "lightweight", "secret")
}

func (k *keycloak) Expired(t *testing.T, realm string) string {
	token := service(t, k, realm, "brief", "secret")
	time.Sleep(3 * time.Second) // it lives for one
	return token
}

func (k *keycloak) Stop(*testing.T) { k.halt() }

func (k *keycloak) Start(t *testing.T) {
	t.Helper()
	require.NoError(t, k.boot())
}

// shortLog is the end of the output, for the message of a failed test.
func (k *keycloak) shortLog() string {
	text := k.log()
	const most = 8 << 10
	if len(text) > most {
		text = text[len(text)-most:]
		_, text, _ = strings.Cut(text, "\n")
	}
	return text
}
