package webapp

import (
	"container/list"
	"crypto/rand"
	"net/http"
	"sync"
	"time"
)

const (
	maxPeople      = 10000
	personIdle     = time.Hour
	personLifetime = 12 * time.Hour
	// A guest has a session only from the moment there is something to remember. Each holds at most a text of maxForm bytes.
	maxGuests = 4000
	guestIdle = time.Hour
)

// session is what the app remembers about one browser. The browser has only its id, in a cookie.
type session struct {
	id     string
	person *person // nil for a guest; never changes

	began, used time.Time     // guarded by the store
	place       *list.Element // guarded by the store

	mu      sync.Mutex // guards the following
	flashes []flash
	draft   draft
	signIns []signIn
	guest   *session // that took over when the person's session ended, or nil
}

// draft is a text that could not be posted. It waits for its author to sign in again.
type draft struct {
	Text   string
	author string // subject; empty if the text came from somebody who was not signed in
}

// keep remembers a text that was not posted, so that it is in the form again; an empty one forgets it.
func (s *session) keep(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.draft = draft{Text: text}
	if s.person != nil {
		s.draft.author = s.person.subject
	}
}

func (s *session) kept() draft {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.draft
}

// store keeps sessions in memory, in bounded number and for bounded time. It sweeps while it is used, so it owns no goroutine. Its methods may be called
// concurrently.
type store struct {
	limit          int
	idle, lifetime time.Duration // lifetime 0: as long as it is used

	mu    sync.Mutex // guards the following
	byID  map[string]*session
	order *list.List // of *session, the one used last in front
}

func newStore(limit int, idle, lifetime time.Duration) *store {
	return &store{limit: limit, idle: idle, lifetime: lifetime, byID: map[string]*session{}, order: list.New()}
}

// add gives a session a new id and keeps it. If the store is full, the session that has rested longest goes.
func (st *store) add(s *session) *session {
	now := time.Now()
	st.mu.Lock()
	defer st.mu.Unlock()
	st.sweep(now)
	for len(st.byID) >= st.limit {
		st.drop(st.order.Back().Value.(*session))
	}
	s.id, s.began, s.used = rand.Text(), now, now
	s.place = st.order.PushFront(s)
	st.byID[s.id] = s
	return s
}

// get finds a session that is neither unknown nor expired, and nil otherwise.
func (st *store) get(id string) *session {
	now := time.Now()
	st.mu.Lock()
	defer st.mu.Unlock()
	st.sweep(now)
	s := st.byID[id]
	switch {
	case s == nil:
		return nil
	case st.lifetime > 0 && now.Sub(s.began) >= st.lifetime:
		st.drop(s)
		return nil
	}
	s.used = now
	st.order.MoveToFront(s.place)
	return s
}

// remove ends a session, if it has not ended yet.
func (st *store) remove(s *session) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.byID[s.id] == s {
		st.drop(s)
	}
}

// sweep drops those at the back that have rested too long.
func (st *store) sweep(now time.Time) {
	for last := st.order.Back(); last != nil && now.Sub(last.Value.(*session).used) >= st.idle; last = st.order.Back() {
		st.drop(last.Value.(*session))
	}
}

func (st *store) drop(s *session) {
	delete(st.byID, s.id)
	st.order.Remove(s.place)
}

// cookieName has the prefix that ties a cookie to this very host where browsers allow it, on https.
func (a *App) cookieName() string {
	if a.base.Scheme == "https" {
		return "__Host-messages-session"
	}
	return "messages-session"
}

func (a *App) setCookie(w http.ResponseWriter, s *session) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // G124 wants Secure as a constant: on http, which is for this machine alone, the browser would drop the cookie
		Name: a.cookieName(), Value: s.id, Path: "/", HttpOnly: true, Secure: a.base.Scheme == "https",
		SameSite: http.SameSiteLaxMode, // not Strict: the way back from the issuer needs it
	})
}

// session is the one that the request's cookie names, or nil. An id that is not known here, such as one of an earlier run, is as good as none.
func (a *App) session(r *http.Request) *session {
	cookie, err := r.Cookie(a.cookieName())
	if err != nil {
		return nil
	}
	if s := a.people.get(cookie.Value); s != nil {
		return s
	}
	return a.guests.get(cookie.Value)
}

// sessionOrNew is session, or else a guest's new one.
func (a *App) sessionOrNew(w http.ResponseWriter, r *http.Request) *session {
	if s := a.session(r); s != nil {
		return s
	}
	return a.newGuest(w)
}

func (a *App) newGuest(w http.ResponseWriter) *session {
	s := a.guests.add(&session{})
	a.setCookie(w, s)
	return s
}
