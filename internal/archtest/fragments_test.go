package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// goFile is a snippet as a file that the go command takes.
type goFile struct {
	snippet
	source   string
	program  bool     // it has a main function
	tests    []string // that must pass
	declares []string // at the top level
	imports  []string // by the names used in the file
}

// asFile makes a file of a snippet. One with a package clause is a file already; anything else becomes a test.
func (s snippet) asFile(t *testing.T, packages map[string]string) goFile {
	t.Helper()
	f := goFile{snippet: s}
	file, err := parse(s.text)
	if err == nil {
		require.Empty(t, s.setup+s.check, "%s: a whole file takes no setup and no check", s.place())
		f.source = s.from() + s.text
	} else {
		f.source = s.asTest(t, packages)
		file, err = parse(f.source)
		require.NoError(t, err, "%s\n%s", s.place(), f.source)
	}
	for _, spec := range file.Imports {
		f.imports = append(f.imports, importName(spec))
	}
	f.declares = declared(file)
	f.program = file.Name.Name == "main" && slices.Contains(f.declares, "main")
	if f.program {
		return f
	}
	f.source = regexp.MustCompile(`(?m)^package \w+`).ReplaceAllString(f.source, "package snippets") // so that several stand in one
	for _, name := range f.declares {
		if regexp.MustCompile(`^(Test|Example|Fuzz)([^a-z]|$)`).MatchString(name) {
			f.tests = append(f.tests, name)
		}
	}
	require.NotEmpty(t, f.tests, "%s: a file that is neither a program nor a test can't be run", s.place())
	return f
}

func parse(source string) (*ast.File, error) {
	return parser.ParseFile(token.NewFileSet(), "", source, 0)
}

func inFunction(statements string) string { return "package p\nfunc _() {\n" + statements + "\n}" }

func (s snippet) place() string { return fmt.Sprintf("%s:%d", s.document, s.line) }

// from makes what follows count as the document's, in what compilers and tests print.
func (s snippet) from() string {
	name, err := filepath.Abs(filepath.Join(root, s.document))
	if err != nil {
		name = s.document
	}
	return fmt.Sprintf("//line %s:%d\n", name, s.line)
}

// asTest makes a test of declarations or statements, with what setup and check add to either. Imports follow from the names of packages in use.
func (s snippet) asTest(t *testing.T, packages map[string]string) string {
	t.Helper()
	var declarations, statements string
	for _, part := range []string{s.setup, s.text, s.check} {
		if _, err := parse("package p\n" + part); err == nil {
			declarations += s.from() + part + "\n"
			continue
		}
		_, err := parse(inFunction(part))
		require.NoError(t, err, "%s: neither a file, nor declarations, nor statements:\n%s", s.place(), part)
		statements += s.from() + part + "\n"
	}
	name := regexp.MustCompile(`\W`).ReplaceAllString(strings.TrimSuffix(s.document, ".md"), "_")
	source := fmt.Sprintf("%s\nfunc Test_%s_line%d(t *testing.T) {\n%s}\n", declarations, name, s.line, asBody(t, statements))
	return "package snippets\n" + importsFor(t, source, packages) + source
}

// asBody makes statements fit for a test function: variables that they declare count as used, and an error that they return fails the test.
func asBody(t *testing.T, statements string) string {
	t.Helper()
	file, err := parse(inFunction(statements))
	require.NoError(t, err, "setup, snippet and check, one after another:\n%s", statements)
	body := file.Decls[0].(*ast.FuncDecl).Body
	for _, statement := range body.List {
		for _, name := range variables(statement) {
			statements += "_ = " + name + "\n"
		}
	}
	returns := false
	ast.Inspect(body, func(n ast.Node) bool {
		r, ok := n.(*ast.ReturnStmt)
		returns = returns || ok && len(r.Results) == 1
		_, function := n.(*ast.FuncLit)
		return !function
	})
	if returns {
		return "if err := func() error {\n" + statements + "return nil\n}(); err != nil {\nt.Fatal(err)\n}\n"
	}
	return statements
}

// variables lists those that a statement declares.
func variables(statement ast.Stmt) (names []string) {
	switch s := statement.(type) {
	case *ast.AssignStmt:
		for _, left := range s.Lhs {
			if name, ok := left.(*ast.Ident); ok && s.Tok == token.DEFINE && name.Name != "_" {
				names = append(names, name.Name)
			}
		}
	case *ast.DeclStmt:
		if s.Decl.(*ast.GenDecl).Tok == token.VAR {
			names = declaredBy(s.Decl)
		}
	}
	return names
}

func declared(file *ast.File) (names []string) {
	for _, decl := range file.Decls {
		names = append(names, declaredBy(decl)...)
	}
	return names
}

func declaredBy(decl ast.Decl) (names []string) {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil && d.Name.Name != "init" {
			names = append(names, d.Name.Name)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				names = append(names, s.Name.Name)
			case *ast.ValueSpec:
				for _, name := range s.Names {
					if name.Name != "_" {
						names = append(names, name.Name)
					}
				}
			}
		}
	}
	return names
}

// importsFor imports the packages that source names without declaring something of that name.
func importsFor(t *testing.T, source string, packages map[string]string) string {
	t.Helper()
	file, err := parse("package p\n" + source)
	require.NoError(t, err, source)
	unresolved := map[*ast.Ident]bool{}
	for _, name := range file.Unresolved {
		unresolved[name] = true
	}
	var lines []string
	ast.Inspect(file, func(n ast.Node) bool {
		if selector, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := selector.X.(*ast.Ident); ok && unresolved[x] && packages[x.Name] != "" {
				lines = append(lines, fmt.Sprintf("import %s %q\n", x.Name, packages[x.Name]))
			}
		}
		return true
	})
	slices.Sort(lines) // the same each time, for the build cache
	return strings.Join(slices.Compact(lines), "")
}

func importName(spec *ast.ImportSpec) string {
	if spec.Name != nil {
		return spec.Name.Name
	}
	name := strings.Trim(spec.Path.Value, `"`)
	if regexp.MustCompile(`/v\d+$`).MatchString(name) {
		name = path.Dir(name)
	}
	return path.Base(name)
}

// packageNames maps the names of packages that this module imports to their paths. Of two with one name the standard library's counts, then the shorter path.
func packageNames(t *testing.T) map[string]string {
	t.Helper()
	names := map[string]string{"clientcredentials": "golang.org/x/oauth2/clientcredentials"}
	rank := func(p string) int {
		if domain, _, _ := strings.Cut(p, "/"); strings.Contains(domain, ".") {
			return 1000 + len(p)
		}
		return len(p)
	}
	for _, s := range sources(t) {
		for _, spec := range s.ast.Imports {
			p, name := strings.Trim(spec.Path.Value, `"`), importName(spec)
			if names[name] == "" || rank(p) < rank(names[name]) {
				names[name] = p
			}
		}
	}
	return names
}
