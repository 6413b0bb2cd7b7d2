package compare

import (
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the table into the pages that have its marks")

const (
	openMark  = "<!-- comparison -->\n"
	closeMark = "<!-- /comparison -->"
)

// TestPages holds that the pages show the table that TestCells holds true.
func TestPages(t *testing.T) {
	own, front := "README.md", "../../../README.md"
	for _, name := range []string{own, front} {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		before, rest, opened := strings.Cut(string(text), openMark)
		shown, after, closed := strings.Cut(rest, closeMark)
		require.Equal(t, opened, closed, "%s: the marks come in pairs", name)
		require.True(t, opened || name != own, "%s has no table", name)
		if !opened {
			continue
		}
		if *update {
			require.NoError(t, os.WriteFile(name, []byte(before+openMark+markdown(t)+closeMark+after), 0o644))
			continue
		}
		assert.Equal(t, markdown(t), shown, "%s: run the test with -update", name)
	}
}

// markdown is the table, with a line on how it came about.
func markdown(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	line := func(first string, rest []string) {
		b.WriteString("| " + first + " | " + strings.Join(rest, " | ") + " |\n")
	}
	var names, rules, empty []string
	for _, c := range columns {
		names, rules, empty = append(names, c.name), append(rules, "---"), append(empty, "")
	}
	line("", names)
	line("---", rules)
	for _, group := range groups {
		line("**"+group.title+"**", empty)
		for _, r := range group.rows {
			line(r.text, r.want[:])
		}
	}
	b.WriteString("\n¹ It brings no middleware, and neither `errors.Is` nor `errors.As` tells its error from that of a bad token.\n\n")
	b.WriteString("Each cell is what a test saw, with each library set up as its documentation shows it and defaults for the rest: " + strings.Join(versions(t), ", ") + ".\n")
	return b.String()
}

// versions are those of the modules that are compared, as go.mod pins them.
func versions(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../go.mod")
	require.NoError(t, err)
	var all []string
	for _, c := range columns {
		for _, module := range c.modules {
			found := regexp.MustCompile(`(?m)^\s*` + regexp.QuoteMeta(module) + ` (v\S+)$`).FindSubmatch(text)
			require.NotNil(t, found, module)
			name := regexp.MustCompile(`^(?:golang\.org/|github\.com/[^/]+/)|/v\d+$`).ReplaceAllString(module, "")
			all = append(all, name+" "+string(found[1]))
		}
	}
	return all
}
