package clientcreds

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestAsks(t *testing.T) {
	now := time.Now()
	api, other := origin{"https", "api.example", "443"}, origin{"https", "other.example", "443"}
	nth := func(serial uint64) *held { return &held{serial: serial, lifetime: time.Minute} }

	var a asks
	a.accepted(api, nth(1))
	assert.True(t, a.ask(api, nth(1), now))
	assert.True(t, a.ask(api, nth(1), now), "the same token, in parallel")
	assert.False(t, a.ask(api, nth(2), now), "the replacement, too: silence")
	assert.True(t, a.ask(other, nth(2), now), "another origin")
	a.accepted(api, nth(2))
	a.accepted(api, nth(3))
	assert.False(t, a.ask(api, nth(3), now.Add(59*time.Second)), "replicas that accept do not end it, nor do new tokens")
	assert.True(t, a.ask(api, nth(3), now.Add(time.Minute)))

	a.accepted(other, nth(2))
	assert.False(t, a.ask(other, nth(3), now), "that was the refused token itself")
	var b asks
	b.ask(api, nth(1), now)
	b.accepted(api, nth(2))
	assert.True(t, b.ask(api, nth(2), now), "it had accepted the replacement")
	assert.True(t, b.ask(api, nth(1), now), "an answer that was long on its way")

	b.refusedAgain(api, nth(2), now)
	b.accepted(api, nth(2))
	assert.False(t, b.ask(api, nth(2), now))

	var c asks
	short := &held{serial: 2, lifetime: time.Millisecond}
	c.refusedAgain(api, short, now)
	assert.False(t, c.ask(api, short, now.Add(4*time.Second)), "never shorter than the bound")
}

func TestAsksAreBounded(t *testing.T) {
	var a asks
	now := time.Now()
	for i := range 3 * maxAsks {
		a.ask(origin{"https", fmt.Sprint(i), "443"}, &held{serial: 1, lifetime: time.Minute}, now)
	}
	assert.Len(t, a.byOrigin, maxAsks)
}
