package integration

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// program is one running example program.
type program struct {
	name string
	url  string // where it serves; empty for one that does not
	cmd  *exec.Cmd
	log  *output       // all that it writes
	out  *output       // what it writes to its standard output
	done chan struct{} // closed when it has ended
}

// start runs one of the built programs with args and nothing in its environment but env. It is ended with the test, and then must have exited with 0
// within seconds; if the test fails, its output is printed.
func start(t *testing.T, name string, env []string, args ...string) *program {
	t.Helper()
	p := launch(t, name, env, args...)
	t.Cleanup(func() { p.stop(t) })
	return p
}

func launch(t *testing.T, name string, env []string, args ...string) *program {
	t.Helper()
	p := &program{name: name, log: &output{}, out: &output{}, done: make(chan struct{})}
	p.cmd = exec.Command(binaries[name], args...)
	p.cmd.Env = append([]string{}, env...) // nil would inherit
	p.cmd.Dir = t.TempDir()
	p.cmd.Stdout, p.cmd.Stderr = io.MultiWriter(p.log, p.out), p.log
	require.NoError(t, startProcess(p.cmd))
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // the exit code is what counts
	}()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("output of %s %s:\n%s", name, strings.Join(args, " "), p.log)
		}
	})
	return p
}

// stop ends it as a service manager does. A second call does nothing.
func (p *program) stop(t *testing.T) {
	t.Helper()
	select {
	case <-p.done:
	default:
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
	}
	select {
	case <-p.done:
	case <-time.After(8 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.done
		assert.Failf(t, "a program did not end", "%s ran on for 8 s after SIGTERM", p.name)
	}
	assert.Zero(t, p.cmd.ProcessState.ExitCode(), "exit code of %s after SIGTERM: %v", p.name, p.cmd.ProcessState)
	assert.NotContains(t, p.log.String(), "panic", "output of %s", p.name)
	assert.NotContains(t, p.log.String(), "DATA RACE", "output of %s", p.name)
}

// run runs a program that ends by itself, and gives its exit code and its output.
func run(t *testing.T, name string, env []string, args ...string) (int, *program) {
	t.Helper()
	p := launch(t, name, env, args...)
	select {
	case <-p.done:
	case <-time.After(20 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.done
		require.Failf(t, "a program did not end", "%s %q: output:\n%s", name, args, p.log)
	}
	return p.cmd.ProcessState.ExitCode(), p
}

// output collects what a program writes.
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

// count says how many lines have all of the words.
func (o *output) count(words ...string) int {
	n := 0
line:
	for line := range strings.Lines(o.String()) {
		for _, word := range words {
			if !strings.Contains(line, word) {
				continue line
			}
		}
		n++
	}
	return n
}

// logs waits until more than before lines have all of the words.
func (p *program) logs(t *testing.T, before int, words ...string) {
	t.Helper()
	require.Eventually(t, func() bool { return p.log.count(words...) > before }, 20*time.Second, 20*time.Millisecond,
		"%s does not log %q (more than %d times)", p.name, words, before)
}

// Ports that the system does not give to outgoing connections, so that none is taken between the choice and its use.
const firstPort, ports = 20000, 10000

var (
	portMu   sync.Mutex // guards nextPort
	nextPort = rand.IntN(ports)
)

// freeAddr gives localhost and a port that nothing listens on, and never the same one twice.
func freeAddr() string {
	portMu.Lock()
	defer portMu.Unlock()
	for range ports {
		nextPort = (nextPort + 1) % ports
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", firstPort+nextPort))
		if err == nil {
			listener.Close()
			return fmt.Sprintf("localhost:%d", firstPort+nextPort)
		}
	}
	panic("no free port between 20000 and 30000")
}
