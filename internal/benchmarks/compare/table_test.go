package compare

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// none is a cell where there is nothing to look at.
const none = "–"

// cells are those of one row, in the order of columns.
type cells [len(columns)]string

// row is one behaviour.
type row struct {
	text    string
	observe func(*testing.T, column) string // what a column was seen to do
	want    cells
}

// groups are the rows of the table.
var groups = []struct {
	title string
	rows  []row
}{
	{"A service that calls others", clientRows},
	{"Which tokens get in", tokenRows},
	{"Keys that change", keyRows},
	{"An issuer out of reach", outageRows},
}

func TestCells(t *testing.T) {
	for _, group := range groups {
		for _, r := range group.rows {
			for n, c := range columns {
				t.Run(r.text+"/"+c.name, func(t *testing.T) { assert.Equal(t, r.want[n], r.observe(t, c)) })
			}
		}
	}
}

func yes(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.0f s", d.Seconds()) }

// rough is a duration as people say it.
func rough(d time.Duration) string {
	switch {
	case d == 0:
		return "at once"
	case d < 2*time.Minute:
		return seconds(d)
	case d == time.Hour:
		return "1 h"
	default:
		return fmt.Sprintf("%.0f min", math.Round(d.Minutes()))
	}
}

// upTo is the first of the bounds that d is not above, for what differs from run to run.
func upTo(d time.Duration, bounds ...time.Duration) string {
	for _, bound := range bounds {
		if d <= bound {
			return rough(bound)
		}
	}
	return "more than " + rough(bounds[len(bounds)-1])
}

func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%d,%03d", n/1000, n%1000)
}
