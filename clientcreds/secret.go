package clientcreds

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// A Secret gives a secret, a key or an assertion. It is called for every token request, so a rotated secret counts from the next request on. It must be
// safe for concurrent use, return when its context ends, and not return a slice that it changes later. Its error is shown to callers and logged: it must not
// hold the secret.
type Secret func(context.Context) ([]byte, error)

// maxSecret bounds a secret file, in bytes.
const maxSecret = 64 << 10

// FromFile reads the secret from the file at path, anew for every token request, so a file that a deployment replaces (also by a symbolic link) needs no
// restart. One line break at the end is not part of the secret. The file must be a regular one of at most 64 KiB.
func FromFile(path string) Secret {
	return func(context.Context) ([]byte, error) {
		secret, err := readSecret(path)
		if err != nil {
			return nil, fmt.Errorf("secret file %q: %w", path, err)
		}
		return secret, nil
	}
}

func readSecret(path string) ([]byte, error) {
	// Asked before the opening, because opening a named pipe without a writer waits for ever.
	info, err := os.Stat(path)
	if err != nil {
		return nil, withoutPath(err)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, withoutPath(err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return nil, withoutPath(err)
	}
	if len(b) > maxSecret {
		return nil, errors.New("it is larger than 64 KiB")
	}
	text := string(b)
	if line, ok := strings.CutSuffix(text, "\n"); ok {
		text = strings.TrimSuffix(line, "\r")
	}
	if text == "" {
		return nil, errors.New("it is empty")
	}
	return []byte(text), nil
}

func withoutPath(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}

// FromEnv reads the secret from the environment variable name, for every token request. One that is not set, or empty, is an error.
func FromEnv(name string) Secret {
	return func(context.Context) ([]byte, error) {
		value, ok := os.LookupEnv(name)
		switch {
		case !ok:
			return nil, fmt.Errorf("environment variable %q is not set", name)
		case value == "":
			return nil, fmt.Errorf("environment variable %q is empty", name)
		}
		return []byte(value), nil
	}
}

// static is a secret that never changes. A closure, so that no printing of a struct around it reaches the text.
func static(secret string) Secret {
	return func(context.Context) ([]byte, error) { return []byte(secret), nil }
}
