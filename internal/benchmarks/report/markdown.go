package main

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/svcauth/svcauth/internal/benchmarks"
)

// section is a scenario and what came of it.
type section struct {
	scenario benchmarks.Scenario
	results  []benchmarks.Result
}

func writePage(w *bytes.Buffer, m machine, o benchmarks.Options, sections []section) {
	fmt.Fprintf(w, "# Measurements\n\n%s. Against %s.\n", m, strings.Join(m.peers, ", "))
	if m.load != "" {
		fmt.Fprintf(w, "Load of the machine when the run began: %s.\n", m.load)
	}
	fmt.Fprintf(w, "%d rounds of %s a contender, medians of the ratios within a round. Times are for a feeling only: they change with the machine and the day.\n", o.Rounds, o.Slice)
	writeGoals(w, sections)
	for _, s := range sections {
		writeSection(w, s)
	}
}

// writeGoals lists the goals about what was run.
func writeGoals(w *bytes.Buffer, sections []section) {
	fmt.Fprint(w, "\n## Goals\n\n| | goal | measured | |\n|---|--:|--:|---|\n")
	for _, goal := range benchmarks.Goals {
		for _, s := range sections {
			for _, r := range s.results {
				value, unit, applies := goal.Measured(r)
				if !applies {
					continue
				}
				sign, met := "≤", "met"
				if goal.AtLeast {
					sign = "≥"
				}
				if !goal.Met(value) {
					met = "**missed**"
				}
				fmt.Fprintf(w, "| %s | %s %s %s | %s | %s |\n", r.Case, sign, number(goal.Limit), unit, number(value), met)
			}
		}
	}
}

func writeSection(w *bytes.Buffer, s section) {
	fmt.Fprintf(w, "\n## %s\n\n`-only %s`. %s\n\n| | | | time | bytes | allocations |\n|---|---|--:|--:|--:|--:|\n", s.scenario.Title, s.scenario.Name, s.scenario.Note)
	last := ""
	for _, r := range s.results {
		name, size, allocs := r.Case, "", ""
		if name == last {
			name = ""
		}
		last = r.Case
		if r.Counted {
			size, allocs = fmt.Sprintf("%.0f", r.Bytes), fmt.Sprintf("%.0f", r.Allocs)
		}
		fmt.Fprintf(w, "| %s | %s | %s %s | %s | %s | %s |\n", name, r.Who, number(r.Value), r.Unit, duration(r.Time), size, allocs)
	}
}

// number writes three digits that matter.
func number(v float64) string {
	switch {
	case v == float64(int64(v)) || v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case v >= 0.1:
		return fmt.Sprintf("%.2f", v)
	default:
		return fmt.Sprintf("%.3f", v)
	}
}

func duration(d time.Duration) string {
	switch {
	case d == 0:
		return ""
	case d < time.Microsecond:
		return fmt.Sprintf("%d ns", d.Nanoseconds())
	case d < time.Millisecond:
		return fmt.Sprintf("%s µs", number(float64(d)/float64(time.Microsecond)))
	default:
		return fmt.Sprintf("%s ms", number(float64(d)/float64(time.Millisecond)))
	}
}
