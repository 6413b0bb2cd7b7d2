package benchmarks

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"
)

// contender is one way of doing what others do too.
type contender struct {
	name   string
	run    func(n int) (time.Duration, error) // does it n times, and says how long that took
	before func()                             // runs before each slice, outside its time; may be nil
	limit  int                                // of n; 0: none
}

// serial does one thing after the other, and takes the time of its own goroutine. op is told how often it has run before.
func serial(name string, op func(i int) error) *contender {
	next := 0
	return &contender{name: name, run: func(n int) (time.Duration, error) {
		first := next
		next += n
		return ownTime(func() error {
			for i := first; i < next; i++ {
				if err := op(i); err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
			}
			return nil
		})
	}}
}

// parallel does it in so many goroutines at once, and takes the time on the clock, from when all of them are ready.
func parallel(name string, goroutines int, op func(worker, i int) error) *contender {
	return &contender{name: name, run: func(n int) (time.Duration, error) {
		each := max(n/goroutines, 1)
		errs := make([]error, goroutines)
		gate := make(chan struct{})
		var ready, done sync.WaitGroup
		ready.Add(goroutines)
		for worker := range goroutines {
			done.Go(func() {
				ready.Done()
				<-gate
				var err error // apart from the other goroutines' memory
				for i := 0; i < each && err == nil; i++ {
					err = op(worker, i)
				}
				errs[worker] = err
			})
		}
		ready.Wait()
		start := time.Now()
		close(gate)
		done.Wait()
		took := time.Since(start)
		if err := errors.Join(errs...); err != nil {
			return 0, fmt.Errorf("%s: %w", name, err)
		}
		return time.Duration(float64(took) * float64(n) / float64(each*goroutines)), nil
	}}
}

// slice runs n operations, and returns the nanoseconds that one took.
func (c *contender) slice(n int) (float64, error) {
	if c.before != nil {
		c.before()
	}
	took, err := c.run(n)
	return float64(took) / float64(n), err
}

// fill finds out how many operations fill a slice of this length. It goes by the quickest of three tries, since in one of them the machine may have done something
// else.
func (c *contender) fill(length time.Duration) (int, error) {
	for n := 1; ; n *= 4 {
		if c.limit > 0 {
			n = min(n, c.limit)
		}
		each := math.Inf(1)
		for range 3 {
			try, err := c.slice(n)
			if err != nil {
				return 0, err
			}
			each = min(each, try)
		}
		if n == c.limit || each*float64(n) >= float64(length)/8 {
			n = max(int(float64(length)/each), 1)
			if c.limit > 0 {
				n = min(n, c.limit)
			}
			return n, nil
		}
	}
}

// samples are the nanoseconds of one operation by contender and round.
type samples map[string][]float64

// compare gives each contender a slice in turn, round after round, so that whatever else the machine does meets all of them alike. Who begins changes with the
// round. What is read from the samples are medians of ratios within a round.
func compare(ctx context.Context, o Options, contenders ...*contender) (samples, error) {
	lengths := make([]int, len(contenders))
	for n, c := range contenders {
		var err error
		if lengths[n], err = c.fill(o.Slice); err != nil {
			return nil, err
		}
	}
	s := samples{}
	for round := range o.Rounds {
		for k := range contenders {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			n := (round + k) % len(contenders)
			each, err := contenders[n].slice(lengths[n])
			if err != nil {
				return nil, err
			}
			s[contenders[n].name] = append(s[contenders[n].name], each)
		}
	}
	return s, nil
}

// time is the median of one operation.
func (s samples) time(name string) time.Duration { return time.Duration(median(s[name])) }

// ratio is how many times as long as base it takes.
func (s samples) ratio(name, base string) float64 { return s.over(name, "", base) }

// over is how many times as long as base it takes beyond what under takes, which is part of it.
func (s samples) over(name, under, base string) float64 {
	ratios := make([]float64, len(s[name]))
	for round, each := range s[name] {
		if under != "" {
			each -= s[under][round]
		}
		ratios[round] = each / s[base][round]
	}
	return median(ratios)
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 0 {
		return (sorted[middle-1] + sorted[middle]) / 2
	}
	return sorted[middle]
}
