package webapp

import (
	"net/http"
	"net/url"
)

// signOut ends the session here at once, and then sends the browser to the issuer to end it there too (OpenID Connect RP-Initiated Logout 1.0). Unsent text
// goes with the session: the next person at this browser is perhaps another one.
func (a *App) signOut(w http.ResponseWriter, r *http.Request) {
	old := a.session(r)
	if old == nil || old.person == nil {
		backHome(w, r, a.sessionOrNew(w, r), notice, "You were not signed in.")
		return
	}
	a.people.remove(old)
	s := a.newGuest(w)
	m, err := a.provider.metadata.get(r.Context())
	target, parseErr := url.Parse(m.EndSession)
	if err != nil || parseErr != nil || m.EndSession == "" {
		backHome(w, r, s, notice, "You are logged out here. The sign-in service could not be told, so it may still know you: close the browser if others use it.")
		return
	}
	query := target.Query()
	query.Set("id_token_hint", old.person.logoutHint())
	query.Set("client_id", a.provider.clientID)
	query.Set("post_logout_redirect_uri", a.base.JoinPath("/").String())
	target.RawQuery = query.Encode()
	s.addFlash(done, "You are logged out.")
	http.Redirect(w, r, target.String(), http.StatusSeeOther)
}

// endSession turns somebody whose session is over into a guest, the same one for all requests that find out at the same time. What the person was writing waits
// for that person alone.
func (a *App) endSession(w http.ResponseWriter, s *session) *session {
	a.people.remove(s)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.guest == nil {
		s.guest = a.guests.add(&session{})
	}
	a.setCookie(w, s.guest)
	s.guest.mu.Lock()
	s.guest.draft = s.draft
	s.guest.mu.Unlock()
	return s.guest
}
