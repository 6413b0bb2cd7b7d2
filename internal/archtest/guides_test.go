package archtest

import (
	"bytes"
	"go/ast"
	"go/constant"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const guides = "examples/guides"

func guide(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, guides, name))
	require.NoError(t, err)
	return string(text)
}

// listed is a constant of a package: its name, its value, and the first word of the comment in its line.
type listed struct{ name, value, word string }

// constants lists those of a type in a file.
func constants(t *testing.T, file, ofType string) []listed {
	t.Helper()
	var all []listed
	for _, s := range sources(t) {
		if s.path != file {
			continue
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			if name, ok := spec.Type.(*ast.Ident); ok && name.Name == ofType {
				literal := spec.Values[0].(*ast.BasicLit)
				word, _, _ := strings.Cut(strings.TrimSpace(spec.Comment.Text()), ":")
				all = append(all, listed{spec.Names[0].Name, constant.StringVal(constant.MakeFromLiteral(literal.Value, literal.Kind, 0)), word})
			}
			return false
		})
	}
	require.NotEmpty(t, all, "%s has no constants of type %s", file, ofType)
	return all
}

// TestRefusalsAreAllExplained holds the tables of the guide complete: a reason, a class or a subject that is added needs a line there.
func TestRefusalsAreAllExplained(t *testing.T) {
	text := guide(t, "refusals.md")
	rows := func(pattern string) []string {
		var all []string
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
			all = append(all, strings.Join(m[1:], " "))
		}
		return all
	}
	var reasons, classes []string
	for _, c := range constants(t, "resourceserver/errors.go", "Reason") {
		reasons = append(reasons, c.value+" "+c.name+" "+c.word)
	}
	for _, c := range constants(t, "clientcreds/errors.go", "Class") {
		classes = append(classes, c.value+" "+c.name)
	}
	assert.ElementsMatch(t, reasons, rows("(?m)^\\| `([a-z_]+)` \\| `(Reason\\w+)` \\| (\\d+) \\| [^|]+ \\| [^|]+ \\| [^|]+ \\|$"), "reason, constant, status; three cells more that say something")
	assert.ElementsMatch(t, classes, rows("(?m)^\\| `([a-z_]+)` \\| `(Class\\w+)` \\| [^|]+ \\| [^|]+ \\|$"), "class, constant; two cells more that say something")
	for _, c := range constants(t, "clientcreds/diagnose.go", "Subject") {
		assert.Contains(t, text, "`"+c.value+"`", "a subject of Diagnose")
	}
}

// TestGuides holds them findable and short.
func TestGuides(t *testing.T) {
	index := guide(t, "README.md")
	entries, err := os.ReadDir(filepath.Join(root, guides))
	require.NoError(t, err)
	for _, entry := range entries {
		name := entry.Name()
		if name == "README.md" {
			continue
		}
		assert.Contains(t, index, "]("+name+")", "a guide that the index does not list")
		assert.LessOrEqual(t, strings.Count(guide(t, name), "\n"), 150, name+" is about two topics")
	}
}

// TestLinksLeadSomewhere follows the links between files of the module.
func TestLinksLeadSomewhere(t *testing.T) {
	for _, d := range documents(t) {
		prose := fence.ReplaceAllString(d.text, "")
		for _, m := range regexp.MustCompile(`\]\(([^)#]+)(?:#[^)]*)?\)`).FindAllStringSubmatch(prose, -1) {
			if !strings.Contains(m[1], "://") {
				_, err := os.Stat(filepath.Join(root, path.Dir(d.path), m[1]))
				assert.NoError(t, err, d.path)
			}
		}
	}
}

// TestSnippetsOfYAML reads every YAML snippet, which testify does for us.
func TestSnippetsOfYAML(t *testing.T) {
	for _, d := range documents(t) {
		for _, s := range d.snippets(t) {
			if s.language != "yaml" {
				continue
			}
			for _, part := range bytes.Split([]byte(s.text), []byte("\n---\n")) {
				assert.YAMLEq(t, string(part), string(part), s.place())
			}
		}
	}
}
