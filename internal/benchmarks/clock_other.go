//go:build !linux

package benchmarks

import "time"

// ownTime runs f and returns the time that passed on the clock. Linux can tell it apart from what else the machine does; see there.
func ownTime(f func() error) (time.Duration, error) {
	start := time.Now()
	err := f()
	return time.Since(start), err
}
