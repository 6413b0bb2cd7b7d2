package archtest

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestReadmeSnippetsCompile builds each Go snippet of the README as the program it claims to be. An overlay puts them into this module, so that they see its
// packages as a user does, and nothing is written to the tree.
func TestReadmeSnippetsCompile(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	require.NoError(t, err)
	snippets := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllSubmatch(readme, -1)
	require.GreaterOrEqual(t, len(snippets), 2, "one for the client, one for the server")

	top, err := filepath.Abs(root)
	require.NoError(t, err)
	temp := t.TempDir()
	overlay := map[string]map[string]string{"Replace": {}}
	args := []string{"build", "-overlay", filepath.Join(temp, "overlay.json")}
	for i, snippet := range snippets {
		file := filepath.Join(temp, "snippet"+strconv.Itoa(i)+".go")
		require.NoError(t, os.WriteFile(file, snippet[1], 0o600))
		folder := filepath.Join("internal", "readme", "snippet"+strconv.Itoa(i))
		overlay["Replace"][filepath.Join(top, folder, "main.go")] = file
		args = append(args, "./"+filepath.ToSlash(folder))
	}
	data, err := json.Marshal(overlay)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(temp, "overlay.json"), data, 0o600))
	command := exec.CommandContext(t.Context(), "go", args...)
	command.Dir = top
	out, err := command.CombinedOutput()
	assert.NoError(t, err, "%s", out)
}
