//go:build !race

package resourceserver_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	rs "github.com/svcauth/svcauth/resourceserver"
)

// The race detector allocates too, so exact counts hold without it only.

func TestCacheHitAllocates(t *testing.T) {
	auth, mapped := counted(t, newFakeIssuer(keyFor("EdDSA")), nil)
	for name, size := range map[string]int{"short": 10, "as long as one piece": 1200, "long": 6000} {
		token := sign(keyFor("EdDSA"), nil, good(claims{"x": strings.Repeat("x", size)}))
		require.NoError(t, verifyErr(t, auth, token))
		ctx := context.Background()
		assert.InDelta(t, 2, testing.AllocsPerRun(200, func() { _, _ = auth.Verify(ctx, token) }), 0, "%s: the principal and its names", name)

		h := auth.Require(rs.Role("ADMIN"))(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		assert.InDelta(t, 3, testing.AllocsPerRun(200, func() { h.ServeHTTP(w, r) }), 0, "%s: the request, its context with the principal, the names", name)
	}
	assert.EqualValues(t, 3, mapped.Load())
}
