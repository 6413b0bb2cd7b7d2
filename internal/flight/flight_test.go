package flight

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCallersShareOneRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		f := New(time.Minute, func(context.Context) (int, error) {
			runs++
			time.Sleep(time.Second)
			return runs, nil
		})
		for want := 1; want <= 2; want++ {
			var wg sync.WaitGroup
			for range 1000 {
				wg.Go(func() {
					got, err := f.Do(t.Context())
					assert.NoError(t, err)
					assert.Equal(t, want, got)
				})
			}
			wg.Wait()
			assert.Equal(t, want, runs)
		}
	})
}

func TestEachCallerHasItsOwnContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		f := New(time.Minute, func(ctx context.Context) (string, error) {
			assert.Nil(t, ctx.Value(key{}), "nobody's values")
			time.Sleep(time.Second)
			return "done", ctx.Err()
		})
		var wg sync.WaitGroup
		wg.Go(func() { // the one that starts it leaves first
			ctx, cancel := context.WithTimeout(context.WithValue(t.Context(), key{}, 1), 10*time.Millisecond)
			defer cancel()
			began := time.Now()
			_, err := f.Do(ctx)
			assert.Equal(t, context.DeadlineExceeded, err)
			assert.Equal(t, 10*time.Millisecond, time.Since(began))
		})
		wg.Go(func() {
			time.Sleep(5 * time.Millisecond)
			got, err := f.Do(t.Context())
			assert.NoError(t, err)
			assert.Equal(t, "done", got)
		})
		wg.Wait()
	})
}

func TestRunEndsByItsOwnDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := New(3*time.Second, func(ctx context.Context) (int, error) {
			<-ctx.Done()
			return 0, ctx.Err()
		})
		began := time.Now()
		_, err := f.Do(context.Background())
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 3*time.Second, time.Since(began))
	})
}

func TestStartDoesNotWaitAndDoJoinsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		f := New(time.Minute, func(context.Context) (int, error) { runs++; time.Sleep(time.Second); return runs, nil })
		began := time.Now()
		for range 100 {
			f.Start()
		}
		assert.Equal(t, began, time.Now())
		got, err := f.Do(t.Context())
		assert.NoError(t, err)
		assert.Equal(t, 1, got)
	})
}

func TestWorkThatPanicsOrExitsFailsItsCallersAndNoOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mode := "panic"
		f := New(time.Minute, func(context.Context) (int, error) {
			time.Sleep(time.Second)
			switch mode {
			case "panic":
				panic("p1anted")
			case "nil":
				panic(error(nil)) //nolint:govet // that it panics is the case
			case "exit":
				runtime.Goexit()
			}
			return 1, nil
		})
		f.Start() // with nobody waiting, too
		_, err := f.Do(t.Context())
		var panicked *PanicError
		require.ErrorAs(t, err, &panicked)
		assert.Equal(t, "panic of type string in a shared call", err.Error())
		assert.Contains(t, string(panicked.Stack), "flight_test.go")
		mode = "nil"
		_, err = f.Do(t.Context())
		assert.ErrorAs(t, err, &panicked)
		mode = "exit"
		_, err = f.Do(t.Context())
		assert.EqualError(t, err, "the shared call ended without a result")
		mode = ""
		got, err := f.Do(t.Context())
		assert.NoError(t, err)
		assert.Equal(t, 1, got)
	})
}

func TestErrorsAreShared(t *testing.T) {
	failure := errors.New("failure")
	f := New(time.Minute, func(context.Context) (int, error) { return 7, failure })
	got, err := f.Do(t.Context())
	assert.Equal(t, failure, err)
	assert.Equal(t, 7, got)
}

func TestJoin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		f := New(time.Minute, func(context.Context) (int, error) {
			runs++
			time.Sleep(time.Second)
			return runs, nil
		})
		_, joined, err := f.Join(t.Context())
		assert.False(t, joined, "nothing is under way")
		require.NoError(t, err)
		f.Start()
		value, joined, err := f.Join(t.Context())
		require.NoError(t, err)
		assert.True(t, joined)
		assert.Equal(t, 1, value)
		f.Start()
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, joined, err = f.Join(ctx)
		assert.True(t, joined)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Equal(t, 2, runs)
	})
}
