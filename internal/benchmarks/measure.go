package benchmarks

import "context"

// measure compares contenders with the first one, and counts what they allocate.
func (l *Lab) measure(ctx context.Context, name string, unit Unit, contenders []*contender) ([]Result, error) {
	s, err := compare(ctx, l.Options, contenders...)
	if err != nil {
		return nil, err
	}
	all := make([]Result, 0, len(contenders))
	for _, c := range contenders {
		r := Result{Case: name, Who: c.name, Value: s.ratio(c.name, contenders[0].name), Unit: unit, Time: s.time(c.name)}
		if err := r.count(c, l.Counted); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

// count adds what one operation of c allocates, by looking at n of them.
func (r *Result) count(c *contender, n int) (err error) {
	r.Counted = true
	r.Allocs, r.Bytes, err = allocations(c, n)
	return err
}

// less takes off what happens without the subject of the measurement.
func (r *Result) less(under Result) {
	r.Allocs -= under.Allocs
	r.Bytes -= under.Bytes
	r.Time -= under.Time
}
