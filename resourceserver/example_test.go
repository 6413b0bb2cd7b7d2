package resourceserver_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/svcauth/svcauth/resourceserver"
)

// call asks h as a client with this token would, and prints the answer.
func call(h http.Handler, method, path, token string) {
	r := httptest.NewRequest(method, path, nil)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	body, _ := io.ReadAll(w.Body)
	if w.Code != http.StatusOK {
		body = []byte(w.Header().Get("WWW-Authenticate"))
	}
	fmt.Println(w.Code, string(body))
}

// exampleAuth is New with keys at hand instead of an issuer's URL to fetch them from.
func exampleAuth() *resourceserver.Authenticator {
	auth, err := resourceserver.New(resourceserver.Config{
		Issuer:    "https://issuer.test/realms/sivalabs",
		Audiences: []string{"messages-service"},
		Roles:     resourceserver.RolesFromClaim("roles"),
		JWKS:      exampleKeys(),
		Logger:    discard,
	})
	if err != nil {
		panic(err)
	}
	return auth
}

func exampleKeys() []byte {
	return []byte(`{"keys":[` + string(keyFor("EdDSA").PublicJWK("sig")) + `]}`)
}

// exampleToken is what a client would get from the issuer.
func exampleToken(subject string, roles ...string) string {
	return sign(keyFor("EdDSA"), nil, good(claims{"sub": subject, "preferred_username": subject, "roles": roles}))
}

func ExampleAuthenticator_RequireAnyRole() {
	auth, err := resourceserver.New(resourceserver.Config{
		Issuer:    "https://issuer.test/realms/sivalabs",
		Audiences: []string{"messages-service"},
		Roles:     resourceserver.RolesFromClaim("roles"), // for Keycloak: keycloak.RealmRoles
		JWKS:      exampleKeys(),                          // left out, keys are fetched from the issuer
		Logger:    discard,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	archive := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller, _ := resourceserver.PrincipalFrom(r.Context())
		fmt.Fprintf(w, "archived for %s", caller.Username)
	})
	mux := http.NewServeMux()
	mux.Handle("POST /api/messages/archive", auth.RequireAnyRole("ADMIN", "ADMIN_JOB")(archive))

	call(mux, "POST", "/api/messages/archive", exampleToken("admin", "ADMIN"))
	call(mux, "POST", "/api/messages/archive", exampleToken("siva", "USER"))
	call(mux, "POST", "/api/messages/archive", "")
	// Output:
	// 200 archived for admin
	// 403 Bearer error="insufficient_scope", error_description="the request requires higher privileges than provided by the access token"
	// 401 Bearer
}

func ExampleAuthenticator_NewMux() {
	say := func(text string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) })
	}
	routes := exampleAuth().NewMux()
	routes.Public("GET /api/messages", say("all messages"))
	routes.Handle("POST /api/messages", say("created"))
	routes.Handle("POST /api/messages/archive", say("archived"), resourceserver.AnyRole("ADMIN", "ADMIN_JOB"))

	call(routes, "GET", "/api/messages", "")
	call(routes, "POST", "/api/messages", exampleToken("siva"))
	call(routes, "GET", "/api/unlisted", "")
	for _, route := range routes.Routes() {
		fmt.Println(route.Pattern, "-", route.Rule)
	}
	// Output:
	// 200 all messages
	// 200 created
	// 401 Bearer
	// GET /api/messages - public
	// POST /api/messages - any valid token
	// POST /api/messages/archive - any role of ADMIN, ADMIN_JOB
}

func ExampleAuthenticator_Optional() {
	greet := exampleAuth().Optional()(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if caller, ok := resourceserver.PrincipalFrom(r.Context()); ok {
			fmt.Fprintf(w, "welcome back, %s", caller.Username)
			return
		}
		fmt.Fprint(w, "welcome, guest")
	}))
	call(greet, "GET", "/", "")
	call(greet, "GET", "/", exampleToken("siva"))
	call(greet, "GET", "/", "garbage")
	// Output:
	// 200 welcome, guest
	// 200 welcome back, siva
	// 401 Bearer error="invalid_token", error_description="the token is malformed"
}

// Transports other than net/http call Verify, and check rules themselves.
func ExampleAuthenticator_Verify() {
	auth := exampleAuth()
	handle := func(ctx context.Context, authorization []string) error {
		token, err := resourceserver.BearerToken(authorization)
		if err != nil {
			return err
		}
		caller, err := auth.Verify(ctx, token)
		if err != nil {
			return err
		}
		if err := resourceserver.Role("ADMIN").Check(nil, caller); err != nil {
			return err
		}
		fmt.Println("hello", caller.Username)
		return nil
	}
	fmt.Println(handle(context.Background(), []string{"Bearer " + exampleToken("admin", "ADMIN")}))
	fmt.Println(handle(context.Background(), []string{"Bearer " + exampleToken("siva", "USER")}))
	fmt.Println(handle(context.Background(), nil))
	// Output:
	// hello admin
	// <nil>
	// resourceserver: the request requires higher privileges than provided by the access token (missing_role)
	// resourceserver: no bearer token in the request (missing_token)
}

func ExampleAuthenticator_Explain() {
	auth := exampleAuth()
	token := sign(keyFor("EdDSA"), nil, good(claims{"aud": "account"}))
	x := auth.Explain(context.Background(), token)
	fmt.Println(x.Accepted, x.Reason)
	for _, step := range x.Steps {
		if step.Outcome == resourceserver.Refused {
			fmt.Printf("%s: want %s, got %s\n", step.Check, step.Expected, step.Got)
		}
	}
	fmt.Println(x.Hint)
	// Output:
	// false audience_mismatch
	// audience: want messages-service, got "[account]"
	// aud is [account]: in Keycloak add an Audience mapper for messages-service to the calling client or to a client scope of it
}

// A test of a handler needs no token: it puts the principal where the middleware would.
func ExampleContextWithPrincipal() {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller, _ := resourceserver.PrincipalFrom(r.Context())
		fmt.Fprintf(w, "%s may archive: %t", caller.Username, caller.HasRole("ADMIN"))
	})
	r := httptest.NewRequest("GET", "/", nil)
	caller := &resourceserver.Principal{Username: "siva", Roles: []string{"ADMIN"}}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r.WithContext(resourceserver.ContextWithPrincipal(r.Context(), caller)))
	fmt.Println(w.Body)
	// Output: siva may archive: true
}

// Two realms, each with its own keys and names. A rule about a client says whose client it is.
func ExampleFromIssuer() {
	const staff, partners = "https://issuer.test/realms/staff", "https://issuer.test/realms/partners"
	auth, err := resourceserver.New(resourceserver.Config{
		Logger: discard,
		Issuers: []resourceserver.Config{
			{Issuer: staff, Audiences: []string{"messages-service"}, JWKS: exampleKeys()},
			{Issuer: partners, Audiences: []string{"messages-api"}, JWKS: exampleKeys()},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	h := auth.Require(resourceserver.FromIssuer(staff, resourceserver.Client("archival-service")))(ok)
	call(h, "GET", "/", sign(keyFor("EdDSA"), nil, good(claims{"iss": staff})))
	call(h, "GET", "/", sign(keyFor("EdDSA"), nil, good(claims{"iss": partners, "aud": "messages-api"})))
	// Output:
	// 200 ok
	// 403 Bearer error="insufficient_scope", error_description="the request requires higher privileges than provided by the access token"
}

// Each argument is one whole name, so dots and slashes in a name need no escape.
func ExampleRolesFromClaim() {
	claims := resourceserver.NewClaims(map[string]any{
		"https://example.com/roles": []string{"ADMIN"},
		"resource_access":           map[string]any{"messages.service": map[string]any{"roles": []string{"WRITER"}}},
	})
	flat := resourceserver.RolesFromClaim("https://example.com/roles")
	nested := resourceserver.RolesFromClaim("resource_access", "messages.service", "roles")
	fmt.Println(resourceserver.MergeRoles(flat, nested)(claims))
	// Output: [ADMIN WRITER]
}

// A person may read what is theirs. The rule names the empty case: a token without sub and a document without an owner are both "", and equal to each other.
func ExampleRuleFunc() {
	owners := map[string]string{"1": "siva", "2": ""}
	owner := resourceserver.RuleFunc("owner of the document", func(r *http.Request, p *resourceserver.Principal) bool {
		if r == nil || p.Subject == "" {
			return false
		}
		return owners[r.PathValue("id")] == p.Subject
	})
	routes := exampleAuth().NewMux()
	routes.Handle("GET /documents/{id}", ok, resourceserver.Any(owner, resourceserver.Role("ADMIN")))

	call(routes, "GET", "/documents/1", exampleToken("siva"))
	call(routes, "GET", "/documents/2", exampleToken("")) // nobody's document for nobody
	call(routes, "GET", "/documents/3", exampleToken("")) // no document at all
	call(routes, "GET", "/documents/2", exampleToken("admin", "ADMIN"))
	// Output:
	// 200 ok
	// 403 Bearer error="insufficient_scope", error_description="the request requires higher privileges than provided by the access token"
	// 403 Bearer error="insufficient_scope", error_description="the request requires higher privileges than provided by the access token"
	// 200 ok
}
