package archtest

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// document is a Markdown file of the root module.
type document struct {
	path string // from the root, with slashes
	text string
}

// snippet is a fenced block of a document.
type snippet struct {
	document     string
	line         int // of its first line of code, from 1
	language     string
	text         string
	setup, check string // from the comments right before and right after it
}

// documents reads the module's Markdown files; folders with a go.mod of their own belong to another module.
func documents(t *testing.T) []document {
	t.Helper()
	var all []document
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		require.NoError(t, err)
		if entry.IsDir() {
			_, nested := os.Stat(filepath.Join(name, "go.mod"))
			if name != root && (nested == nil || strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata") {
				return fs.SkipDir
			}
			return nil
		}
		if filepath.Ext(name) != ".md" {
			return nil
		}
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		rel, err := filepath.Rel(root, name)
		require.NoError(t, err)
		all = append(all, document{filepath.ToSlash(rel), string(text)})
		return nil
	})
	require.NoError(t, err)
	require.NotEmpty(t, all)
	return all
}

var (
	fence        = regexp.MustCompile("(?ms)^```([a-z]*)[^\n]*\n(.*?)^```[ \t]*$")
	setupComment = regexp.MustCompile(`(?s)<!-- setup:\s(.*?)-->\s*$`)
	checkComment = regexp.MustCompile(`(?s)^\s*<!-- check:\s(.*?)-->`)
	anyMark      = regexp.MustCompile(`<!-- (?:setup|check):`)
)

// snippets finds the fenced blocks, with what the comments around them add. A comment that stands beside no Go is a mistake of its author's, and an error.
func (d document) snippets(t *testing.T) []snippet {
	t.Helper()
	var all []snippet
	last, marks := 0, 0
	found := fence.FindAllStringSubmatchIndex(d.text, -1)
	for n, at := range found {
		s := snippet{
			document: d.path, line: 1 + strings.Count(d.text[:at[4]], "\n"), language: d.text[at[2]:at[3]], text: d.text[at[4]:at[5]],
		}
		next := len(d.text)
		if n+1 < len(found) {
			next = found[n+1][0]
		}
		if s.language == "go" {
			before, after := d.text[last:at[0]], d.text[at[1]:next]
			if m := setupComment.FindStringSubmatchIndex(before); m != nil && !strings.Contains(before[m[2]:m[3]], "-->") {
				s.setup = before[m[2]:m[3]]
				marks++
			}
			if m := checkComment.FindStringSubmatch(after); m != nil {
				s.check = m[1]
				marks++
			}
		}
		all = append(all, s)
		last = at[1]
	}
	require.Len(t, anyMark.FindAllString(d.text, -1), marks, "%s: a setup comment stands right before a go block, a check comment right after it", d.path)
	return all
}
