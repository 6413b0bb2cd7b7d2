package compare

import (
	"errors"
	"fmt"
	"net/url"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// outageRows are about an issuer that is out of reach.
var outageRows = []row{
	{
		text:    "A service starts while the issuer is down",
		observe: startsWithoutIssuer,
		want:    cells{"yes", "no", "yes, after 60 s if it hangs", "yes"},
	},
	{
		text:    "… and, once the issuer is back after a minute, good tokens pass again after at most",
		observe: issuerReturns,
		want:    cells{"5 s", none, "4 min", "at once"},
	},
	{
		text:    "The issuer is down for 2 hours: tokens by known keys pass",
		observe: onServer(options{}, outage),
		want:    cells{"yes", "yes", "yes", "no"},
	},
	{
		text:    "The issuer is down and no key is known: a good token is answered with",
		observe: unknownKeys,
		want:    cells{"503", "401 ¹", "401 ¹", "401"},
	},
}

func startsWithoutIssuer(t *testing.T, c column) (seen string) {
	virtually(t, func(t *testing.T) {
		n, _ := newNetwork()
		n.down = true
		_, err := c.server(t.Context(), n, options{})
		seen = yes(err == nil)
	})
	if seen == "no" {
		return seen
	}
	virtually(t, func(t *testing.T) {
		n, _ := newNetwork()
		n.hangs = true
		start := time.Now()
		_, err := c.server(t.Context(), n, options{})
		require.NoError(t, err)
		if waited := time.Since(start); waited > 0 {
			seen += ", after " + rough(waited) + " if it hangs"
		}
	})
	return seen
}

// issuerReturns has good tokens come all the time: for a minute or a bit more while the issuer is down, and after that. It returns the longest of ten waits.
func issuerReturns(t *testing.T, c column) string {
	var longest time.Duration
	for n := range 10 {
		after, started := recovery(t, c, time.Minute+time.Duration(n)*time.Second)
		if !started {
			return none
		}
		longest = max(longest, after)
	}
	return upTo(longest, 0, 5*time.Second, 4*time.Minute)
}

func recovery(t *testing.T, c column, down time.Duration) (after time.Duration, started bool) {
	virtually(t, func(t *testing.T) {
		n, i := newNetwork()
		n.down = true
		g, err := c.server(t.Context(), n, options{})
		if err != nil {
			return
		}
		s := &service{t, n, i, g}
		good := keys()[0].access(nil)
		for start := time.Now(); time.Since(start) < down; time.Sleep(time.Second) {
			require.False(t, s.accepts(good))
		}
		n.set(func() { n.down = false })
		after, started = s.untilAccepted(keys()[0]), true
	})
	return after, started
}

func outage(s *service) string {
	s.network.set(func() { s.network.down = true })
	for start := time.Now(); time.Since(start) < 2*time.Hour; time.Sleep(time.Minute) {
		if !s.accepts(keys()[0].access(nil)) {
			return "no"
		}
	}
	return "yes"
}

// unknownKeys looks at the status. Where the library brings no middleware, that is what one can make of its error: 503 if the cause is in its chain, else 401, as for
// any bad token. A service that would not start has been started before the outage, and has no key yet.
func unknownKeys(t *testing.T, c column) (seen string) {
	virtually(t, func(t *testing.T) {
		n, _ := newNetwork()
		n.down = true
		g, err := c.server(t.Context(), n, options{})
		if err != nil {
			n.set(func() { n.down = false })
			g, err = c.server(t.Context(), n, options{})
			require.NoError(t, err)
			n.set(func() { n.down = true })
		}
		good := keys()[0].access(nil)
		require.False(t, g.accepts(t.Context(), good))
		if g.middleware != nil {
			seen = fmt.Sprint(status(t.Context(), g.middleware, good))
			return
		}
		seen = "401 ¹"
		var failed *url.Error
		if err := g.verify(t.Context(), good); errors.Is(err, syscall.ECONNREFUSED) || errors.As(err, &failed) {
			seen = "503 ¹"
		}
	})
	return seen
}
