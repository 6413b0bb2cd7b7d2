package compare

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// keyRows are about the set of keys that the issuer publishes.
var keyRows = []row{
	{
		text:    "The issuer signs with a new key: its tokens pass after",
		observe: onServer(options{}, newKey),
		want:    cells{"at once", "at once", "at once", "12 min"},
	},
	{
		text:    "… while somebody sends a forged token every second",
		observe: onServer(options{}, newKeyAmongForgeries),
		want:    cells{"30 s", "at once", "5 min", "12 min"},
	},
	{
		text:    "1,000 tokens in 30 s with made-up key ids: requests to the issuer",
		observe: onServer(options{}, madeUpKeys),
		want:    cells{"1", "1,000", "1", "0"},
	},
	{
		text:    "A key that the issuer withdraws, beside others that stay, is accepted for up to",
		observe: onServer(options{}, withdrawnKey),
		want:    cells{"10 min", "over a day", "1 h", "15 min"},
	},
	{
		text:    "A key of an unknown kind in the set (`secp256k1`, Ed448, ML-DSA) leaves the others usable",
		observe: besideKeys(unknownKinds),
		want:    cells{"yes", "yes", "yes", "only Ed448"},
	},
	{
		text:    "A malformed key in the set leaves the others usable",
		observe: besideKeys(malformed),
		want:    cells{"yes", "no", "no", "no"},
	},
	{
		text:    "A key set of 4 MiB is read to its end",
		observe: hugeKeySet,
		want:    cells{"no", "yes", "yes", "no"},
	},
}

// untilAccepted asks once a second and returns how long it took until tokens by k pass.
func (s *service) untilAccepted(k key) time.Duration {
	start, token := time.Now(), k.access(nil)
	for !s.accepts(token) {
		time.Sleep(time.Second)
		require.Less(s.t, time.Since(start), 24*time.Hour)
	}
	return time.Since(start)
}

func newKey(s *service) string {
	time.Sleep(time.Second)
	s.issuer.publish(keys()[0].jwk(), keys()[1].jwk())
	return rough(s.untilAccepted(keys()[1]))
}

// newKeyAmongForgeries takes the worst moment: the forged tokens begin right before the change.
func newKeyAmongForgeries(s *service) string {
	time.Sleep(time.Second)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for n := 0; ; n++ {
			s.accepts(forged(n))
			select {
			case <-stop:
				return
			case <-time.After(time.Second):
			}
		}
	}()
	time.Sleep(10 * time.Millisecond)
	s.issuer.publish(keys()[0].jwk(), keys()[1].jwk())
	after := s.untilAccepted(keys()[1])
	close(stop)
	<-stopped
	return rough(after)
}

var anyToken = sync.OnceValue(func() string { return keys()[0].access(nil) })

// forged is a token whose key nobody has. Its signature is any.
func forged(number int) string {
	_, rest, _ := strings.Cut(anyToken(), ".")
	return base64url(fmt.Appendf(nil, `{"alg":"RS256","typ":"JWT","kid":"made-up-%d"}`, number)) + "." + rest
}

func madeUpKeys(s *service) string {
	before, _ := s.issuer.requests()
	for n := range 1000 {
		require.False(s.t, s.accepts(forged(n)))
		time.Sleep(30 * time.Millisecond)
	}
	after, _ := s.issuer.requests()
	return thousands(after - before)
}

// withdrawnKey has two keys known and in use, and withdraws the one.
func withdrawnKey(s *service) string {
	s.issuer.publish(keys()[0].jwk(), keys()[1].jwk())
	s.untilAccepted(keys()[1])
	s.issuer.publish(keys()[1].jwk())
	staying, withdrawn := keys()[1].access(nil), keys()[0].access(nil)
	step := time.Minute
	for start := time.Now(); time.Since(start) < 25*time.Hour; time.Sleep(step) {
		require.True(s.t, s.accepts(staying))
		if !s.accepts(withdrawn) {
			return upTo(time.Since(start)-step, 10*time.Minute, 15*time.Minute, time.Hour)
		}
		if time.Since(start) > 2*time.Hour {
			step = 10 * time.Minute
		}
	}
	return "over a day"
}

// oddKey is one that the libraries can't use.
type oddKey struct {
	name string
	jwk  map[string]string
}

var (
	unknownKinds = []oddKey{
		{"`secp256k1`", map[string]string{
			"kid": "odd", "kty": "EC", "crv": "secp256k1", "alg": "ES256K", "use": "sig",
			"x": "WKn-ZIGevcwGIyyrzFoZNBdaq9_TsqzGl96oc0CWuis", "y": "y77t-RvAHRKTsSGdIYUfweuOvwrvDD-Q3Hv5J0fSKbE",
		}},
		{"Ed448", map[string]string{"kid": "odd", "kty": "OKP", "crv": "Ed448", "use": "sig", "x": base64url(make([]byte, 57))}},
		{"ML-DSA", map[string]string{"kid": "odd", "kty": "AKP", "alg": "ML-DSA-65", "use": "sig", "pub": base64url(make([]byte, 1952))}},
	}
	malformed = []oddKey{
		{"without its modulus", map[string]string{"kid": "odd", "kty": "RSA", "alg": "RS256", "use": "sig", "e": "AQAB"}},
	}
)

// besideKeys looks whether the issuer's own key can be used beside each of the odd ones.
func besideKeys(odd []oddKey) func(*testing.T, column) string {
	return func(t *testing.T, c column) string {
		var fine []string
		for _, o := range odd {
			virtually(t, func(t *testing.T) {
				n, i := newNetwork()
				i.publish(o.jwk, keys()[0].jwk())
				g, err := c.server(t.Context(), n, options{})
				require.NoError(t, err)
				if g.accepts(t.Context(), keys()[0].access(nil)) {
					fine = append(fine, o.name)
				}
			})
		}
		switch len(fine) {
		case len(odd):
			return "yes"
		case 0:
			return "no"
		}
		return "only " + strings.Join(fine, ", ")
	}
}

func hugeKeySet(t *testing.T, c column) (seen string) {
	virtually(t, func(t *testing.T) {
		const size = 4 << 20
		n, i := newNetwork()
		i.padding = size
		g, err := c.server(t.Context(), n, options{})
		require.NoError(t, err)
		g.accepts(t.Context(), keys()[0].access(nil))
		requests, _ := i.requests()
		require.NotZero(t, requests)
		seen = yes(n.read.Load() > size)
	})
	return seen
}
