package benchmarks

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"time"
)

// The programs that are put under load.
const (
	examplePackage = "github.com/svcauth/svcauth/examples/messages-service"
	servicePackage = "github.com/svcauth/svcauth/internal/benchmarks/service"
)

// build compiles the programs into folder. The working directory must be in this module.
func build(ctx context.Context, folder string) error {
	command := exec.CommandContext(ctx, "go", "build", "-o", folder, examplePackage, servicePackage) //nolint:gosec // the folder is a new one of this program's
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("the programs can't be built from here; run this with go -C internal/benchmarks: %w\n%s", err, out)
	}
	return nil
}

// program is one of them, running.
type program struct {
	addr    string
	command *exec.Cmd
	logged  chan struct{} // closed once its log has ended
}

var readyLine = regexp.MustCompile(`is ready" addr=(\S+)`)

// start runs a program until it says where it listens. It must be stopped.
func start(ctx context.Context, folder, name string, args ...string) (*program, error) {
	p := &program{command: exec.CommandContext(ctx, filepath.Join(folder, name), append(args, "-addr", "127.0.0.1:0")...), logged: make(chan struct{})} //nolint:gosec // built just now
	p.command.Cancel = func() error { return p.command.Process.Signal(os.Interrupt) }
	p.command.WaitDelay = 5 * time.Second
	p.command.Env = append(os.Environ(), "ADDR=", "OAUTH_SERVER=", "AUDIENCE=")
	log, err := p.command.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := p.command.Start(); err != nil {
		return nil, err
	}
	addr := make(chan string, 1)
	go func() {
		defer close(p.logged)
		lines := bufio.NewScanner(log)
		for lines.Scan() {
			if found := readyLine.FindStringSubmatch(lines.Text()); found != nil {
				addr <- found[1]
			}
		}
	}()
	select {
	case p.addr = <-addr:
		return p, nil
	case <-p.logged:
		return nil, errors.Join(fmt.Errorf("%s ended before it was ready", name), p.command.Wait())
	case <-time.After(20 * time.Second):
		_, err := p.stop()
		return nil, errors.Join(fmt.Errorf("%s does not say that it is ready", name), err)
	}
}

// stop ends the program, and returns what processor time it has had.
func (p *program) stop() (time.Duration, error) {
	err := p.command.Process.Signal(os.Interrupt)
	<-p.logged
	if err := errors.Join(err, p.command.Wait()); err != nil {
		return 0, err
	}
	return p.command.ProcessState.UserTime() + p.command.ProcessState.SystemTime(), nil
}
