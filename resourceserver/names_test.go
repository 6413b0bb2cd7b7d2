package resourceserver_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestNamesStandOnce holds that roles and scopes keep their order and lose duplicates and empty ones, few or many.
func TestNamesStandOnce(t *testing.T) {
	auth := newAuth(t, newFakeIssuer(keyFor("EdDSA")).config())
	for _, n := range []int{0, 1, 2, 15, 16, 17, 18, 40, 60} {
		var want, given []string
		for i := range n {
			want = append(want, fmt.Sprint("name-", i))
			given = append(given, want[i], "", want[i], want[0], want[i/2])
		}
		given = append(given, want...)
		p, err := auth.Verify(t.Context(), sign(keyFor("EdDSA"), nil, good(claims{
			"roles": given, "scope": " " + strings.Join(given, "  "), "scp": append([]string{"last", ""}, given...),
		})))
		require.NoError(t, err)
		assert.Equal(t, slices.Concat(want), slices.Concat(p.Roles), "%d roles", n)
		assert.Equal(t, append(want, "last"), p.Scopes, "%d scopes", n)
	}
}
