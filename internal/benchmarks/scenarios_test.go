package benchmarks

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// tiny is as little as shows that a scenario works. Nothing that it measures means anything.
var tiny = Options{Slice: 100 * time.Microsecond, Rounds: 2, Counted: 8, Pool: 32, Many: 64, Crowd: 20}

// TestScenarios runs each of them, and holds that every goal is about something that is measured.
func TestScenarios(t *testing.T) {
	lab := newLab(tiny, testIssuer)
	measured := map[Goal]int{}
	for _, scenario := range Scenarios {
		t.Run(scenario.Name, func(t *testing.T) {
			assert.NotEmpty(t, scenario.Title)
			assert.NotEmpty(t, scenario.Note)
			results, err := scenario.Run(t.Context(), lab)
			require.NoError(t, err)
			require.NotEmpty(t, results)
			for _, r := range results {
				assert.NotEmpty(t, r.Case)
				assert.NotEmpty(t, r.Who, r.Case)
				assert.NotEmpty(t, r.Unit, r.Case)
				for _, goal := range Goals {
					if _, _, applies := goal.Measured(r); applies {
						measured[goal]++
					}
				}
			}
		})
	}
	t.Run("goals", func(t *testing.T) {
		for _, goal := range Goals {
			assert.Equal(t, 1, measured[goal], "%+v", goal)
		}
	})
}
