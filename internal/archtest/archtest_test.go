// Package archtest holds the layout that CONTRIBUTING describes: which package may import which, where dependencies are touched, how files are cut. It also runs
// what the documents show, and holds what they promise to be complete.
package archtest

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	root   = "../.."
	module = "github.com/svcauth/svcauth"
)

// source is one Go file of the root module.
type source struct {
	path string // from the root, with slashes
	ast  *ast.File
	text []byte
}

func (s source) folder() string { return path.Dir(s.path) }
func (s source) isTest() bool   { return strings.HasSuffix(s.path, "_test.go") }

func (s source) imports() []string {
	var all []string
	for _, spec := range s.ast.Imports {
		all = append(all, strings.Trim(spec.Path.Value, `"`))
	}
	return all
}

// sources reads the module's files; folders with a go.mod of their own belong to another module.
func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		require.NoError(t, err)
		if entry.IsDir() {
			_, nested := os.Stat(filepath.Join(name, "go.mod"))
			if name != root && (nested == nil || strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata") {
				return fs.SkipDir
			}
			return nil
		}
		if filepath.Ext(name) != ".go" {
			return nil
		}
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ParseComments)
		require.NoError(t, err)
		rel, err := filepath.Rel(root, name)
		require.NoError(t, err)
		all = append(all, source{filepath.ToSlash(rel), file, text})
		return nil
	})
	require.NoError(t, err)
	require.NotEmpty(t, all)
	return all
}

// floors lists the packages from the top down. A package may import those below its own floor, and none on it or above.
var floors = [][]string{
	{"examples"},
	{"keycloak/keycloaktest"},
	{"keycloak"},
	{"clientcreds", "resourceserver"},
	{"internal/discovery", "internal/jose"},
	{"internal/endpoint", "internal/flight", "internal/strictjson"},
}

// floor returns the number of folder's floor, or -1.
func floor(folder string) int {
	return slices.IndexFunc(floors, func(packages []string) bool {
		return slices.ContainsFunc(packages, func(p string) bool { return folder == p || p == "examples" && strings.HasPrefix(folder, p+"/") })
	})
}

func TestImportsRunOneWay(t *testing.T) {
	for _, s := range sources(t) {
		if s.isTest() || s.folder() == "internal/archtest" {
			continue
		}
		from := floor(s.folder())
		if !assert.GreaterOrEqual(t, from, 0, "%s: its folder has no floor", s.path) {
			continue
		}
		for _, imported := range s.imports() {
			to, ours := strings.CutPrefix(imported, module+"/")
			if !ours {
				continue
			}
			inside := strings.HasPrefix(s.folder(), "examples/") && strings.HasPrefix(to, "examples/")
			assert.True(t, floor(to) > from || inside, "%s imports %s, which is not below it", s.path, to)
		}
	}
}

func TestExamplesImportOnlyPublicPackages(t *testing.T) {
	for _, s := range sources(t) {
		for _, imported := range s.imports() {
			if strings.HasPrefix(s.path, "examples/") {
				assert.NotContains(t, imported, module+"/internal/", "%s: a copy of it would not compile elsewhere", s.path)
			}
		}
	}
}

func TestEmbeddedRealmIsForTestsAndExamples(t *testing.T) {
	for _, s := range sources(t) {
		if s.isTest() || strings.HasPrefix(s.path, "examples/") || s.folder() == "keycloak/keycloaktest" {
			continue
		}
		assert.NotContains(t, s.imports(), module+"/keycloak/keycloaktest", s.path)
	}
}

func TestOnlyTestsImportTesting(t *testing.T) {
	for _, s := range sources(t) {
		if !s.isTest() {
			for _, imported := range s.imports() {
				assert.False(t, imported == "testing" || strings.HasPrefix(imported, "github.com/stretchr/"), "%s imports %s", s.path, imported)
			}
		}
	}
}

// TestJOSEHasOneDoor holds that the JOSE dependency is used for keys and signatures only. Its token parser, key cache and key fetch can't keep what this library
// promises about order of checks, outages and rotation.
func TestJOSEHasOneDoor(t *testing.T) {
	allowed := []string{"github.com/lestrrat-go/jwx/v2/jwa", "github.com/lestrrat-go/jwx/v2/jwk", "github.com/lestrrat-go/jwx/v2/jws"}
	forbidden := regexp.MustCompile(`\bjwt\.Parse|\bjwk\.(NewCache|Cache|Fetch)\b`)
	for _, s := range sources(t) {
		if strings.HasPrefix(s.path, "examples/") || s.folder() == "internal/archtest" {
			continue
		}
		assert.NotRegexp(t, forbidden, string(s.text), s.path)
		for _, imported := range s.imports() {
			if strings.HasPrefix(imported, "github.com/lestrrat-go/") {
				assert.Equal(t, "internal/jose", s.folder(), "%s imports %s", s.path, imported)
				assert.Contains(t, allowed, imported, s.path)
			}
		}
	}
}

func TestRootModuleRequiresThreePackages(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "go.mod"))
	require.NoError(t, err)
	var direct []string
	for _, m := range regexp.MustCompile(`(?m)^\s*(?:require )?([a-z0-9.-]+\.[a-z]+/\S+) v\S+$`).FindAllSubmatch(text, -1) {
		direct = append(direct, string(m[1]))
	}
	assert.ElementsMatch(t, []string{"golang.org/x/oauth2", "github.com/lestrrat-go/jwx/v2", "github.com/stretchr/testify"}, direct)
}

func TestEveryPackageHasOneComment(t *testing.T) {
	comments := map[string][]string{}
	for _, s := range sources(t) {
		if _, seen := comments[s.folder()]; !seen {
			comments[s.folder()] = nil
		}
		if s.ast.Doc != nil && (!s.isTest() || s.folder() == "internal/archtest") {
			comments[s.folder()] = append(comments[s.folder()], s.path)
		}
	}
	for folder, files := range comments {
		assert.Len(t, files, 1, "package comments of %s", folder)
	}
}

// TestFilesHoldOneIdea bounds a file's length: a longer one holds two ideas.
func TestFilesHoldOneIdea(t *testing.T) {
	const limit = 300
	for _, s := range sources(t) {
		if !s.isTest() {
			assert.LessOrEqual(t, bytes.Count(s.text, []byte("\n")), limit, s.path)
		}
	}
}

// TestTopLevel holds what stands at the root.
func TestTopLevel(t *testing.T) {
	allowed := []string{"clientcreds", "resourceserver", "keycloak", "examples", "internal", "go.mod", "go.sum", "LICENSE", "README.md"}
	entries, err := os.ReadDir(root)
	require.NoError(t, err)
	for _, entry := range entries {
		assert.True(t, strings.HasPrefix(entry.Name(), ".") || slices.Contains(allowed, entry.Name()), entry.Name())
	}
}
