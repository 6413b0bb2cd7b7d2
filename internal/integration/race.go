//go:build race

package integration

// raceEnabled makes the programs be built with the race detector if the tests are.
const raceEnabled = true
