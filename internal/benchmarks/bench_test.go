package benchmarks

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// The benchmarks are for profiles, such as
//
//	go test -run '^$' -bench 'Verify/RS256/svcauth/new' -cpuprofile cpu.out
//
// To compare, use the report: it gives all contenders the same machine.

// bench runs c as often as the benchmark wants, with a new slice whenever its limit is reached.
func bench(b *testing.B, c *contender) {
	b.Helper()
	_, err := c.slice(1)
	require.NoError(b, err)
	b.ReportAllocs()
	b.ResetTimer()
	for left := b.N; left > 0; {
		n := left
		if c.limit > 0 {
			n = min(n, c.limit)
		}
		if c.before != nil {
			b.StopTimer()
			c.before()
			b.StartTimer()
		}
		if _, err := c.run(n); err != nil {
			b.Fatal(err)
		}
		left -= n
	}
}

func BenchmarkVerify(b *testing.B) {
	for _, algorithm := range Algorithms {
		tokens, err := testIssuer.mintMany(algorithm, 512, func(n int) Claims { return newClaims(testIssuer.Realm(realm), n) })
		require.NoError(b, err)
		lab := newLab(tiny, testIssuer)
		floor, err := lab.floor(algorithm, tokens)
		require.NoError(b, err)
		b.Run(algorithm+"/signature", func(b *testing.B) { bench(b, floor) })
		for _, peer := range Peers {
			v, err := peer.New(b.Context(), lab.want(algorithm))
			require.NoError(b, err)
			b.Run(algorithm+"/"+peer.Name+"/new", func(b *testing.B) { bench(b, verifying(b.Context(), v, tokens, true)) })
			b.Run(algorithm+"/"+peer.Name+"/again", func(b *testing.B) { bench(b, verifying(b.Context(), v, tokens[:1], false)) })
		}
	}
}

func BenchmarkMiddleware(b *testing.B) {
	tokens, err := testIssuer.mintMany(RS256, 1, func(n int) Claims { return newClaims(testIssuer.Realm(realm), n) })
	require.NoError(b, err)
	request, err := newRequest(b.Context(), tokens[0])
	require.NoError(b, err)
	bare := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	for _, peer := range Peers {
		v, err := peer.New(b.Context(), newLab(tiny, testIssuer).want(RS256))
		require.NoError(b, err)
		b.Run(peer.Name+"/again", func(b *testing.B) { bench(b, serving(peer.Name, v.Middleware(bare), []*http.Request{request})) })
	}
}

func BenchmarkClient(b *testing.B) {
	endpoint := newTokenEndpoint(0, false)
	defer endpoint.close()
	base := &noNetwork{http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody}}
	request, err := newRequest(b.Context(), "")
	require.NoError(b, err)
	request.Header.Del("Authorization")
	for _, peer := range TokenPeers {
		client, err := peer.New(b.Context(), endpoint.server.URL)
		require.NoError(b, err)
		b.Run(peer.Name+"/token", func(b *testing.B) { bench(b, serial(peer.Name, func(int) error { return client.Token(b.Context()) })) })
		b.Run(peer.Name+"/roundtrip", func(b *testing.B) { bench(b, roundTrips(peer.Name, client.Transport(base), request)) })
	}
}
