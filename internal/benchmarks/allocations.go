package benchmarks

import (
	"math"
	"runtime"
)

// allocations counts what one operation of c allocates, over n of them. As testing.AllocsPerRun does it counts on one processor, and rounds down: what happens once
// in many operations is nobody's. The least of three counts is without what the program did beside.
func allocations(c *contender, n int) (allocs, bytes float64, err error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if c.limit > 0 {
		n = min(n, c.limit)
	}
	if _, err := c.slice(n); err != nil {
		return 0, 0, err
	}
	allocs, bytes = math.Inf(1), math.Inf(1)
	var before, after runtime.MemStats
	for range 3 {
		if c.before != nil {
			c.before()
		}
		runtime.ReadMemStats(&before)
		if _, err := c.run(n); err != nil {
			return 0, 0, err
		}
		runtime.ReadMemStats(&after)
		allocs = min(allocs, math.Floor(float64(after.Mallocs-before.Mallocs)/float64(n)))
		bytes = min(bytes, math.Floor(float64(after.TotalAlloc-before.TotalAlloc)/float64(n)))
	}
	return allocs, bytes, nil
}

// heap is what is reachable now, in bytes.
func heap() float64 {
	runtime.GC()
	runtime.GC() // what the first one's finalizers let go
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return float64(stats.HeapAlloc)
}
