package resourceserver_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	rs "github.com/svcauth/svcauth/resourceserver"
)

// TestAdmitDecidesAsTheMiddleware compares Admit with Require: what is answered, what is logged and what OnDecision hears.
func TestAdmitDecidesAsTheMiddleware(t *testing.T) {
	f := newFakeIssuer(keyFor("EdDSA"))
	var book logBook
	var decisions []rs.Decision
	config := f.config()
	config.Logger = book.logger()
	config.OnDecision = func(_ context.Context, d rs.Decision) { decisions = append(decisions, d) }
	auth := newAuth(t, config)
	admin, user := "Bearer "+goodToken(), "Bearer "+sign(keyFor("EdDSA"), nil, good(claims{"roles": []string{"USER"}}))
	never := rs.RuleFunc("never", func(*http.Request, *rs.Principal) bool { return false })
	for _, c := range []struct {
		name          string
		authorization []string
		rules         []rs.Rule
		reason        rs.Reason
	}{
		{"any valid token", []string{user}, nil, ""},
		{"all rules hold", []string{admin}, []rs.Rule{rs.Role("ADMIN"), rs.Role("ADMIN")}, ""},
		{"no token", nil, nil, rs.ReasonMissingToken},
		{"two fields", []string{admin, admin}, nil, rs.ReasonMultipleTokens},
		{"garbage", []string{"Bearer garbage"}, nil, rs.ReasonMalformedToken},
		{"garbage for a role", []string{"Bearer garbage"}, []rs.Rule{rs.Role("ADMIN")}, rs.ReasonMalformedToken},
		{"role lacking", []string{user}, []rs.Rule{rs.Role("ADMIN")}, rs.ReasonMissingRole},
		{"second rule lacking", []string{admin}, []rs.Rule{rs.Role("ADMIN"), rs.Scope("x")}, rs.ReasonMissingScope},
		{"a rule of its own", []string{admin}, []rs.Rule{never}, rs.ReasonRule},
		{"a rule with an error of its own", []string{admin}, []rs.Rule{failing{}}, rs.ReasonRule},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := http.NewRequest(http.MethodPost, "http://localhost/orders.v1.Orders/List", nil)
			require.NoError(t, err)
			r.Header["Authorization"] = c.authorization
			w := httptest.NewRecorder()
			auth.Require(c.rules...)(ok).ServeHTTP(w, r)
			ctx, err := auth.Admit(t.Context(), "/orders.v1.Orders/List", c.authorization, c.rules...)

			require.Len(t, decisions, 2)
			assert.Equal(t, decisions[0], decisions[1])
			decisions = nil
			if c.reason == "" {
				require.NoError(t, err)
				p, found := rs.PrincipalFrom(ctx)
				require.True(t, found)
				assert.Equal(t, "archival-service", p.ClientID)
				return
			}
			assert.Nil(t, ctx)
			var e *rs.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, c.reason, e.Reason)
			assert.Equal(t, w.Code, e.Status)
			header := http.Header{}
			e.SetHeader(header)
			for _, name := range []string{"WWW-Authenticate", "Cache-Control", "Retry-After"} {
				assert.Equal(t, w.Header().Values(name), header.Values(name))
			}
			records := book.records(t, "request refused")
			require.GreaterOrEqual(t, len(records), 2)
			over, admitted := records[len(records)-2], records[len(records)-1]
			delete(over, "time")
			delete(admitted, "time")
			delete(over["unverified"].(map[string]any), "method")
			assert.Equal(t, over, admitted)
		})
	}
}

func TestAdmitRulesGetNoRequest(t *testing.T) {
	auth := newAuth(t, newFakeIssuer(keyFor("EdDSA")).config())
	asked := false
	_, err := auth.Admit(t.Context(), "list", []string{"Bearer " + goodToken()}, rs.RuleFunc("look", func(r *http.Request, p *rs.Principal) bool {
		asked = r == nil && p.HasRole("ADMIN")
		return true
	}))
	require.NoError(t, err)
	assert.True(t, asked)
}

func TestAdmitVerifiesWhateverTheContextHolds(t *testing.T) {
	auth := newAuth(t, newFakeIssuer(keyFor("EdDSA")).config())
	forged := rs.ContextWithPrincipal(t.Context(), &rs.Principal{Subject: "forged", Roles: []string{"ADMIN"}})
	_, err := auth.Admit(forged, "list", nil)
	assert.ErrorIs(t, err, &rs.Error{Reason: rs.ReasonMissingToken})
	ctx, err := auth.Admit(forged, "list", []string{"Bearer " + goodToken()})
	require.NoError(t, err)
	p, _ := rs.PrincipalFrom(ctx)
	assert.NotEqual(t, "forged", p.Subject)
}

func TestAdmitWithoutKeys(t *testing.T) {
	config := newFakeIssuer(keyFor("EdDSA")).config()
	config.HTTPClient = &http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) { return nil, errors.New("down") })}
	_, err := newAuth(t, config).Admit(t.Context(), "list", []string{"Bearer " + goodToken()})
	require.ErrorIs(t, err, rs.ErrKeysUnavailable)
	var e *rs.Error
	require.ErrorAs(t, err, &e)
	header := http.Header{}
	e.SetHeader(header)
	assert.NotEmpty(t, header.Get("Retry-After"))
	assert.NotContains(t, header, "Www-Authenticate")
}
