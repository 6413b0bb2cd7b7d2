package keycloaktest

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTransportInABubble(t *testing.T) {
	s := start(t, Config{}) // outside the bubble
	synctest.Test(t, func(t *testing.T) {
		client := &http.Client{Transport: s.Transport(), Timeout: time.Second}
		ask := func() (int, map[string]any) {
			res, err := client.Post(s.tokenURL(), formType, strings.NewReader("grant_type=client_credentials&client_id=job&client_secret=job-secret"))
			require.NoError(t, err)
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			require.NoError(t, err)
			_, rest, _ := strings.Cut(string(body), `"access_token":"`)
			token, _, _ := strings.Cut(rest, `"`)
			return res.StatusCode, claimsOf(t, token)
		}
		status, first := ask()
		assert.Equal(t, 200, status)
		assert.EqualValues(t, time.Now().Unix(), first["iat"], "tokens have the bubble's time")
		time.Sleep(time.Hour)
		_, second := ask()
		assert.Equal(t, first["iat"].(float64)+3600, second["iat"])
		assert.Equal(t, 2, s.Requests(s.tokenURL()))
	})
}

func TestTransportFails(t *testing.T) {
	s := start(t, Config{})
	client := &http.Client{Transport: s.Transport()}
	_, err := client.Get("http://127.0.0.1:1/")
	assert.ErrorContains(t, err, "this transport only reaches")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.certsURL(), nil)
	require.NoError(t, err)
	_, err = client.Do(req)
	assert.ErrorIs(t, err, context.Canceled)
	assert.Zero(t, s.Requests(s.certsURL()))

	s.SetDown(true)
	_, err = client.Get(s.certsURL())
	assert.ErrorIs(t, err, errClosed)
	assert.Equal(t, 1, s.Requests(s.certsURL()))
}

func TestTransportOfBrokenAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(t, Config{InMemory: true})
		ask := func() (*http.Response, error) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.certsURL(), nil)
			require.NoError(t, err)
			return s.Transport().RoundTrip(req)
		}
		whole, err := ask()
		require.NoError(t, err)
		s.SetTrouble(JWKSEndpoint, Truncated().Times(1), Hanging())
		cut, err := ask()
		require.NoError(t, err)
		assert.Equal(t, whole.ContentLength, cut.ContentLength, "the length that was promised")
		_, err = ask()
		assert.Equal(t, context.DeadlineExceeded, err, "the caller's own end, not a closed connection")
	})
}
