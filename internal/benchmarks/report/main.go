// Command report measures, and prints what it found as markdown. It also draws it.
//
//	go -C internal/benchmarks run ./report -quick
//
// While it runs the machine should have nothing else to do. Where it has, ratios are still worth reading, and times are not.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"

	"github.com/svcauth/svcauth/internal/benchmarks"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintf(os.Stderr, "report: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("report", flag.ContinueOnError)
	flags.SetOutput(stderr)
	quick := flags.Bool("quick", false, "take twenty seconds instead of some minutes, and be rougher")
	drawing := flags.String("svg", filepath.Join(os.TempDir(), "svcauth-benchmarks.svg"), "`file` that a run of all scenarios is drawn to; empty: none. The README's is ../../.github/benchmarks.svg")
	only := flags.String("only", "", "run just these scenarios, `names` with commas between: "+strings.Join(names(), ", "))
	if err := flags.Parse(args); err != nil {
		return err
	}
	scenarios, err := choose(*only)
	if err != nil {
		return err
	}
	options := benchmarks.Full
	if *quick {
		options = benchmarks.Quick
	}
	machine := thisMachine()
	lab, err := benchmarks.NewLab(options)
	if err != nil {
		return err
	}
	defer lab.Close()
	progress := log.New(stderr, "", log.Ltime)
	var sections []section
	for _, scenario := range scenarios {
		progress.Print(scenario.Title)
		results, err := scenario.Run(ctx, lab)
		if err != nil {
			return fmt.Errorf("%s: %w", scenario.Name, err)
		}
		sections = append(sections, section{scenario, results})
	}

	var page bytes.Buffer
	writePage(&page, machine, options, sections)
	if _, err := page.WriteTo(stdout); err != nil {
		return err
	}
	if *drawing == "" || *only != "" {
		return nil
	}
	var picture bytes.Buffer
	draw(&picture, machine, sections)
	if err := os.WriteFile(*drawing, picture.Bytes(), 0o644); err != nil { //nolint:gosec // for everybody to see
		return err
	}
	progress.Print("Drawn: ", *drawing)
	return nil
}

func names() []string {
	var all []string
	for _, s := range benchmarks.Scenarios {
		all = append(all, s.Name)
	}
	return all
}

func choose(only string) ([]benchmarks.Scenario, error) {
	if only == "" {
		return benchmarks.Scenarios, nil
	}
	var chosen []benchmarks.Scenario
	for _, name := range strings.Split(only, ",") {
		n := slices.Index(names(), name)
		if n < 0 {
			return nil, fmt.Errorf("there is no scenario %q; there are %s", name, strings.Join(names(), ", "))
		}
		chosen = append(chosen, benchmarks.Scenarios[n])
	}
	return chosen, nil
}
