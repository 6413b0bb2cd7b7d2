package archtest

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestReadmeSnippets builds each Go program of the README, and runs each test of it. An overlay puts them into this module, so that they see its packages as a user
// does, and nothing is written to the tree.
func TestReadmeSnippets(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	require.NoError(t, err)
	snippets := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllSubmatch(readme, -1)
	require.Len(t, snippets, 3, "the client, the server and a test")

	top, err := filepath.Abs(root)
	require.NoError(t, err)
	temp := t.TempDir()
	overlay := map[string]map[string]string{"Replace": {}}
	commands := map[string][]string{
		"main.go":      {"build", "-overlay", filepath.Join(temp, "overlay.json")},
		"main_test.go": {"test", "-overlay", filepath.Join(temp, "overlay.json"), "-vet=off", "-c", "-o", filepath.Join(temp, "snippet.test")},
	}
	for i, snippet := range snippets {
		name := "main.go"
		if strings.Contains(string(snippet[1]), `"testing"`) {
			name = "main_test.go"
		}
		folder := "snippet" + strconv.Itoa(i)
		file := filepath.Join(temp, folder+".go")
		require.NoError(t, os.WriteFile(file, snippet[1], 0o600))
		overlay["Replace"][filepath.Join(top, folder, name)] = file
		commands[name] = append(commands[name], "./"+folder)
	}
	data, err := json.Marshal(overlay)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(temp, "overlay.json"), data, 0o600))
	for _, args := range commands {
		command := exec.CommandContext(t.Context(), "go", args...)
		command.Dir = top
		out, err := command.CombinedOutput()
		require.NoError(t, err, "go %v\n%s", args, out)
	}
	out, err := exec.CommandContext(t.Context(), filepath.Join(temp, "snippet.test"), "-test.v").CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Contains(t, string(out), "--- PASS: TestOnlyAdminsArchive")
}
