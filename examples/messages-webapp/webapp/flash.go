package webapp

import "net/http"

// kind is how a flash looks and how urgently screen readers say it.
type kind string

const (
	done   kind = "done"
	notice kind = "notice"
	failed kind = "failed"
)

// flash is a message that the next page shows once: what came of an action.
type flash struct {
	Kind kind
	Text string
}

// maxFlashes bounds what waits in a session for a page to show it; the oldest go.
const maxFlashes = 4

func (s *session) addFlash(k kind, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flashes = append(s.flashes, flash{k, text})
	if len(s.flashes) > maxFlashes {
		s.flashes = s.flashes[1:]
	}
}

func (s *session) takeFlashes() []flash {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := s.flashes
	s.flashes = nil
	return taken
}

// backHome ends an action: every action leads to the home page, with its message in s (post, redirect, get).
func backHome(w http.ResponseWriter, r *http.Request, s *session, k kind, text string) {
	s.addFlash(k, text)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
