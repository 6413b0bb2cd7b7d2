package benchmarks

import (
	"context"
	"runtime"
)

const (
	caseRepeated         = "verify the same token again, RS256"
	caseRepeatedParallel = "verify the same token again, on all cores"
)

var verifyRepeated = Scenario{
	Name:  "repeated",
	Title: "Verify the same token again",
	Note: "What most requests bring: a service sends one token until it expires. On all cores the time is that on the clock, against the same contender's with one " +
		"goroutine: less is better, and 1 would mean that the cores wait for each other.",
	Run: func(ctx context.Context, l *Lab) ([]Result, error) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		tokens, err := l.distinct(RS256)
		if err != nil {
			return nil, err
		}
		tokens = tokens[:1]
		floor, err := l.floor(RS256, tokens)
		if err != nil {
			return nil, err
		}
		verifiers, err := peers(ctx, l.want(RS256))
		if err != nil {
			return nil, err
		}
		contenders := []*contender{floor}
		for _, v := range verifiers {
			contenders = append(contenders, verifying(ctx, v, tokens, false))
		}
		all, err := l.measure(ctx, caseRepeated, TimesSignature, contenders)
		if err != nil {
			return nil, err
		}

		for _, v := range verifiers[:2] {
			one := func(int, int) error {
				_, err := v.Verify(ctx, tokens[0])
				return err
			}
			alone, together := parallel("alone", 1, one), parallel("together", runtime.GOMAXPROCS(0), one)
			s, err := compare(ctx, l.Options, alone, together)
			if err != nil {
				return nil, err
			}
			all = append(all, Result{
				Case: caseRepeatedParallel, Who: v.Name, Value: s.ratio(together.name, alone.name), Unit: TimesSerial, Time: s.time(together.name),
			})
		}
		return all, nil
	},
}
