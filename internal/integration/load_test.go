package integration

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestRotationUnderLoad rotates the issuer's key under a service that is busy: no good token is refused, of the old key or of the new one.
func TestRotationUnderLoad(t *testing.T) {
	onEachIssuer(t, func(t *testing.T, one issuer) {
		m := messages(t, one.URL(wide), "")
		before := service(t, one, wide, "as-job", "secret")
		old := callers(t, m, func() string { return before })
		one.RotateKeys(t, wide)
		after := service(t, one, wide, "as-job", "secret")
		require.NotEqual(t, keyID(t, before), keyID(t, after))
		fresh := callers(t, m, func() string { return after })
		require.Eventually(t, func() bool { return old.count.Load() > 200 && fresh.count.Load() > 200 }, 30*time.Second, 20*time.Millisecond)
		assert.Zero(t, old.end(), "refused, of the old key")
		assert.Zero(t, fresh.end(), "refused, of the new key")
	})
}

// TestRotationWhileKeysAreMadeUp does the same while somebody keeps sending tokens of keys that nobody has. A new key may then have to wait for the cooldown, 30
// seconds, and no longer; the old one never.
func TestRotationWhileKeysAreMadeUp(t *testing.T) {
	if !long {
		return // its half a minute belongs to the long run; TestRotationWhileForgedKidsArrive of resourceserver is the same in virtual time
	}
	onEachIssuer(t, func(t *testing.T, one issuer) {
		const cooldown = 30 * time.Second
		m := messages(t, one.URL(wide), "")
		before := service(t, one, wide, "as-job", "secret")
		require.Equal(t, http.StatusOK, archive(t, m, before).status)
		made := callers(t, m, func() string { return otherKey(t, before) })
		require.Eventually(t, func() bool { return made.count.Load() > 100 }, 30*time.Second, 20*time.Millisecond)
		old := callers(t, m, func() string { return before })

		one.RotateKeys(t, wide)
		after, begin := service(t, one, wide, "as-job", "secret"), time.Now()
		require.Eventually(t, func() bool { return archiveStatus(t, m, after) == http.StatusOK }, cooldown+5*time.Second, 50*time.Millisecond)
		t.Logf("%s: the new key was taken after %v", one.Name(), time.Since(begin).Round(100*time.Millisecond))
		fresh := callers(t, m, func() string { return after })
		require.Eventually(t, func() bool { return fresh.count.Load() > 200 }, 30*time.Second, 20*time.Millisecond)
		assert.Zero(t, old.end(), "refused, of the old key")
		assert.Zero(t, fresh.end(), "refused, of the new key")
		refused := made.end()
		assert.Equal(t, made.count.Load(), refused, "made up, and all refused")
	})
}

// crowd is some callers who repeat a call, each a hundred times a second at most: the issuer needs a part of the machine too.
type crowd struct {
	count, refused atomic.Int64
	stop           chan struct{}
	done           sync.WaitGroup
}

func callers(t *testing.T, p *program, token func() string) *crowd {
	c := &crowd{stop: make(chan struct{})}
	for range 4 {
		c.done.Go(func() {
			pace := time.NewTicker(10 * time.Millisecond)
			defer pace.Stop()
			for {
				select {
				case <-c.stop:
					return
				case <-pace.C:
				}
				if archiveStatus(t, p, token()) != http.StatusOK {
					c.refused.Add(1)
				}
				c.count.Add(1)
			}
		})
	}
	t.Cleanup(func() { c.end() })
	return c
}

// end waits for the callers and says how many answers were not 200. It may be called again.
func (c *crowd) end() int64 {
	select {
	case <-c.stop:
	default:
		close(c.stop)
	}
	c.done.Wait()
	return c.refused.Load()
}

// otherKey is a token that names a key which nobody has.
func otherKey(t *testing.T, token string) string {
	_, rest, _ := strings.Cut(token, ".")
	header, err := json.Marshal(object{"alg": "RS256", "typ": "JWT", "kid": rand.Text()})
	assert.NoError(t, err)
	return base64.RawURLEncoding.EncodeToString(header) + "." + rest
}
