package resourceserver_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	rs "github.com/svcauth/svcauth/resourceserver"
)

// TestAnswers holds status, challenge and body for each kind of answer.
func TestAnswers(t *testing.T) {
	f := newFakeIssuer(keyFor("EdDSA"))
	auth := newAuth(t, f.config())
	admin := "Bearer " + goodToken()
	user := "Bearer " + sign(keyFor("EdDSA"), nil, good(claims{"roles": []string{"USER"}}))
	const higher = `error="insufficient_scope", error_description="the request requires higher privileges than provided by the access token"`

	for _, c := range []struct {
		name, authorization string
		protect             func(http.Handler) http.Handler
		status              int
		challenge           string
	}{
		{"any valid token", admin, auth.Require(), 200, ""},
		{"role held", admin, auth.RequireRole("ADMIN"), 200, ""},
		{"one of the roles held", user, auth.RequireAnyRole("ADMIN", "USER"), 200, ""},
		{"scope held", user, auth.RequireScope("profile"), 200, ""},
		{"optional, with a token", admin, auth.Optional(), 200, ""},
		{"optional, without", "", auth.Optional(), 200, ""},
		{"optional, another scheme", "Basic eDp5", auth.Optional(), 200, ""},

		{"no token", "", auth.Require(), 401, `Bearer`},
		{"another scheme", "Basic eDp5", auth.Require(), 401, `Bearer`},
		{"DPoP scheme", "DPoP " + goodToken(), auth.Require(), 401, `Bearer`},
		{"a bare token", goodToken(), auth.Require(), 401, `Bearer`},
		{"only the scheme", "Bearer", auth.Require(), 401, `Bearer error="invalid_token", error_description="the Authorization header is malformed"`},
		{"two tokens", admin + " x", auth.Require(), 401, `Bearer error="invalid_token", error_description="the Authorization header is malformed"`},
		{"garbage", "Bearer garbage", auth.Require(), 401, `Bearer error="invalid_token", error_description="the token is malformed"`},
		{"garbage for a role", "Bearer garbage", auth.RequireRole("ADMIN"), 401, `Bearer error="invalid_token", error_description="the token is malformed"`},
		{"optional, garbage", "Bearer garbage", auth.Optional(), 401, `Bearer error="invalid_token", error_description="the token is malformed"`},
		{"role lacking", user, auth.RequireRole("ADMIN"), 403, `Bearer ` + higher},
		{"all roles lacking", user, auth.RequireAnyRole("ADMIN", "ADMIN_JOB"), 403, `Bearer ` + higher},
		{"scope lacking", user, auth.RequireScope("messages:write"), 403, `Bearer ` + higher + `, scope="messages:write"`},
		{"second rule lacking", admin, auth.Require(rs.Role("ADMIN"), rs.Scope("x")), 403, `Bearer ` + higher + `, scope="x"`},
		{"own rule", admin, auth.Require(rs.RuleFunc("never", func(*http.Request, *rs.Principal) bool { return false })), 403, `Bearer ` + higher},
		{"a rule with an error of its own", admin, auth.Require(failing{}), 403, `Bearer ` + higher},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := get(c.protect(ok), c.authorization)
			require.Equal(t, c.status, w.Code)
			assert.Equal(t, c.challenge, w.Header().Get("WWW-Authenticate"))
			if c.status == 200 {
				assert.Equal(t, "ok", w.Body.String())
				return
			}
			assert.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
			assert.Equal(t, "no-store", w.Header().Get("Cache-Control"))
			var problem struct {
				Type, Title, Detail string
				Status              int
			}
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &problem))
			assert.Equal(t, c.status, problem.Status)
			assert.Equal(t, http.StatusText(c.status), problem.Title)
			assert.NotEmpty(t, problem.Detail)
			assert.NotContains(t, w.Body.String(), "ADMIN", "the answer names no role")
		})
	}
}

type failing struct{}

func (failing) Check(*http.Request, *rs.Principal) error {
	return errors.New("database password is hunter2")
}
func (failing) String() string { return "failing" }

func TestTwoAuthorizationFields(t *testing.T) {
	auth := newAuth(t, newFakeIssuer(keyFor("EdDSA")).config())
	for _, protect := range []func(http.Handler) http.Handler{auth.Require(), auth.Optional()} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header["Authorization"] = []string{"Bearer " + goodToken(), "Bearer " + goodToken()}
		w := httptest.NewRecorder()
		protect(ok).ServeHTTP(w, r)
		assert.Equal(t, 400, w.Code)
		assert.Equal(t, `Bearer error="invalid_request", error_description="more than one Authorization header in the request"`, w.Header().Get("WWW-Authenticate"))
	}
}

func TestTokensElsewhereAreIgnored(t *testing.T) {
	auth := newAuth(t, newFakeIssuer(keyFor("EdDSA")).config())
	r := httptest.NewRequest("POST", "/?access_token="+goodToken(), strings.NewReader("access_token="+goodToken()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Cookie", "access_token="+goodToken())
	r.Header.Set("X-Access-Token", goodToken())
	r.Header.Set("Proxy-Authorization", "Bearer "+goodToken())
	w := httptest.NewRecorder()
	auth.Require()(ok).ServeHTTP(w, r)
	assert.Equal(t, 401, w.Code)
	assert.Equal(t, "Bearer", w.Header().Get("WWW-Authenticate"))
}

func TestKeysUnavailableIs503(t *testing.T) {
	f := newFakeIssuer(keyFor("EdDSA"))
	f.down()
	h := newAuth(t, f.config()).RequireRole("ADMIN")(ok)
	w := get(h, "Bearer "+goodToken())
	assert.Equal(t, 503, w.Code)
	assert.Equal(t, "1", w.Header().Get("Retry-After"))
	assert.Empty(t, w.Header().Get("WWW-Authenticate"))
	assert.NotContains(t, w.Body.String(), "invalid_token")
	assert.Equal(t, 401, get(h, "").Code, "without a token nothing is asked of the issuer")
	assert.Equal(t, 401, get(h, "Bearer garbage").Code)
}

func TestPrincipalInHandler(t *testing.T) {
	auth := newAuth(t, newFakeIssuer(keyFor("EdDSA")).config())
	greet := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, found := rs.PrincipalFrom(r.Context())
		if !found {
			fmt.Fprint(w, "nobody")
			return
		}
		fmt.Fprint(w, p.Username)
	})
	bearer := "Bearer " + goodToken()
	assert.Equal(t, "siva", get(auth.Require()(greet), bearer).Body.String())
	assert.Equal(t, "siva", get(auth.Optional()(greet), bearer).Body.String())
	assert.Equal(t, "nobody", get(auth.Optional()(greet), "").Body.String())

	// A principal that something put into the context before is neither believed nor seen.
	forged := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(w, r.WithContext(rs.ContextWithPrincipal(r.Context(), &rs.Principal{Username: "forged", Roles: []string{"ADMIN"}})))
		})
	}
	assert.Equal(t, "nobody", get(forged(auth.Optional()(greet)), "").Body.String())
	assert.Equal(t, "siva", get(forged(auth.Require()(greet)), bearer).Body.String())
	user := "Bearer " + sign(keyFor("EdDSA"), nil, good(claims{"roles": []string{"USER"}}))
	assert.Equal(t, 403, get(forged(auth.RequireRole("ADMIN")(greet)), user).Code)
	assert.Equal(t, 403, get(auth.Require()(forged(auth.RequireRole("ADMIN")(greet))), user).Code)
	assert.Equal(t, "forged", get(forged(greet), "").Body.String(), "without middleware it is what a handler test put there")
}

func TestNestedMiddlewareVerifiesOnce(t *testing.T) {
	f := newFakeIssuer(keyFor("EdDSA"))
	c := f.config()
	c.DisableCache = true // or the counts below would be its doing
	counting := 0
	c.Roles = func(rs.Claims) []string { counting++; return []string{"ADMIN"} }
	auth, second := newAuth(t, c), newAuth(t, c)
	bearer := "Bearer " + goodToken()

	require.Equal(t, 200, get(auth.Require()(auth.Optional()(auth.RequireRole("ADMIN")(ok))), bearer).Code)
	assert.Equal(t, 1, counting)

	counting = 0
	require.Equal(t, 200, get(auth.Require()(second.RequireRole("ADMIN")(ok)), bearer).Code)
	assert.Equal(t, 2, counting, "another authenticator verifies anew")

	swap := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Header.Set("Authorization", "Bearer garbage")
			next.ServeHTTP(w, r)
		})
	}
	assert.Equal(t, 401, get(auth.Require()(swap(auth.Require()(ok))), bearer).Code, "a changed header is verified anew")
	drop := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Header.Del("Authorization")
			next.ServeHTTP(w, r)
		})
	}
	assert.Equal(t, 401, get(auth.Require()(drop(auth.Require()(ok))), bearer).Code)
	add := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Header.Add("Authorization", "Bearer garbage")
			next.ServeHTTP(w, r)
		})
	}
	assert.Equal(t, 400, get(auth.Require()(add(auth.Require()(ok))), bearer).Code, "a second field is seen")
	empty := httptest.NewRequest("GET", "/", nil)
	empty.Header["Authorization"] = []string{""}
	w := httptest.NewRecorder()
	auth.Optional()(auth.Require()(ok)).ServeHTTP(w, empty)
	assert.Equal(t, 401, w.Code, "Optional let nobody through, and nobody is not verified")
	mutate := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			p, _ := rs.PrincipalFrom(r.Context())
			p.Username, p.Roles = "root", []string{"ROOT"}
			next.ServeHTTP(w, r)
		})
	}
	seen := ""
	see := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { p, _ := rs.PrincipalFrom(r.Context()); seen = p.Username })
	require.Equal(t, 403, get(auth.Require()(mutate(auth.RequireRole("ROOT")(ok))), bearer).Code)
	get(auth.Require()(mutate(auth.Require()(see))), bearer)
	assert.Equal(t, "siva", seen, "inner middleware hands out what was verified")
}

func TestRefuse(t *testing.T) {
	var decisions []rs.Decision
	c := newFakeIssuer(keyFor("EdDSA")).config()
	c.OnDecision = func(_ context.Context, d rs.Decision) { decisions = append(decisions, d) }
	auth := newAuth(t, c)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, err := rs.BearerToken(r.Header["Authorization"])
		if err != nil {
			auth.Refuse(w, r, err)
			return
		}
		p, err := auth.Verify(r.Context(), token)
		if err != nil {
			auth.Refuse(w, r, err)
			return
		}
		if err := rs.Role("ROOT").Check(r, p); err != nil {
			auth.Refuse(w, r, err)
		}
	})
	for _, authorization := range []string{"", "Bearer garbage", "Bearer " + goodToken()} {
		byHand, byMiddleware := get(h, authorization), get(auth.RequireRole("ROOT")(ok), authorization)
		assert.Equal(t, byMiddleware.Code, byHand.Code)
		assert.Equal(t, byMiddleware.Header(), byHand.Header())
		assert.Equal(t, byMiddleware.Body.String(), byHand.Body.String())
	}
	require.Len(t, decisions, 6)
	for i := 0; i < 6; i += 2 {
		assert.Equal(t, decisions[i], decisions[i+1])
	}
	get(auth.Require()(ok), "Bearer "+goodToken())
	assert.Equal(t, rs.Decision{Allowed: true, Status: 200, Issuer: issuerName, ClientID: "archival-service"}, decisions[6])
	get(auth.Optional()(ok), "")
	get(auth.Optional()(ok), "Bearer "+goodToken())
	assert.Equal(t, rs.Decision{Allowed: true, Status: 200}, decisions[7])
	assert.Equal(t, decisions[6], decisions[8])
	w := httptest.NewRecorder()
	auth.Refuse(w, httptest.NewRequest("GET", "/", nil), errors.New("something"))
	assert.Equal(t, 403, w.Code)
	assert.NotContains(t, w.Body.String(), "something")
}

func TestWriteError(t *testing.T) {
	c := newFakeIssuer(keyFor("EdDSA")).config()
	c.WriteError = func(w http.ResponseWriter, _ *http.Request, e *rs.Error) {
		w.WriteHeader(e.Status)
		fmt.Fprintf(w, "%s|%s", e.Reason, w.Header().Get("WWW-Authenticate"))
	}
	w := get(newAuth(t, c).Require()(ok), "")
	assert.Equal(t, 401, w.Code)
	assert.Equal(t, "missing_token|Bearer", w.Body.String())
}

func TestDenialsAreLogged(t *testing.T) {
	var book logBook
	c := newFakeIssuer(keyFor("EdDSA")).config()
	c.Logger = book.logger()
	auth := newAuth(t, c)
	token := sign(keyFor("EdDSA"), nil, good(claims{"aud": "account"}))
	for range 500 {
		require.Equal(t, 401, get(auth.Require()(ok), "Bearer "+token).Code)
	}
	require.Equal(t, 403, get(auth.RequireRole("ROOT")(ok), "Bearer "+goodToken()).Code)
	records := book.records(t, "request refused")
	first := records[0]
	assert.Equal(t, "audience_mismatch", first["reason"])
	assert.Equal(t, audience, first["expected"])
	assert.Equal(t, "[account]", first["unverified"].(map[string]any)["got"])
	assert.Contains(t, first["hint"], "aud is [account]: in Keycloak add an Audience mapper for messages-service")
	last := records[len(records)-1]
	assert.Equal(t, "missing_role", last["reason"], "one reason's flood does not drown another")
	assert.Equal(t, "role ROOT", last["expected"])
	assert.Less(t, len(records), 100)
	for _, secret := range strings.Split(token, ".") {
		assert.NotContains(t, book.text(), secret)
	}
}

func TestLogIsBounded(t *testing.T) {
	var book logBook
	c := newFakeIssuer(keyFor("EdDSA")).config()
	c.Logger = book.logger()
	auth := newAuth(t, c)
	long := strings.Repeat("x\n", 2000)
	get(auth.Require()(ok), "Bearer "+sign(keyFor("EdDSA"), nil, good(claims{"iss": long})))
	ask(auth.Require()(ok), "GET", "/"+strings.Repeat("a", 9000), "")
	assert.Less(t, len(book.text()), 1500)
	records := book.records(t, "request refused")
	require.Len(t, records, 2)
	assert.Contains(t, records[0]["unverified"].(map[string]any)["got"], `x\nx\n`, "no handler can be made to begin a line")
}

// TestKeyIDsBreakNoLine is for issuers, whose key ids stand in the log too.
func TestKeyIDsBreakNoLine(t *testing.T) {
	var book logBook
	key := keyFor("EdDSA")
	f := newFakeIssuer()
	f.publishRaw(`{"keys":[` + jwkWith(key, map[string]any{"kid": "a\nlevel=ERROR"}) + `,{"kty":"oct","kid":"b\nlevel=ERROR","k":"AA"}]}`)
	c := f.config()
	c.Logger = book.logger()
	require.Equal(t, 401, get(newAuth(t, c).Require()(ok), "Bearer "+goodToken()).Code)
	assert.Contains(t, book.text(), "level=ERROR")
	assert.NotRegexp(t, `[^\\]\\nlevel`, book.text(), "a line break, as the handler encodes it")
}

// TestLogIsBoundedInEverySecond holds that the bound is for any second, not for those of the clock.
func TestLogIsBoundedInEverySecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var book logBook
		c := newFakeIssuer(keyFor("EdDSA")).config()
		c.Logger = book.logger()
		h := newAuth(t, c).Require()(ok)
		time.Sleep(900 * time.Millisecond) // virtual time begins with a whole second
		for range 5 {
			for range 20 {
				get(h, "")
			}
			time.Sleep(199 * time.Millisecond)
		}
		assert.Len(t, book.records(t, "request refused"), 10)
		time.Sleep(10 * time.Millisecond)
		get(h, "")
		records := book.records(t, "request refused")
		require.Len(t, records, 11)
		assert.InDelta(t, 90, records[10]["left_out"], 0)
	})
}

func TestConstructionMistakesPanic(t *testing.T) {
	auth := newAuth(t, newFakeIssuer(keyFor("EdDSA")).config())
	c := newFakeIssuer(keyFor("EdDSA")).config()
	c.Roles = nil
	roleless := newAuth(t, c)
	for name, mistake := range map[string]func(){
		"empty role":                    func() { auth.RequireRole("") },
		"no roles":                      func() { auth.RequireAnyRole() },
		"an empty role among others":    func() { auth.RequireAnyRole("ADMIN", "") },
		"empty scope":                   func() { auth.RequireScope("") },
		"two scopes":                    func() { auth.RequireScope("a b") },
		"a scope with a quote":          func() { auth.RequireScope(`a"`) },
		"nil rule":                      func() { auth.Require(nil) },
		"Any of nothing":                func() { rs.Any() },
		"All of nil":                    func() { rs.All(nil) },
		"a rule without a name":         func() { rs.RuleFunc("", func(*http.Request, *rs.Principal) bool { return true }) },
		"a rule without a function":     func() { rs.RuleFunc("x", nil) },
		"role without a mapper":         func() { roleless.RequireRole("ADMIN") },
		"role without a mapper, deep":   func() { roleless.Require(rs.Any(rs.Scope("x"), rs.All(rs.Role("ADMIN")))) },
		"role without a mapper, in mux": func() { roleless.NewMux().Handle("/", ok, rs.Role("ADMIN")) },
		"nil handler":                   func() { auth.Require()(nil) },
		"nil handler, optional":         func() { auth.Optional()(nil) },
		"nil handler in mux":            func() { auth.NewMux().Handle("/", nil) },
		"nil function in mux":           func() { auth.NewMux().HandleFunc("/", nil) },
		"roles from nowhere":            func() { rs.RolesFromClaim() },
		"roles from an empty name":      func() { rs.RolesFromClaim("a", "") },
		"merging nothing":               func() { rs.MergeRoles() },
		"merging nil":                   func() { rs.MergeRoles(nil) },
	} {
		t.Run(name, func(t *testing.T) { assert.Panics(t, mistake) })
	}
}

func TestRules(t *testing.T) {
	p := &rs.Principal{Roles: []string{"A", "B"}, Scopes: []string{"s"}}
	even := rs.RuleFunc("even", func(r *http.Request, _ *rs.Principal) bool { return r == nil })
	for _, c := range []struct {
		rule  rs.Rule
		holds bool
		text  string
	}{
		{rs.Role("A"), true, "role A"},
		{rs.Role("C"), false, "role C"},
		{rs.AnyRole("C", "B"), true, "any role of C, B"},
		{rs.Scope("s"), true, "scope s"},
		{rs.Scope("t"), false, "scope t"},
		{rs.Any(rs.Role("C"), rs.Scope("s")), true, "any of (role C; scope s)"},
		{rs.Any(rs.Role("C"), rs.Scope("t")), false, "any of (role C; scope t)"},
		{rs.All(rs.Role("A"), rs.Scope("s")), true, "all of (role A; scope s)"},
		{rs.All(rs.Role("A"), rs.Scope("t")), false, "all of (role A; scope t)"},
		{even, true, "even"},
	} {
		t.Run(c.text, func(t *testing.T) {
			assert.Equal(t, c.text, c.rule.String())
			if err := c.rule.Check(nil, p); c.holds {
				assert.NoError(t, err)
			} else {
				var refused *rs.Error
				require.ErrorAs(t, err, &refused)
				assert.Equal(t, 403, refused.Status)
			}
			assert.Error(t, c.rule.Check(nil, nil), "nobody passes no rule")
		})
	}
}

// TestAnyRefusedNamesAll holds that the log does not tell the first alternative alone.
func TestAnyRefusedNamesAll(t *testing.T) {
	var book logBook
	c := newFakeIssuer(keyFor("EdDSA")).config()
	c.Logger = book.logger()
	owner := rs.RuleFunc("owner", func(*http.Request, *rs.Principal) bool { return false })
	require.Equal(t, 403, get(newAuth(t, c).Require(rs.Any(owner, rs.Role("SUPER")))(ok), "Bearer "+goodToken()).Code)
	record := book.records(t, "request refused")[0]
	assert.Equal(t, "any of (owner; role SUPER)", record["expected"])
	assert.NotEmpty(t, record["hint"], "that of the role")
	assert.NotEmpty(t, record["caller"].(map[string]any)["has"])
}

func TestRefusalTakesNoLongerThanTheCaller(t *testing.T) {
	f := newFakeIssuer(keyFor("EdDSA"))
	f.respond(func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() })
	auth := newAuth(t, f.config())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := auth.Verify(ctx, goodToken())
	require.ErrorIs(t, err, context.Canceled)
	var refused *rs.Error
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, rs.ReasonRequestAbandoned, refused.Reason)
	assert.Equal(t, time.Second, refused.RetryAfter)
}

// TestMemoEndsWithTheToken holds that nested middleware on a request that lives long does not accept what has expired.
func TestMemoEndsWithTheToken(t *testing.T) {
	keyFor("EdDSA")
	synctest.Test(t, func(t *testing.T) {
		auth := newAuth(t, newFakeIssuer(keyFor("EdDSA")).config())
		later := func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { time.Sleep(2 * time.Hour); next.ServeHTTP(w, r) })
		}
		assert.Equal(t, 401, get(auth.Require()(later(auth.Require()(ok))), "Bearer "+goodToken()).Code)
	})
}

func TestRequestContextPrintsNoToken(t *testing.T) {
	auth := newAuth(t, newFakeIssuer(keyFor("EdDSA")).config())
	token := goodToken()
	h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		derived, cancel := context.WithCancel(context.WithValue(r.Context(), struct{ x int }{}, "v"))
		defer cancel()
		for _, ctx := range []context.Context{r.Context(), derived} {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
				assert.NotContains(t, fmt.Sprintf(verb, ctx), token[:40], verb)
			}
		}
	})
	get(auth.Require()(h), "Bearer "+token)
}

// TestHandMadeErrors holds that Refuse and custom rules can't be talked into another answer than a refusal in shape.
func TestHandMadeErrors(t *testing.T) {
	auth := newAuth(t, newFakeIssuer(keyFor("EdDSA")).config())
	for name, c := range map[string]struct {
		err    error
		status int
	}{
		"nil":                        {nil, 403},
		"a nil *Error":               {(*rs.Error)(nil), 403},
		"an empty Error":             {&rs.Error{}, 403},
		"a reason of one's own":      {&rs.Error{Reason: "mine", Status: 200}, 403},
		"a status that lets through": {&rs.Error{Reason: rs.ReasonMissingRole, Status: 200}, 403},
		"a description with a quote": {&rs.Error{Reason: rs.ReasonExpired, Status: 401, Code: "invalid_token", Description: "a\", x=\"b"}, 401},
		"only a reason":              {&rs.Error{Reason: rs.ReasonKeysUnavailable}, 503},
		"a wrapped one":              {fmt.Errorf("while saving: %w", &rs.Error{Reason: rs.ReasonExpired}), 401},
	} {
		t.Run(name, func(t *testing.T) {
			w := httptest.NewRecorder()
			auth.Refuse(w, httptest.NewRequest(http.MethodGet, "/", nil), c.err)
			assert.Equal(t, c.status, w.Code)
			assert.NotContains(t, w.Header().Get("WWW-Authenticate"), "x=")
		})
	}
}

func TestCustomRuleIsLogged(t *testing.T) {
	var book logBook
	c := newFakeIssuer(keyFor("EdDSA")).config()
	c.Logger = book.logger()
	require.Equal(t, 403, get(newAuth(t, c).Require(suspended{})(ok), "Bearer "+goodToken()).Code)
	record := book.records(t, "request refused")[0]
	assert.Equal(t, "rule_not_met", record["reason"])
	assert.Equal(t, "tenant in good standing", record["expected"])
	assert.Equal(t, map[string]any{"client": "archival-service", "username": "siva", "subject": "b1c5", "has": "tenant is suspended"}, record["caller"])
}

type suspended struct{}

func (suspended) Check(*http.Request, *rs.Principal) error { return errors.New("tenant is suspended") }
func (suspended) String() string                           { return "tenant in good standing" }

// TestHintsFitTheCase holds that the mend in the log is that of the mistake at hand.
func TestHintsFitTheCase(t *testing.T) {
	for name, c := range map[string]struct {
		token claims
		want  string
	}{
		"a slash more":          {claims{"iss": issuerName + "/"}, "differ by the slash at the end"},
		"another realm":         {claims{"iss": "https://issuer.test/realms/other"}, "another realm of the same server"},
		"another host":          {claims{"iss": "http://keycloak:8080/realms/sivalabs"}, "KC_HOSTNAME"},
		"no iss":                {claims{"iss": absent}, "the token has no iss"},
		"audience":              {claims{"aud": "account"}, "add an Audience mapper for messages-service"},
		"no audience":           {claims{"aud": absent}, "the token has no aud"},
		"an ID token":           {claims{"aud": "webapp", "typ": "ID"}, "send the access_token"},
		"no roles":              {claims{"roles": absent}, "the token holds no roles at all"},
		"client roles only":     {claims{"roles": absent, "resource_access": claims{"b": claims{}, "a": claims{}}}, "client roles of [a b]"},
		"client role":           {claims{"resource_access": claims{"a": claims{"roles": "ADMIN"}, "b": claims{"roles": []any{1, "ADMIN"}}}, "roles": []string{"USER"}}, `ADMIN is a client role of [b]: if it should count, merge keycloak.ClientRoles("b")`},
		"Spring's client role":  {claims{"resource_access": claims{"a": claims{"roles": []string{"USER", "ROLE_ADMIN"}}}, "roles": absent}, `ROLE_ADMIN is a client role of [a]`},
		"odd client":            {claims{"resource_access": claims{"a\n" + strings.Repeat("x", 500): claims{"roles": []string{"ADMIN"}}}, "roles": absent}, `ADMIN is a client role of [a\nxxx`},
		"roles, but other ones": {claims{"roles": []string{"admin"}}, "names compare exactly"},
		"client of another":     {claims{"roles": []string{"USER"}, "resource_access": claims{"a": claims{"roles": []string{"Admin"}}}}, "assign the role to the user"},
	} {
		t.Run(name, func(t *testing.T) {
			var book logBook
			config := newFakeIssuer(keyFor("EdDSA")).config()
			config.Logger = book.logger()
			get(newAuth(t, config).RequireRole("ADMIN")(ok), "Bearer "+sign(keyFor("EdDSA"), nil, good(c.token)))
			hint, _ := book.records(t, "request refused")[0]["hint"].(string)
			assert.Contains(t, hint, c.want)
			assert.Less(t, len(hint), 400)
		})
	}
}

// TestMalformedHeaderHasAHint holds so for both ways in which the header is read.
func TestMalformedHeaderHasAHint(t *testing.T) {
	var book logBook
	config := newFakeIssuer(keyFor("EdDSA")).config()
	config.Logger = book.logger()
	h := newAuth(t, config).Require()(ok)
	for _, value := range []string{"Bearer ", `Bearer "x"`, "Bearer a, b"} {
		get(h, value)
	}
	records := book.records(t, "request refused")
	require.Len(t, records, 3)
	for _, record := range records {
		assert.Contains(t, record["hint"], "variable of the client empty")
	}
	_, err := rs.BearerToken([]string{"Bearer "})
	var refused *rs.Error
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, records[0]["hint"], refused.Hint)
}

// TestHintsOfManyClientsCostLittle holds that a refused role reads no more of resource_access than a bound, and decodes none of it.
func TestHintsOfManyClientsCostLittle(t *testing.T) {
	clients := claims{}
	for n := range 200 {
		clients[fmt.Sprint("client-", 1000+n)] = claims{"roles": []string{"USER"}}
	}
	auth := newAuth(t, newFakeIssuer(keyFor("EdDSA")).config())
	p, err := auth.Verify(t.Context(), sign(keyFor("EdDSA"), nil, good(claims{"roles": absent, "resource_access": clients})))
	require.NoError(t, err)
	rule := rs.Role("ADMIN")
	var refused *rs.Error
	require.ErrorAs(t, rule.Check(nil, p), &refused)
	assert.Contains(t, refused.Hint, "client roles of [client-1000 client-1001 ")
	assert.Less(t, perCall(func() { _ = rule.Check(nil, p) }), 4<<10)
}

func TestTokenTooLargeIsNotScanned(t *testing.T) {
	auth := newAuth(t, newFakeIssuer(keyFor("EdDSA")).config())
	w := get(auth.Require()(ok), "Bearer "+strings.Repeat("$", rs.DefaultMaxTokenSize+1))
	assert.Equal(t, 401, w.Code)
	assert.Contains(t, w.Header().Get("WWW-Authenticate"), "the token is too large")
}
