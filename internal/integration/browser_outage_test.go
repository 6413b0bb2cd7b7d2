package integration

import (
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// servicesStop stops one service after the other in the middle of a story, and starts it again.
func servicesStop(t *testing.T, shared *stage) {
	s := newStage(t, shared.issuer, shared.browser, sparePlace)
	v := s.signedIn(t, "admin")
	v.post(t, "Before anything stopped")
	before := s.messages.log.count(archived)
	v.click(t, archiveButton)
	v.told(t, "done", "All messages are archived.")
	s.messages.logs(t, before, archived)

	s.archival.stop(t)
	before = s.messages.log.count(archived)
	v.click(t, archiveButton)
	v.told(t, "failed", "archival-service can't be reached. Nothing was archived. Try again in a moment.")
	v.picture(t, "archival-service-stopped")
	s.webapp.logs(t, 0, "Error while invoking Archive messages API")
	assert.Equal(t, before, s.messages.log.count(archived))
	v.reads(t, contents, "Before anything stopped")

	s.archival = serve(t, "archival-service", strings.TrimPrefix(s.archival.url, "http://"), []string{"OAUTH_CLIENT_SECRET=" + jobSecret},
		"-issuer", s.issuer.URL(wide), "-messages-url", s.messages.url, "-interval", "1h")
	s.ranJob(t, before)
	before = s.messages.log.count(archived)
	v.click(t, archiveButton)
	v.told(t, "done", "All messages are archived.")
	s.messages.logs(t, before, archived)
	assert.Equal(t, before+1, s.messages.log.count(archived))

	s.messages.stop(t)
	v.open(t, s.webapp.url)
	v.reads(t, "h1", "Welcome Ada Admin")
	v.reads(t, "main .flash.failed", "The messages can’t be shown: messages-service can’t be reached, or has a problem.")
	v.picture(t, "messages-service-stopped")
	v.post(t, "While messages-service is away")
	v.reads(t, ".flashes .flash.failed", "messages-service can't be reached. Nothing was posted, and your text is in the form again. Try again in a moment.")
	v.picture(t, "post-failed")
	v.click(t, archiveButton)
	v.reads(t, ".flashes .flash.failed", "archival-service could not get messages-service to archive. Nothing was archived. Try again later.")
	s.webapp.logs(t, 0, "Archive messages response code: 502 Bad Gateway")

	s.messages = messages(t, s.issuer.URL(wide), strings.TrimPrefix(s.messages.url, "http://"))
	assert.Equal(t, "While messages-service is away", v.value(t, messageField))
	v.click(t, submitButton)
	v.told(t, "done", "Your message is posted.")
	list := s.posted(t)
	assert.Equal(t, "admin: While messages-service is away", list[len(list)-1])
}

// comeBackLate signs somebody in whose tokens live for ten seconds. The function it returns goes on half a minute later: messages-webapp must have got new
// tokens by then. A token that has ended is good for another minute at a service, so what it is sent is looked at on the way.
func comeBackLate(t *testing.T, shared *stage) func(*testing.T) {
	var mu sync.Mutex // guards left
	var left []time.Duration
	target, err := url.Parse(shared.messages.url)
	require.NoError(t, err)
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		if token, ok := strings.CutPrefix(r.In.Header.Get("Authorization"), "Bearer "); ok {
			expiry, _ := claims(t, token, 1)["exp"].(float64)
			mu.Lock()
			defer mu.Unlock()
			left = append(left, time.Until(time.Unix(int64(expiry), 0)))
		}
	}})
	t.Cleanup(proxy.Close)
	s := *shared
	s.webapp = shared.startWebapp(t, latePlace, tenSecondsWebapp, proxy.URL)
	v := s.signedIn(t, "user")
	ready := time.After(30 * time.Second)

	return func(t *testing.T) {
		<-ready
		v.post(t, "Half a minute later")
		v.told(t, "done", "Your message is posted.")
		v.reads(t, "h1", "Welcome Uma User")
		v.picture(t, "late-post")
		assert.Contains(t, s.posted(t), "user: Half a minute later")
		mu.Lock()
		defer mu.Unlock()
		require.NotEmpty(t, left)
		for _, one := range left {
			assert.Positive(t, one, "how long the token was good for when it came to messages-service")
			assert.LessOrEqual(t, one, 10*time.Second)
		}
	}
}
