package webapp

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func (st *story) tokenRequests() int {
	return st.realm.Requests(st.realm.Issuer() + "/protocol/openid-connect/token")
}

// expire makes the access token of the person at the browser old.
func (st *story) expire(b *browser) *person {
	b.t.Helper()
	s := st.session(b)
	require.NotNil(b.t, s)
	require.NotNil(b.t, s.person)
	s.person.mu.Lock()
	defer s.person.mu.Unlock()
	old := *s.person.token
	old.Expiry = time.Now().Add(-time.Minute)
	s.person.take(&old)
	return s.person
}

func TestOneRefreshForParallelRequests(t *testing.T) {
	st := newStory(t)
	b := st.browser(t)
	b.signIn("user")
	st.expire(b)
	before := st.tokenRequests()
	var parallel sync.WaitGroup
	for range 20 {
		parallel.Go(func() {
			token, err := st.app.accessToken(t.Context(), st.session(b).person, nil)
			assert.NoError(t, err)
			assert.True(t, time.Now().Before(token.Expiry))
		})
	}
	parallel.Wait()
	assert.Equal(t, before+1, st.tokenRequests())
	b.say("after").atHome(t, "done: Your message is posted.")
	assert.Equal(t, before+1, st.tokenRequests(), "the new token is kept")
}

func TestTokenIsReplacedBeforeItExpires(t *testing.T) {
	st := newStory(t)
	b := st.browser(t)
	b.signIn("user")
	who := st.session(b).person
	for lifetime, margin := range map[time.Duration]time.Duration{5 * time.Minute: 15 * time.Second, 10 * time.Second: 2 * time.Second} {
		token := *who.token
		token.Expiry = time.Now().Add(lifetime)
		who.take(&token)
		assert.WithinDuration(t, token.Expiry.Add(-margin), who.renewAt, 100*time.Millisecond)
	}
	old := who.token
	who.renewAt = time.Now()
	token, err := st.app.accessToken(t.Context(), who, nil)
	require.NoError(t, err)
	assert.Same(t, old, token, "nobody waits while the old one is good")
	assert.Eventually(t, func() bool {
		token, err := st.app.accessToken(t.Context(), who, nil)
		return err == nil && token != old
	}, 5*time.Second, time.Millisecond)
}

func TestRefreshOutlivesWhoAskedForIt(t *testing.T) {
	st := newStory(t)
	b := st.browser(t)
	b.signIn("user")
	who := st.expire(b)
	asked, answer := make(chan struct{}), make(chan struct{})
	st.intercept(func(r *http.Request) (*http.Response, error) {
		close(asked)
		<-answer
		return http.DefaultTransport.RoundTrip(r)
	})
	ctx, leave := newContext(t)
	left := make(chan error)
	go func() { _, err := st.app.accessToken(ctx, who, nil); left <- err }()
	<-asked
	leave()
	assert.ErrorIs(t, <-left, ctx.Err())
	close(answer)
	token, err := st.app.accessToken(t.Context(), who, nil) // joins the same refresh, or finds its outcome
	require.NoError(t, err)
	assert.True(t, time.Now().Before(token.Expiry))
}

func TestIssuerAwayEndsNoSession(t *testing.T) {
	st := newStory(t)
	b := st.browser(t)
	b.signIn("user")
	who := st.expire(b)
	st.realm.SetDown(true)
	v := b.say("text")
	v.atHome(t, "failed: The sign-in service can't be reached right now, and without it messages-service can't be called. "+
		"Nothing was posted, and your text is in the form again. Try again in a moment.")
	assert.Equal(t, "text", v.typed())
	assert.Contains(t, v.html, "Welcome <bdi>Uma User</bdi>")
	tried := st.tokenRequests()
	b.say("text")
	assert.Equal(t, tried, st.tokenRequests(), "not at once again")

	st.realm.SetDown(false)
	who.mu.Lock()
	who.retryAt = time.Now()
	who.mu.Unlock()
	b.say("text").atHome(t, "done: Your message is posted.")

	st.expire(b)
	st.realm.SetSecret("messages-webapp", "another") // a fault of the installation, not of the person
	v = b.say("text")
	assert.Contains(t, v.said(), "The sign-in service can't be reached right now")
	assert.Contains(t, v.html, "Welcome <bdi>Uma User</bdi>")
	assert.NotContains(t, st.log.String(), "demo-secret")
}

func TestOverIsOver(t *testing.T) {
	st := newStory(t)
	b := st.browser(t)
	b.signIn("admin")
	st.expire(b)
	st.realm.EndSessions("admin")
	before := st.cookie(b).Value
	v := b.get("/")
	v.atHome(t, "notice: Your session is over. You can go on reading; log in again to post.")
	assert.Contains(t, v.html, "Welcome Guest")
	assert.NotEqual(t, before, st.cookie(b).Value)

	b.signIn("admin")
	st.expire(b)
	st.realm.EndSessions("admin")
	b.post("/messages/archive", nil).atHome(t, "failed: Your session is over. Nothing was archived: log in again.")

	b.signIn("admin")
	st.expire(b)
	st.realm.EndSessions("admin")
	v = b.say("ten minutes' work")
	v.atHome(t, "failed: Your session is over. Your message is kept: log in again, and it is in the form.")
	v = b.signIn("admin")
	assert.Equal(t, "ten minutes' work", v.typed())
	b.say(v.typed()).atHome(t, "done: Your message is posted.")
}

func TestTheTextOfAnEndedSessionIsInOnePlace(t *testing.T) {
	st := newStory(t)
	b := st.browser(t)
	b.signIn("user")
	s := st.session(b)
	s.keep("text")
	var guests [8]*session
	var parallel sync.WaitGroup
	for i := range guests {
		parallel.Go(func() { guests[i] = st.app.endSession(discardedResponse(), s) })
	}
	parallel.Wait()
	for _, guest := range guests {
		assert.Same(t, guests[0], guest)
	}
	assert.Equal(t, "text", guests[0].kept().Text)
}

func TestRefusedTokenIsReplacedOnce(t *testing.T) {
	st := newStory(t)
	b := st.browser(t)
	b.signIn("user")
	before := st.tokenRequests()
	var posts, bodies atomic.Int32
	st.messages.answer(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "POST" && posts.Add(1) == 1 {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if r.ContentLength > 0 {
			bodies.Add(1)
		}
		st.messages.service.ServeHTTP(w, r)
	})
	b.say("text").atHome(t, "done: Your message is posted.")
	assert.Equal(t, before+1, st.tokenRequests())
	assert.EqualValues(t, 1, bodies.Load(), "the body is sent again, too")

	posts.Store(0)
	st.messages.answer(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "POST" {
			posts.Add(1)
		}
		w.WriteHeader(http.StatusUnauthorized)
	})
	before = st.tokenRequests()
	assert.Contains(t, b.say("text").said(), "messages-service did not accept your sign-in.")
	assert.Equal(t, before+1, st.tokenRequests())
	assert.EqualValues(t, 2, posts.Load())
}

func TestKeyRotation(t *testing.T) {
	for _, keepOld := range []bool{true, false} {
		st := newStory(t)
		b, later := st.browser(t), st.browser(t)
		b.signIn("user")
		st.realm.RotateKeys(keepOld)
		later.signIn("admin").atHome(t, "done: You are signed in as Ada Admin.")
		st.expire(b)
		b.say("text").atHome(t, "done: Your message is posted.")
	}
}
