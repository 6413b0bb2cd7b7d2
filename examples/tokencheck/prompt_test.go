package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestReadLine(t *testing.T) {
	for typed, want := range map[string]string{
		"abc\n":    "abc",
		"abc\nd\n": "abc",
		"abc\x04d": "abc", // Ctrl-D
		"abc":      "abc",
		"":         "",
	} {
		line, err := readLine(strings.NewReader(typed))
		assert.NoError(t, err)
		assert.Equal(t, want, line)
	}
	_, err := readLine(strings.NewReader(strings.Repeat("x", maxInput+1)))
	assert.ErrorIs(t, err, errTooLarge)
}
