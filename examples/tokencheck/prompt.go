package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// patience is how long a person, or what is in front of a pipe, may take.
const patience = 2 * time.Minute

var errNoTerminal = errors.New("stdin is no terminal that can be kept from showing what is typed")

// askHidden asks a question and reads one line from the terminal in, whose modes are changed meanwhile with stty: the standard library can't, and stty is
// wherever there are such terminals. Elsewhere nothing is asked, for what is typed would show. Whatever ends it, Ctrl-C included, the modes are put back.
func askHidden(ctx context.Context, in *os.File, out io.Writer, question string, modes ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	before, err := stty(ctx, in, "-g")
	if err != nil {
		return "", errNoTerminal
	}
	defer func() {
		_, _ = stty(context.WithoutCancel(ctx), in, strings.TrimSpace(before))
		fmt.Fprintln(out) // Enter did not show either
	}()
	if _, err := stty(ctx, in, modes...); err != nil {
		return "", errNoTerminal
	}
	fmt.Fprint(out, question)
	return await(ctx, func() (string, error) { return readLine(in) })
}

func stty(ctx context.Context, terminal *os.File, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	command := exec.CommandContext(ctx, "stty", args...) //nolint:gosec // the words are this program's, or stty's own
	command.Stdin = terminal
	out, err := command.Output()
	return string(out), err
}

// readLine reads to the end of a line, or to Ctrl-D, which is a character like others where a terminal does not edit lines.
func readLine(in io.Reader) (string, error) {
	const ctrlD = 4
	var line []byte
	for r := bufio.NewReader(in); len(line) <= maxInput; {
		switch c, err := r.ReadByte(); {
		case err == nil && c != '\n' && c != ctrlD:
			line = append(line, c)
		case err == nil || errors.Is(err, io.EOF):
			return string(line), nil
		default:
			return "", err
		}
	}
	return "", errTooLarge
}

// await waits for read, but no longer than ctx. A read that waits for ever is left alone: the program ends.
func await(ctx context.Context, read func() (string, error)) (string, error) {
	type result struct {
		text string
		err  error
	}
	done := make(chan result, 1)
	go func() {
		text, err := read()
		done <- result{text, err}
	}()
	select {
	case r := <-done:
		return r.text, r.err
	case <-ctx.Done():
		return "", fmt.Errorf("nothing came within %v", patience)
	}
}
