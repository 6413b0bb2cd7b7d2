package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// maxInput is the size in bytes of what is read; resource servers take no token of this size.
const maxInput = 1 << 20

var errTooLarge = fmt.Errorf("there is more than %d bytes: no token is that long", maxInput)

// readToken takes the token from where the flags say. Its errors never quote what was read, nor the path: people put the token there by mistake.
func readToken(ctx context.Context, o options, stdin *os.File, stderr io.Writer) (string, error) {
	var text, where string
	var err error
	switch {
	case o.from == fromVariable:
		where, text = "TOKEN", os.Getenv("TOKEN")
	case o.tokenFile == "-":
		where = "stdin"
		// Without editing, for a terminal that edits cuts long lines.
		text, err = askHidden(ctx, stdin, stderr, "Token, which will not show: ", "-echo", "-icanon", "min", "1", "time", "0")
		if errors.Is(err, errNoTerminal) {
			text, err = readAll(ctx, func() (*os.File, error) { return stdin, nil })
		}
	default:
		where = "the file that -token or TOKEN_FILE names"
		text, err = readAll(ctx, func() (*os.File, error) { return os.Open(o.tokenFile) }) //nolint:gosec // whoever runs the program may read what they can
		if path := (*fs.PathError)(nil); errors.As(err, &path) {
			err = fmt.Errorf("%w (a token itself is never an argument: other users of a machine see those)", path.Err)
		}
	}
	if err != nil {
		return "", fmt.Errorf("can't read the token from %s: %w", where, err)
	}
	switch words := strings.Fields(text); len(words) {
	case 0:
		return "", fmt.Errorf("there is no token in %s: it is empty", where)
	case 1:
		return words[0], nil
	default:
		return "", fmt.Errorf("there is more than a token in %s: leave out Bearer and whatever else stands around it", where)
	}
}

// readAll reads what open opens, which may be a pipe that nobody writes to.
func readAll(ctx context.Context, open func() (*os.File, error)) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return await(ctx, func() (string, error) {
		in, err := open()
		if err != nil {
			return "", err
		}
		defer in.Close()
		text, err := io.ReadAll(io.LimitReader(in, maxInput+1))
		if err == nil && len(text) > maxInput {
			err = errTooLarge
		}
		return string(text), err
	})
}
