package integration

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/svcauth/svcauth/clientcreds"
)

// onFetch comes before those get an answer who wait for the fetch.
func (s *soak) onFetch(_ context.Context, f clientcreds.Fetch) {
	s.mu.Lock()
	s.fetches = append(s.fetches, f)
	s.mu.Unlock()
	if f.Err == nil {
		s.tokens <- struct{}{}
	}
}

// awaitToken waits for the next token, and so returns when a good part of its life is ahead.
func (s *soak) awaitToken(t *testing.T) {
	t.Helper()
	select {
	case <-s.tokens:
	case problem := <-s.failed:
		require.Fail(t, "a call failed", "%s", problem)
	case <-time.After(2 * time.Minute):
		require.Fail(t, "no token for two minutes")
	}
}

// restartKeycloak takes longer than a token lives.
func (s *soak) restartKeycloak(t *testing.T) {
	t.Helper()
	away := true
	t.Cleanup(func() { // whatever happens here, the next test needs Keycloak
		if away {
			theKeycloak.Start(t)
		}
	})
	s.mu.Lock()
	s.gone = time.Now()
	s.mu.Unlock()
	theKeycloak.Stop(t)
	theKeycloak.Start(t)
	away = false
	service(t, theKeycloak, soakRealm, "archiver", "another secret") // the first token takes longest
	s.mu.Lock()
	s.back = time.Now()
	s.mu.Unlock()
}

// callers start, and call until stop, which returns when all have ended.
func (s *soak) callers() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for range soakCallers {
		wg.Go(func() {
			for ctx.Err() == nil {
				s.call()
				select {
				case s.called <- struct{}{}:
				default:
				}
				select {
				case <-ctx.Done():
				case <-time.After(time.Duration(50+rand.IntN(100)) * time.Millisecond):
				}
			}
		})
	}
	return func() { cancel(); wg.Wait() }
}

func (s *soak) call() {
	began := time.Now()
	response, err := s.client.Get(s.service)
	ended := time.Now()
	problem := ""
	if err == nil {
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			problem = response.Status
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	if err != nil {
		if problem = s.inexcusable(err, began, ended); problem == "" {
			s.excused++
		}
	}
	if problem != "" {
		select {
		case s.failed <- fmt.Sprintf("after %v: %s", ended.Sub(s.began), problem):
		default: // one is enough
		}
	}
}

// inexcusable says why a call that brought an error could have had a token, or "" if it could not: there was none that was good, the last attempt to get one failed
// because Keycloak was away, and the next was not due.
func (s *soak) inexcusable(err error, began, ended time.Time) string {
	var failed *clientcreds.Error
	if !errors.As(err, &failed) {
		return fmt.Sprintf("not for want of a token: %v", err)
	}
	for i := len(s.fetches) - 1; i >= 0; i-- {
		f := s.fetches[i]
		over := f.Start.Add(f.Duration)
		switch {
		case over.After(ended): // later than this call
		case f.Err == nil && began.Before(f.Start.Add(f.Lifetime-f.Lifetime/10)): // a tenth is kept for the way of the request
			return fmt.Sprintf("the token of %v ago was good: %v", began.Sub(f.Start), err)
		case f.Err == nil:
			return fmt.Sprintf("no attempt since the last token's end: %v", err)
		case s.gone.IsZero() || over.Before(s.gone) || !s.back.IsZero() && f.Start.After(s.back):
			return fmt.Sprintf("Keycloak was there: %v", err)
		case began.After(f.Next):
			return fmt.Sprintf("an attempt was due %v before the call: %v", began.Sub(f.Next), err)
		default:
			return ""
		}
	}
	return fmt.Sprintf("no attempt at all: %v", err)
}

// checkFetches compares the attempts with what the package documents: none before it is due, two refreshes at least five seconds apart, and a backoff from half a
// second, doubling to thirty. That a refresh is due when four fifths of the token's life are over is not documented, but what its users see.
func (s *soak) checkFetches(t *testing.T) {
	t.Helper()
	failures := 0
	for i, f := range s.fetches {
		if f.Err == nil {
			assert.InDelta(t, s.lifetime.Seconds(), f.Lifetime.Seconds(), 1, "attempt %d", i)
		}
		if i == 0 {
			assert.Equal(t, clientcreds.TriggerFirst, f.Trigger)
			continue
		}
		before := s.fetches[i-1]
		assert.False(t, f.Start.Before(before.Next), "attempt %d came %v before it was due", i, before.Next.Sub(f.Start))
		assert.Contains(t, []clientcreds.Trigger{clientcreds.TriggerAhead, clientcreds.TriggerExpired}, f.Trigger, "attempt %d", i)
		gap := f.Start.Sub(before.Start)
		if before.Err == nil {
			failures = 0
			assert.GreaterOrEqual(t, gap, max(5*time.Second, before.Lifetime*4/5), "attempt %d after a token", i)
			continue
		}
		failures++
		assert.Equal(t, failures, before.Failures, "attempt %d", i)
		// Up to a fifth less, so that many clients don't come together.
		assert.GreaterOrEqual(t, gap, min(500*time.Millisecond<<(failures-1), 30*time.Second)*4/5, "attempt %d after %d failures", i, failures)
	}
}
