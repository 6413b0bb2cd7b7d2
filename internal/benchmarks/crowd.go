package benchmarks

import (
	"context"
	"sync"
	"time"
)

// crowd lets so many callers loose at once, each with a deadline of its own, and returns how long each one waited and how many had an error.
func crowd(ctx context.Context, callers int, deadline time.Duration, call func(context.Context) error) (waits []time.Duration, failed int) {
	waits = make([]time.Duration, callers)
	errs := make([]error, callers)
	gate := make(chan struct{})
	var ready, done sync.WaitGroup
	ready.Add(callers)
	for n := range callers {
		done.Go(func() {
			ready.Done()
			<-gate
			start := time.Now()
			ctx, cancel := context.WithTimeout(ctx, deadline)
			defer cancel()
			errs[n] = call(ctx)
			waits[n] = time.Since(start)
		})
	}
	ready.Wait()
	close(gate)
	done.Wait()
	for _, err := range errs {
		if err != nil {
			failed++
		}
	}
	return waits, failed
}

// milliseconds is the median of waits.
func milliseconds(waits []time.Duration) float64 {
	values := make([]float64, len(waits))
	for n, wait := range waits {
		values[n] = float64(wait) / float64(time.Millisecond)
	}
	return median(values)
}
