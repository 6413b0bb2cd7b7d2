package keycloaktest

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestShelf(t *testing.T) {
	var s shelf[int]
	start := time.Unix(0, 0)
	at := func(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }
	s.put("a", 1, at(10), start)
	_, ok := s.get("a", at(10))
	assert.False(t, ok, "expired")
	assert.Empty(t, s.values)

	for i := range maxShelved {
		s.put(fmt.Sprint(i), i, at(i+1), start)
	}
	s.put("5", 50, at(6), start)
	assert.Len(t, s.values, maxShelved, "a known key takes no room")
	s.put("one more", 0, at(5000), start)
	assert.Len(t, s.values, maxShelved)
	_, ok = s.get("0", start)
	assert.False(t, ok, "what would expire first makes room")
	s.put("and more", 0, at(5000), at(100))
	assert.Len(t, s.values, maxShelved-99+1, "what has expired is swept")
	value, ok := s.take("200", at(100))
	assert.Equal(t, 200, value)
	assert.True(t, ok)
	_, ok = s.take("200", at(100))
	assert.False(t, ok)
}

func TestLoginPagesAreBounded(t *testing.T) {
	s := start(t, Config{})
	client := &http.Client{Transport: s.Transport()}
	for range maxShelved + 10 {
		for _, query := range []string{"/auth?response_type=code&client_id=webapp&redirect_uri=http://127.0.0.1/", "/logout"} {
			res, err := client.Get(s.Issuer() + "/protocol/openid-connect" + query)
			if assert.NoError(t, err) {
				assert.Equal(t, 200, res.StatusCode)
			}
		}
	}
	assert.Len(t, s.sso.logins.values, maxShelved)
	assert.Len(t, s.sso.logouts.values, maxShelved)
}

func FuzzRefreshToken(f *testing.F) {
	k := newRefreshKey()
	good := k.sign(nil, map[string]any{"typ": "Refresh", "sid": "s"})
	f.Add(good)
	f.Add("a.b.c")
	f.Add(k.sign(nil, map[string]any{"typ": "Bearer"}))
	f.Fuzz(func(t *testing.T, token string) {
		if _, ok := k.read(token); ok && token != good {
			t.Fatalf("read: %q", token)
		}
	})
}
