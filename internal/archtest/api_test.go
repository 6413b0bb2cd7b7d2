package archtest

import (
	"bytes"
	"flag"
	"go/ast"
	"go/doc"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write what the packages export to testdata/api")

// TestExportedAPI holds every exported name and shape against testdata/api, so that none changes by accident. Where a change is meant, `go test
// ./internal/archtest -run ExportedAPI -update` writes it down: a line that only came is an addition, one that went or changed breaks users.
func TestExportedAPI(t *testing.T) {
	for _, folder := range []string{"clientcreds", "resourceserver", "keycloak", "keycloak/keycloaktest"} {
		t.Run(folder, func(t *testing.T) {
			golden := filepath.Join("testdata", "api", strings.ReplaceAll(folder, "/", "-")+".txt")
			got := exported(t, folder)
			if *update {
				require.NoError(t, os.MkdirAll(filepath.Dir(golden), 0o755))
				require.NoError(t, os.WriteFile(golden, []byte(got), 0o600))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			assert.Equal(t, strings.Split(string(want), "\n"), strings.Split(got, "\n"), "the exported names of %s changed; if that is meant, see this test's comment", folder)
		})
	}
}

// exported returns the declarations of a package that others can see, without their comments and bodies.
func exported(t *testing.T, folder string) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(root, folder, "*.go"))
	require.NoError(t, err)
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range names {
		if !strings.HasSuffix(name, "_test.go") {
			file, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
			require.NoError(t, err)
			files = append(files, file)
		}
	}
	pkg, err := doc.NewFromFiles(fset, files, module+"/"+folder)
	require.NoError(t, err)
	var b bytes.Buffer
	write := func(decl ast.Decl) {
		bare(decl)
		require.NoError(t, format.Node(&b, token.NewFileSet(), decl))
		b.WriteString("\n")
	}
	values := func(all []*doc.Value) {
		for _, v := range all {
			write(v.Decl)
		}
	}
	functions := func(all []*doc.Func) {
		for _, f := range all {
			write(f.Decl)
		}
	}
	values(pkg.Consts)
	values(pkg.Vars)
	functions(pkg.Funcs)
	for _, typ := range pkg.Types {
		write(typ.Decl)
		values(typ.Consts)
		values(typ.Vars)
		functions(typ.Funcs)
		functions(typ.Methods)
	}
	return b.String()
}

// bare removes comments, bodies, and the values of variables, which are no part of the shape.
func bare(decl ast.Decl) {
	ast.Inspect(decl, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			n.Doc, n.Body = nil, nil
		case *ast.GenDecl:
			n.Doc = nil
		case *ast.Field:
			n.Doc, n.Comment = nil, nil
		case *ast.ValueSpec:
			n.Doc, n.Comment = nil, nil
			if gen, ok := decl.(*ast.GenDecl); ok && gen.Tok == token.VAR {
				n.Values = nil
			}
		case *ast.TypeSpec:
			n.Doc, n.Comment = nil, nil
		}
		return true
	})
}
