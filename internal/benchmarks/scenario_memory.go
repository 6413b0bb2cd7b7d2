package benchmarks

import (
	"context"
	"runtime"

	"github.com/svcauth/svcauth/resourceserver"
)

const caseMemory = "memory of a remembered token"

var memoryScenario = Scenario{
	Name:  "memory",
	Title: "Memory of remembered tokens",
	Note:  "The heap after a garbage collection, with 10,000 remembered tokens of 10,000 accounts, less the heap without them. The tokens themselves are not kept.",
	Run: func(ctx context.Context, l *Lab) ([]Result, error) {
		tokens, err := l.many()
		if err != nil {
			return nil, err
		}
		before := heap()
		v, err := svcauthWith(ctx, l.want(EdDSA), func(c *resourceserver.Config) { c.CacheBytes = manyBytes })
		if err != nil {
			return nil, err
		}
		for _, token := range tokens {
			if _, err := v.Verify(ctx, token); err != nil {
				return nil, err
			}
		}
		each := (heap() - before) / float64(len(tokens))
		runtime.KeepAlive(tokens)
		runtime.KeepAlive(v)
		return []Result{{Case: caseMemory, Who: Peers[0].Name, Value: each, Unit: BytesEach}}, nil
	},
}
