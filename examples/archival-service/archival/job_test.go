package archival

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answer(status int) *http.Response {
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader("a body"))}
}

// jobService is a service whose calls, without any token, end in answer.
func jobService(log io.Writer, answer roundTripFunc) *Service {
	return &Service{
		client: &http.Client{Transport: answer}, archiveURL: "http://messages.test/api/messages/archive", interval: 30 * time.Second,
		logger: slog.New(slog.NewTextHandler(log, nil)),
	}
}

func TestJobRunsAtStartAndAfterEachInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		var at []time.Duration
		s := jobService(io.Discard, func(*http.Request) (*http.Response, error) {
			at = append(at, time.Since(begin))
			time.Sleep(5 * time.Second) // a slow answer: the interval counts from its end
			return answer(200), nil
		})
		ctx, end := context.WithTimeout(t.Context(), 100*time.Second)
		defer end()
		s.runJob(ctx)
		assert.Equal(t, []time.Duration{0, 35 * time.Second, 70 * time.Second}, at)
		assert.Equal(t, 100*time.Second, time.Since(begin), "the end of ctx ends the wait")
	})
}

func TestJobGoesOnWhateverHappens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log logBuffer
		runs := 0
		s := jobService(&log, func(*http.Request) (*http.Response, error) {
			runs++
			switch runs {
			case 1:
				return nil, errors.New("connection refused")
			case 2:
				panic("a bug")
			case 3:
				return answer(403), nil
			}
			return answer(200), nil
		})
		ctx, end := context.WithTimeout(t.Context(), 100*time.Second)
		defer end()
		s.runJob(ctx)
		assert.Equal(t, 4, runs)
		var messages []string
		for line := range strings.Lines(log.String()) {
			_, message, _ := strings.Cut(strings.TrimSpace(line), "level=")
			messages = append(messages, message)
		}
		assert.Equal(t, []string{
			`INFO msg="Running MessageArchivalJob at 2000-01-01T00:00:00Z"`,
			`ERROR msg="Error while invoking Archive messages API" error="Post \"http://messages.test/api/messages/archive\": connection refused"`,
			`INFO msg="Running MessageArchivalJob at 2000-01-01T00:00:30Z"`,
			`ERROR msg="MessageArchivalJob panicked" panic="a bug"`,
			`INFO msg="Running MessageArchivalJob at 2000-01-01T00:01:00Z"`,
			`ERROR msg="Error while invoking Archive messages API" error="Archive messages response code: 403 Forbidden"`,
			`INFO msg="Running MessageArchivalJob at 2000-01-01T00:01:30Z"`,
			`INFO msg="Archive messages response code: 200 OK"`,
		}, messages)
	})
}
