package archtest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestSnippets compiles and runs every Go snippet of the module's Markdown files, as its reader would:
//
//   - a program is run, against an embedded realm and a messages-service; what a client prints and how a server answers is looked at;
//   - a test file is tested;
//   - declarations and statements become a test. What they need and the text does not show stands in a comment right before the block, and what should
//     come of them in one right after it; both are Go, and t is there:
//
// <!-- setup: realm := keycloaktest.NewServer(keycloaktest.Config{}) --> and <!-- check: assert.NoError(t, err) -->
//
// The addresses of the examples stand for those of the realm and the service that run here. An overlay puts the files into this module, so that they see its
// packages as a user does, and nothing is written to the tree.
func TestSnippets(t *testing.T) {
	packages := packageNames(t)
	var programs, tests []goFile
	for _, d := range documents(t) {
		for _, s := range d.snippets(t) {
			if s.language != "go" {
				continue
			}
			if f := s.asFile(t, packages); f.program {
				programs = append(programs, f)
			} else {
				tests = append(tests, f)
			}
		}
	}
	require.NotEmpty(t, programs, "no document has a program")
	require.NotEmpty(t, tests, "no document has a test")

	stage, build := newStage(t), newBuild(t)
	slices.SortStableFunc(programs, func(a, b goFile) int { // servers first, for the clients of their document
		return cmp.Compare(strconv.FormatBool(b.serves()), strconv.FormatBool(a.serves()))
	})
	at := make([]addresses, len(programs))
	for n, f := range programs {
		at[n] = stage.addressesOf(t, &f)
		build.add(t, fmt.Sprintf("program%d", n), "main.go", at[n].relocate(f.source))
	}
	groups := grouped(tests)
	for n, group := range groups {
		for m, f := range group {
			build.add(t, fmt.Sprintf("tests%d", n), fmt.Sprintf("snippet%d_test.go", m), stage.relocate(f.source))
		}
	}
	build.run(t, "build", "program", len(programs))
	build.run(t, "test", "tests", len(groups))

	for n, group := range groups {
		build.test(t, fmt.Sprintf("tests%d.test", n), group)
	}
	for n, f := range programs {
		binary := build.binary(fmt.Sprintf("program%d", n))
		if f.serves() {
			stage.server(t, f, binary, at[n])
		} else {
			stage.client(t, f, binary)
		}
	}
}

// grouped puts files together into as few packages as their names allow: linking a test binary takes longer than compiling a file.
func grouped(files []goFile) [][]goFile {
	clash := func(a, b goFile) bool {
		return slices.ContainsFunc(a.declares, func(name string) bool { return slices.Contains(b.declares, name) || slices.Contains(b.imports, name) }) ||
			slices.ContainsFunc(b.declares, func(name string) bool { return slices.Contains(a.imports, name) })
	}
	var all [][]goFile
	for _, f := range files {
		n := slices.IndexFunc(all, func(group []goFile) bool {
			return !slices.ContainsFunc(group, func(g goFile) bool { return clash(f, g) })
		})
		if n < 0 {
			n, all = len(all), append(all, nil)
		}
		all[n] = append(all[n], f)
	}
	return all
}

// build lays files over the module and compiles them.
type build struct {
	top, temp string
	overlay   map[string]string
}

func newBuild(t *testing.T) *build {
	t.Helper()
	top, err := filepath.Abs(root)
	require.NoError(t, err)
	return &build{top: top, temp: t.TempDir(), overlay: map[string]string{}}
}

func (b *build) add(t *testing.T, folder, name, source string) {
	t.Helper()
	file := filepath.Join(b.temp, folder+"_"+name)
	require.NoError(t, os.WriteFile(file, []byte(source), 0o600))
	b.overlay[filepath.Join(b.top, "snippets", folder, name)] = file
}

// binary adds what the system wants its programs to be called.
func (b *build) binary(name string) string {
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return filepath.Join(b.temp, "bin", name)
}

func (b *build) run(t *testing.T, verb, folder string, count int) {
	t.Helper()
	data, err := json.Marshal(map[string]any{"Replace": b.overlay})
	require.NoError(t, err)
	overlay := filepath.Join(b.temp, "overlay.json")
	require.NoError(t, os.WriteFile(overlay, data, 0o600))
	args := []string{verb, "-overlay", overlay, "-o", filepath.Join(b.temp, "bin") + string(filepath.Separator)}
	if verb == "test" {
		args = append(args, "-c", "-vet=off") // vet wants to stand in the folder, which is not there
	}
	for n := range count {
		args = append(args, fmt.Sprintf("./snippets/%s%d", folder, n))
	}
	command := exec.CommandContext(t.Context(), "go", args...)
	command.Dir = b.top
	out, err := command.CombinedOutput()
	require.NoError(t, err, "go %s of the snippets\n%s", verb, out)
}

// test runs the tests of a group.
func (b *build) test(t *testing.T, binary string, group []goFile) {
	t.Helper()
	command := exec.CommandContext(t.Context(), b.binary(binary), "-test.v", "-test.timeout=60s")
	command.Dir, command.Env = b.top, environment()
	out, err := command.CombinedOutput()
	assert.NoError(t, err, "%s", out)
	for _, f := range group {
		for _, name := range f.tests {
			assert.Contains(t, string(out), "--- PASS: "+name+" ", f.place())
		}
	}
}
