package archival

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// runJob archives now and then each time that the interval has passed since the last run ended, until ctx ends.
func (s *Service) runJob(ctx context.Context) {
	for {
		s.runOnce(ctx)
		select {
		case <-ctx.Done():
			return
		case <-time.After(s.interval):
		}
	}
}

// runOnce must return whatever happens in it, or the job would be dead without anybody noticing.
func (s *Service) runOnce(ctx context.Context) {
	defer func() {
		if p := recover(); p != nil {
			s.logger.Error("MessageArchivalJob panicked", "panic", fmt.Sprint(p))
		}
	}()
	s.logger.Info("Running MessageArchivalJob at " + time.Now().UTC().Format(time.RFC3339))
	_ = s.archive(ctx) // logged there; the next run tries again
}

// archive asks messages-service to archive, and logs what came of it. Any answer but a 2xx is an error.
func (s *Service) archive(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.archiveURL, nil)
	if err != nil {
		return err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		if ctx.Err() != nil { // the service is ending, or the caller is gone
			return ctx.Err()
		}
		s.logger.Error("Error while invoking Archive messages API", "error", err)
		return err
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, 64<<10) // a body read to its end lets the connection be used again
	status := fmt.Sprintf("%d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	if resp.StatusCode/100 != 2 {
		s.logger.Error("Error while invoking Archive messages API", "error", "Archive messages response code: "+status)
		return fmt.Errorf("messages-service answered %s", status)
	}
	s.logger.Info("Archive messages response code: " + status)
	return nil
}
