package archtest

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// frontDoor are the names that a user meets first, as their examples are called: T_M is a method, T_word an example of one part of T.
var frontDoor = map[string][]string{
	"clientcreds": {
		"New", "Config_onFetch", "Fetch", "Error",
		"Source_Token", "Source_TokenContext", "Source_Transport", "Source_Client", "Source_For", "Source_Invalidate", "Source_Status", "Source_Diagnose",
		"ClientAuth", "SecretBasic", "SecretPost", "SecretJWT", "PrivateKeyJWT", "MutualTLS", "Assertion",
		"Secret", "FromFile", "FromEnv",
	},
	"resourceserver": {
		"New", "Config_onDecision", "Config_jwks", "Config_issuers", "Error",
		"Authenticator_Verify", "Authenticator_Admit", "Authenticator_Refuse", "BearerToken",
		"Authenticator_Require", "Authenticator_RequireRole", "Authenticator_RequireAnyRole", "Authenticator_RequireScope", "Authenticator_Optional",
		"Authenticator_NewMux", "Mux_Routes",
		"Authenticator_Warm", "Authenticator_Status", "Authenticator_Explain", "Authenticator_Forget",
		"Role", "AnyRole", "Scope", "Any", "All", "RuleFunc", "FromIssuer",
		"PrincipalFrom", "ContextWithPrincipal", "Principal_HasRole",
		"Claims", "Claims_Decode", "Claims_Strings", "NewClaims", "ParseClaims", "RolesFromClaim", "MergeRoles",
	},
	"keycloak": {"Realm", "Realm_ClientConfig", "Realm_ServerConfig", "RealmRoles", "ClientRoles"},
	"keycloak/keycloaktest": {
		"New", "NewServer", "Token",
		"Server_Token", "Server_BadTokens", "Server_ClientConfig", "Server_Requests",
		"Server_RotateKeys", "Server_RotateSecret", "Server_SetDown", "Server_SetTrouble",
	},
}

// TestFrontDoorHasExamples holds that each of these names has an example on its page of the documentation, and one that `go test` runs: an example without an
// output comment is only compiled.
func TestFrontDoorHasExamples(t *testing.T) {
	for folder, names := range frontDoor {
		t.Run(folder, func(t *testing.T) {
			examples := attachedExamples(t, folder)
			for _, name := range names {
				example := examples[name]
				if assert.NotNil(t, example, "%s has no Example%s, or what that names is not there", folder, name) {
					assert.NotEmpty(t, example.Output, "Example%s of %s is never run: it needs an // Output: comment", name, folder)
				}
			}
		})
	}
}

// attachedExamples are the examples that stand beside an exported function, type or method of a package, by the name of what they show.
func attachedExamples(t *testing.T, folder string) map[string]*doc.Example {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(root, folder, "*.go"))
	require.NoError(t, err)
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range names {
		file, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		require.NoError(t, err)
		files = append(files, file)
	}
	pkg, err := doc.NewFromFiles(fset, files, module+"/"+folder)
	require.NoError(t, err)

	attached := map[string]*doc.Example{}
	add := func(examples []*doc.Example) {
		for _, example := range examples {
			attached[example.Name] = example
		}
	}
	functions := func(all []*doc.Func) {
		for _, f := range all {
			add(f.Examples)
		}
	}
	functions(pkg.Funcs)
	for _, typ := range pkg.Types {
		add(typ.Examples)
		functions(typ.Funcs)
		functions(typ.Methods)
	}
	return attached
}
