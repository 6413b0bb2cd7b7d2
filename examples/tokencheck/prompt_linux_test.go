package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/svcauth/svcauth/keycloak/keycloaktest"
)

// openTerminal opens a pseudo terminal: what a person types goes into keyboard, and what the terminal shows of it comes out there.
func openTerminal(t *testing.T) (keyboard, terminal *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	require.NoError(t, err)
	t.Cleanup(func() { keyboard.Close() })
	var number, unlocked uint32
	for request, value := range map[uintptr]*uint32{syscall.TIOCGPTN: &number, syscall.TIOCSPTLCK: &unlocked} {
		_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, keyboard.Fd(), request, uintptr(unsafe.Pointer(value)))
		require.Zero(t, errno)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { terminal.Close() })
	return keyboard, terminal
}

// person types an answer once a question is asked.
type person struct {
	keyboard *os.File
	answer   string
	once     sync.Once
	asked    bytes.Buffer
}

func (p *person) Write(text []byte) (int, error) {
	if strings.Contains(string(text), "not show") {
		p.once.Do(func() {
			go func() { _, _ = p.keyboard.WriteString(p.answer) }() // a terminal does not hold long answers until they are read
		})
	}
	return p.asked.Write(text)
}

func TestSecretFromTheTerminal(t *testing.T) {
	realm := startRealm(t)
	setEnv(t, env{"OAUTH_SERVER": realm.Issuer()})
	keyboard, terminal := openTerminal(t)
	before, err := stty(t.Context(), terminal, "-g")
	require.NoError(t, err)
	who := &person{keyboard: keyboard, answer: "job-sekk\x7f\x7fcret\n"} // with Backspace
	var out bytes.Buffer
	assert.Equal(t, 0, run(t.Context(), strings.Fields("-client-id job -audience service"), terminal, &out, who), out.String())
	assert.Equal(t, "Secret of client \"job\", which will not show: \n", who.asked.String())
	assertShowedNothing(t, keyboard, terminal, before)
}

func TestTokenFromTheTerminal(t *testing.T) {
	realm := startRealm(t)
	setEnv(t, env{"OAUTH_SERVER": realm.Issuer()})
	keyboard, terminal := openTerminal(t)
	before, err := stty(t.Context(), terminal, "-g")
	require.NoError(t, err)
	// Longer than the 4096 bytes of a line that a terminal lets one edit.
	token := realm.Token(keycloaktest.Token{Claims: map[string]any{"x": strings.Repeat("x", 5000)}})
	who := &person{keyboard: keyboard, answer: token + "\n"}
	var out bytes.Buffer
	assert.Equal(t, 0, run(t.Context(), strings.Fields("-token - -audience service"), terminal, &out, who), out.String())
	assert.NotContains(t, who.asked.String()+out.String(), "eyJ")
	assertShowedNothing(t, keyboard, terminal, before)
}

// TestMain lets this binary be the program, for the test below.
func TestMain(m *testing.M) {
	if os.Getenv("TOKENCHECK_IS_THE_PROGRAM") != "" {
		main()
	}
	os.Exit(m.Run())
}

// TestInterruptedAtTheTerminal is somebody who hits Ctrl-C in the midst of a secret.
func TestInterruptedAtTheTerminal(t *testing.T) {
	setEnv(t, nil)
	keyboard, terminal := openTerminal(t)
	before, err := stty(t.Context(), terminal, "-g")
	require.NoError(t, err)
	program, err := os.Executable()
	require.NoError(t, err)
	command := exec.CommandContext(t.Context(), program, "-client-id", "job", "-audience", "service")
	command.Env = append(os.Environ(), "TOKENCHECK_IS_THE_PROGRAM=1")
	command.Stdin, command.Stdout, command.Stderr = terminal, terminal, terminal
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true} // Ctrl-C in this terminal is for the program
	require.NoError(t, command.Start())

	shows(t, keyboard, "Secret of client \"job\", which will not show: ")
	_, err = keyboard.WriteString("hunter2\x03")
	require.NoError(t, err)
	shows(t, keyboard, "\r\ntokencheck: interrupted\r\n")
	var status *exec.ExitError
	require.ErrorAs(t, command.Wait(), &status)
	assert.Equal(t, 1, status.ExitCode())
	assertShowedNothing(t, keyboard, terminal, before)
}

// shows reads exactly this text from a terminal.
func shows(t *testing.T, keyboard *os.File, text string) {
	t.Helper()
	require.NoError(t, keyboard.SetReadDeadline(time.Now().Add(20*time.Second)))
	shown := make([]byte, len(text))
	n, err := io.ReadFull(keyboard, shown)
	require.NoError(t, err)
	assert.Equal(t, text, string(shown[:n]))
}

func TestColours(t *testing.T) {
	setEnv(t, nil)
	t.Setenv("TERM", "xterm")
	_, terminal := openTerminal(t)
	assert.True(t, isColoured(terminal))
	assert.False(t, isColoured(stdinOf(t, "")), "a file")
	assert.False(t, isColoured(new(bytes.Buffer)))
	t.Setenv("NO_COLOR", "1")
	assert.False(t, isColoured(terminal))
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "dumb")
	assert.False(t, isColoured(terminal))
}

// assertShowedNothing holds that nothing typed was shown, and that the terminal is as it was.
func assertShowedNothing(t *testing.T, keyboard, terminal *os.File, before string) {
	t.Helper()
	after, err := stty(t.Context(), terminal, "-g")
	require.NoError(t, err)
	assert.Equal(t, before, after)
	_, err = terminal.WriteString("|") // behind all that the terminal showed before
	require.NoError(t, err)
	shows(t, keyboard, "|")
}
