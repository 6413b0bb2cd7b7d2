package benchmarks

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMedians(t *testing.T) {
	assert.InDelta(t, 0, median(nil), 0)
	assert.InDelta(t, 2, median([]float64{9, 1, 2}), 0)
	assert.InDelta(t, 2.5, median([]float64{3, 9, 1, 2}), 0)
}

// TestRatiosAreOfARound holds that a round in which the machine was slow for everybody changes nothing.
func TestRatiosAreOfARound(t *testing.T) {
	s := samples{"floor": {10, 100, 10}, "bare": {1, 10, 1}, "ours": {21, 210, 21}}
	assert.InDelta(t, 2.1, s.ratio("ours", "floor"), 1e-9)
	assert.InDelta(t, 2.0, s.over("ours", "bare", "floor"), 1e-9)
	assert.Equal(t, 21*time.Nanosecond, s.time("ours"))
}

// counting says how often it ran, and takes a made-up time for it.
func counting(name string, each time.Duration, limit int) (*contender, *[]int) {
	var runs []int
	return &contender{name: name, limit: limit, run: func(n int) (time.Duration, error) {
		runs = append(runs, n)
		return time.Duration(n) * each, nil
	}}, &runs
}

func TestCompareGivesEachASliceInTurn(t *testing.T) {
	quick, quickRuns := counting("quick", time.Microsecond, 0)
	slow, slowRuns := counting("slow", 3*time.Microsecond, 0)
	few, fewRuns := counting("few", time.Microsecond, 7)
	s, err := compare(t.Context(), Options{Slice: 600 * time.Microsecond, Rounds: 5}, quick, slow, few)
	require.NoError(t, err)
	assert.Len(t, s["quick"], 5)
	assert.InDelta(t, 3, s.ratio("slow", "quick"), 1e-9)
	for runs, want := range map[*[]int]int{quickRuns: 600, slowRuns: 200, fewRuns: 7} {
		assert.Equal(t, []int{want, want, want, want, want}, (*runs)[len(*runs)-5:])
	}
}

func TestCompareEnds(t *testing.T) {
	c, _ := counting("c", time.Microsecond, 0)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := compare(ctx, Options{Slice: time.Microsecond, Rounds: 5}, c)
	require.ErrorIs(t, err, context.Canceled)

	errRefused := errors.New("refused")
	for _, c := range []*contender{serial("peer", func(int) error { return errRefused }), parallel("peer", 3, func(int, int) error { return errRefused })} {
		_, err = compare(t.Context(), Options{Slice: time.Microsecond, Rounds: 5}, c)
		require.ErrorIs(t, err, errRefused)
		assert.ErrorContains(t, err, "peer")
	}
}

func TestSerialCountsOn(t *testing.T) {
	var seen []int
	c := serial("c", func(i int) error { seen = append(seen, i); return nil })
	for range 2 {
		_, err := c.run(3)
		require.NoError(t, err)
	}
	assert.Equal(t, []int{0, 1, 2, 3, 4, 5}, seen)
}

var sink []byte

func TestAllocations(t *testing.T) {
	forgotten := 0
	c := serial("c", func(i int) error {
		sink = make([]byte, 64)
		if i%100 == 0 {
			sink = make([]byte, 64) // once in a while, and so nobody's
		}
		return nil
	})
	c.before = func() { forgotten++ }
	allocs, bytes, err := allocations(c, 200)
	require.NoError(t, err)
	assert.InDelta(t, 1, allocs, 0)
	assert.InDelta(t, 64, bytes, 1)
	assert.Equal(t, 4, forgotten)
}

func TestGoals(t *testing.T) {
	most, least := Goal{Case: "c", Limit: 1.3}, Goal{Case: "c", Limit: 0.85, AtLeast: true}
	assert.True(t, most.Met(1.3))
	assert.False(t, most.Met(1.31))
	assert.True(t, least.Met(0.85))
	assert.False(t, least.Met(0.84))

	allocs := Goal{Case: "c", Limit: 3, Allocs: true}
	for _, c := range []struct {
		goal    Goal
		result  Result
		value   float64
		applies bool
	}{
		{most, Result{Case: "c", Who: "svcauth", Value: 2}, 2, true},
		{most, Result{Case: "c", Who: "go-oidc", Value: 2}, 0, false},
		{most, Result{Case: "d", Who: "svcauth", Value: 2}, 0, false},
		{allocs, Result{Case: "c", Who: "svcauth", Value: 2, Counted: true, Allocs: 4}, 4, true},
		{allocs, Result{Case: "c", Who: "svcauth", Value: 2}, 0, false},
	} {
		value, _, applies := c.goal.Measured(c.result)
		assert.Equal(t, c.applies, applies, "%+v", c)
		if applies {
			assert.InDelta(t, c.value, value, 0, "%+v", c)
		}
	}
}
