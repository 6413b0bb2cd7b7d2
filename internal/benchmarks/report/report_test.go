package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/svcauth/svcauth/internal/benchmarks"
)

func TestNumbers(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 1: "1", 0.0449: "0.045", 0.123: "0.12", 1.256: "1.26", 12.34: "12.3", 1700: "1700", 1668.4: "1668"} {
		assert.Equal(t, want, number(v))
	}
	for d, want := range map[time.Duration]string{0: "", 58: "58 ns", 1400: "1.40 µs", 52 * time.Millisecond: "52 ms"} {
		assert.Equal(t, want, duration(d))
	}
}

func TestChoose(t *testing.T) {
	all, err := choose("")
	require.NoError(t, err)
	assert.Len(t, all, len(benchmarks.Scenarios))
	two, err := choose("token,verify")
	require.NoError(t, err)
	require.Len(t, two, 2)
	assert.Equal(t, "token", two[0].Name)
	_, err = choose("token,nope")
	assert.ErrorContains(t, err, `"nope"; there are verify, repeated`)
}

// made is a run with made-up results.
func made() []section {
	verify, repeated, load := section{scenario: scenario("verify")}, section{scenario: scenario("repeated")}, section{scenario: scenario("load")}
	for n, peer := range benchmarks.Peers {
		verify.results = append(verify.results, benchmarks.Result{Case: benchmarks.Goals[0].Case, Who: peer.Name, Value: float64(n) + 1.25, Unit: benchmarks.TimesSignature})
		repeated.results = append(repeated.results, benchmarks.Result{Case: "again", Who: peer.Name, Value: 0.0421, Unit: benchmarks.TimesSignature, Counted: true, Allocs: 7})
		load.results = append(load.results, benchmarks.Result{Case: "load", Who: peer.Name, Value: 0.5, Unit: benchmarks.TimesBareHandler})
	}
	load.results = append(load.results, benchmarks.Result{Case: "load", Who: "bare handler", Value: 1, Unit: benchmarks.TimesBareHandler})
	return []section{verify, repeated, load}
}

func scenario(name string) benchmarks.Scenario {
	for _, s := range benchmarks.Scenarios {
		if s.Name == name {
			return s
		}
	}
	return benchmarks.Scenario{}
}

func TestPage(t *testing.T) {
	var page bytes.Buffer
	writePage(&page, thisMachine(), benchmarks.Quick, made())
	assert.Contains(t, page.String(), "| verify a new token, RS256 | ≤ 1.30 × signature check | 1.25 | met |\n")
	assert.Contains(t, page.String(), "| again | svcauth | 0.042 × signature check |  | 0 | 7 |\n|  | golang-jwt + keyfunc |")
	for _, peer := range benchmarks.Peers[1:] {
		assert.Contains(t, page.String(), peer.Module)
	}
}

// TestDrawing holds that the drawing is well-formed and shows the numbers.
func TestDrawing(t *testing.T) {
	var drawing bytes.Buffer
	draw(&drawing, machine{processor: "A<B>", cores: 2}, made())
	var text strings.Builder
	for decoder := xml.NewDecoder(&drawing); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		if data, ok := token.(xml.CharData); ok {
			text.Write(data)
		}
	}
	for _, want := range []string{"1.25×", "5.25×", "0.042×", "50 %", "100 %", "A<B>", "golang-jwt + keyfunc"} {
		assert.Contains(t, text.String(), want)
	}
	assert.NotContains(t, text.String(), "NaN")
}

func TestWrongCall(t *testing.T) {
	require.Error(t, run(t.Context(), []string{"-nope"}, io.Discard, io.Discard))
	assert.ErrorContains(t, run(t.Context(), []string{"-only", "nope"}, io.Discard, io.Discard), "nope")
}
