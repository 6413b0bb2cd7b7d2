// Package compare holds the table of README.md, in which this library stands beside those that Go services use today. There is no code in it, only tests: each
// cell is what a library was seen to do, in the version that go.mod pins.
//
//	go -C internal/benchmarks test ./compare          # does the table still say what is so?
//	go -C internal/benchmarks test ./compare -update  # write it into the pages that have its marks
//
// Every library stands in peer_<name>_test.go, set up as its documentation shows it for an API: issuer, audience, one algorithm, and defaults for the rest. Rows stand
// in rows_<topic>_test.go, each with the function that looks and the cells that it must find. Issuer and services answer in memory and the clock is virtual, so hours
// pass at once and nothing depends on the machine.
package compare
