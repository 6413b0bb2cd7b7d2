package webapp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"golang.org/x/oauth2"
)

const (
	serviceTimeout = 20 * time.Second // archival-service calls another service in its turn
	maxServiceBody = 16 << 20         // bytes: all the messages that messages-service keeps, at their longest
)

// newServiceClient makes the client for the two services. It follows no redirect, which would take the person's token along or turn a post into a get.
func newServiceClient() *http.Client {
	return &http.Client{
		Timeout:       serviceTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// callAs posts to a service with the person's token, and returns the status of the answer. A token that the service refuses is replaced once. Its error is that
// of accessToken, or of the network.
func (a *App) callAs(ctx context.Context, p *person, url, contentType string, body []byte) (int, error) {
	var refused *oauth2.Token
	for {
		token, err := a.accessToken(ctx, p, refused)
		if refused != nil && errors.Is(err, errIssuerUnavailable) {
			return http.StatusUnauthorized, nil // the service's answer stands
		}
		if err != nil {
			return 0, err
		}
		status, err := a.post(ctx, token, url, contentType, body)
		if err != nil || status != http.StatusUnauthorized || refused != nil {
			return status, err
		}
		refused = token
	}
}

func (a *App) post(ctx context.Context, token *oauth2.Token, url, contentType string, body []byte) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	token.SetAuthHeader(req)
	resp, err := a.services.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, 64<<10) // a body read to its end lets the connection be used again
	return resp.StatusCode, nil
}

// trouble says what a person should know when a service could not be asked, or did not do what it was asked. nothing is what did not happen.
func trouble(service string, status int, err error, nothing string) string {
	switch {
	case errors.Is(err, errIssuerUnavailable):
		return "The sign-in service can't be reached right now, and without it " + service + " can't be called. " + nothing + " Try again in a moment."
	case isTimeout(err):
		return service + " did not answer in time. It may have done what you asked: look before you try again."
	case err != nil:
		return service + " can't be reached. " + nothing + " Try again in a moment."
	case status == http.StatusUnauthorized:
		return service + " did not accept your sign-in. " + nothing + " Log out, log in and try again."
	}
	return fmt.Sprintf("%s has a problem (%d %s). %s Try again later.", service, status, http.StatusText(status), nothing)
}

func isTimeout(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)
}
