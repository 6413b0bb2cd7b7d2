package benchmarks

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// ownTime runs f and returns the processor time that its goroutine took. Unlike the time on the clock it has no part in it of what else the machine does. Nor does it
// hold what the garbage collector does on other cores, as the time on the clock does not while those are idle.
func ownTime(f func() error) (time.Duration, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	start, err := threadTime()
	if err != nil {
		return 0, err
	}
	if err := f(); err != nil {
		return 0, err
	}
	end, err := threadTime()
	return end - start, err
}

func threadTime() (time.Duration, error) {
	var spent unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &spent); err != nil {
		return 0, err
	}
	return time.Duration(spent.Nano()), nil
}
