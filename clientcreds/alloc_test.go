package clientcreds

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAllocations(t *testing.T) {
	source := newTestSource(t, &script{next: tokens(time.Hour)}, func(c *Config) {
		c.AllowHTTP = []string{"[fd00::1]:80", "api.internal:8080"}
		c.Origins = []string{"https://api.example", "http://api.internal:8080"}
	})
	ctx := t.Context()
	_, err := source.TokenContext(ctx)
	require.NoError(t, err)
	assert.Zero(t, testing.AllocsPerRun(1000, func() { _, _ = source.TokenContext(ctx) }), "a fresh token")

	answer := &http.Response{StatusCode: 200}
	transport := source.Transport(roundTrip(func(*http.Request) (*http.Response, error) { return answer, nil }))
	for _, url := range []string{"https://api.example/api/messages", "http://api.internal:8080/api/messages"} {
		req, err := http.NewRequest("GET", url, nil)
		require.NoError(t, err)
		for _, name := range []string{"Accept", "User-Agent", "X-Request-Id", "Traceparent"} {
			req.Header.Set(name, "x")
		}
		n := testing.AllocsPerRun(1000, func() { _, _ = transport.RoundTrip(req) })
		t.Logf("%v allocations a round trip to %s", n, url)
		assert.LessOrEqual(t, n, 3.0, "the request, its header and the header's table")
	}
}

func BenchmarkTokenContext(b *testing.B) {
	source := newTestSource(b, &script{next: tokens(time.Hour)})
	ctx := b.Context()
	_, _ = source.TokenContext(ctx)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			_, _ = source.TokenContext(ctx)
		}
	})
}

func BenchmarkRoundTrip(b *testing.B) {
	source := newTestSource(b, &script{next: tokens(time.Hour)})
	answer := &http.Response{StatusCode: 200}
	transport := source.Transport(roundTrip(func(*http.Request) (*http.Response, error) { return answer, nil }))
	req, _ := http.NewRequest("GET", "https://api.example/api/messages", nil)
	for _, name := range []string{"Accept", "User-Agent", "X-Request-Id", "Traceparent"} {
		req.Header.Set(name, "x")
	}
	b.ReportAllocs()
	for b.Loop() {
		_, _ = transport.RoundTrip(req)
	}
}
