package webapp

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		away := errors.New("away")
		fetched, failure := 0, away
		leave := func() {}
		r := remember(time.Minute, func(ctx context.Context) (int, error) {
			leave()
			assert.NoError(t, ctx.Err(), "who asked is gone, but others wait for the same")
			fetched++
			return fetched, failure
		})
		get := func() (int, error) {
			asking, cancel := context.WithCancel(t.Context())
			defer cancel()
			leave = cancel
			return r.get(asking)
		}
		_, err := get()
		assert.ErrorIs(t, err, away)
		_, err = get()
		assert.ErrorIs(t, err, away)
		assert.Equal(t, 1, fetched, "not at once again")
		_, ok := r.known()
		assert.False(t, ok)

		time.Sleep(retryAfter)
		failure = nil
		v, err := get()
		assert.NoError(t, err)
		assert.Equal(t, 2, v)
		time.Sleep(time.Minute - 1)
		v, _ = get()
		assert.Equal(t, 2, v)
		time.Sleep(time.Nanosecond)
		v, _ = get()
		assert.Equal(t, 3, v, "too old")

		time.Sleep(time.Hour)
		failure = away
		v, err = get()
		assert.NoError(t, err, "a failed fetch costs nothing")
		assert.Equal(t, 3, v)
		get()
		assert.Equal(t, 4, fetched)
		time.Sleep(retryAfter)
		failure = nil
		v, _ = get()
		assert.Equal(t, 5, v)

		v, _ = r.newerThan(t.Context(), time.Now())
		assert.Equal(t, 6, v)
		v, ok = r.known()
		assert.True(t, ok)
		assert.Equal(t, 6, v)
	})
}

func TestRememberedIsFetchedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fetched := 0
		r := remember(time.Minute, func(context.Context) (int, error) {
			fetched++
			time.Sleep(time.Second)
			return fetched, nil
		})
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				v, err := r.get(t.Context())
				assert.NoError(t, err)
				assert.Equal(t, 1, v)
			})
		}
		impatient, leave := context.WithTimeout(t.Context(), time.Millisecond)
		defer leave()
		time.Sleep(time.Microsecond)
		_, err := r.get(impatient)
		assert.ErrorIs(t, err, context.DeadlineExceeded, "nobody waits longer than they want")
		all.Wait()
		assert.Equal(t, 1, fetched)
	})
}
