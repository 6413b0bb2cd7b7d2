package keycloaktest

import (
	"net/http"
	"net/url"
)

const logoutConfirmPath = "/protocol/openid-connect/logout/logout-confirm"

// logoutAttempt is one confirmation page in one browser.
type logoutAttempt struct {
	browser, code string
	target        string // where the browser goes afterwards; empty: a page says that it is done
}

// logout is the end session endpoint (OpenID Connect RP-Initiated Logout 1.0). Without an ID token of the browser's own session the person is asked: any site
// can send a browser here.
func (s *Server) logout(w http.ResponseWriter, r *http.Request) {
	if !allowed(w, r, http.MethodGet, http.MethodHead, http.MethodPost) {
		return
	}
	form, status := requestParameters(w, r)
	if status != http.StatusOK {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Cache-Control", "no-cache")
	hint, target, wrong := s.readLogout(form)
	if wrong != "" {
		s.errorPage(w, http.StatusBadRequest, wrong)
		return
	}
	now := s.now()
	s.sso.mu.Lock()
	us := s.sso.ofBrowser(r, now)
	sure := hint != "" && (us == nil || us.id == hint)
	if sure {
		s.sso.sessions.remove(hint)
	}
	s.sso.mu.Unlock()
	if sure || hint == "" && us == nil && target != "" { // or there is nothing to end
		s.loggedOut(w, r, target)
		return
	}
	attempt := logoutAttempt{browser: s.browser(w, r), code: randomText(32), target: target}
	tab := randomText(8)
	s.sso.mu.Lock()
	s.sso.logouts.put(tab, attempt, now.Add(s.realm.lifespans.signIn), now)
	s.sso.mu.Unlock()
	s.page(w, http.StatusOK, "confirm", confirmPage{s.realm.title, s.Issuer() + logoutConfirmPath + "?tab_id=" + url.QueryEscape(tab), attempt.code})
}

// readLogout returns the session that the hint names, which may have ended, and where to go. What is wrong is in Keycloak's words for people.
func (s *Server) readLogout(form url.Values) (hint, target, wrong string) {
	clientID := form.Get("client_id")
	if token := form.Get("id_token_hint"); token != "" {
		claims, ok := s.verify(token, "ID") // an expired one is as good: it only says which session
		if !ok || clientID != "" && clientID != claims.Client {
			return "", "", "Invalid parameter: id_token_hint"
		}
		hint, clientID = claims.Session, claims.Client
	}
	uri := form.Get("post_logout_redirect_uri")
	if uri == "" {
		return hint, "", ""
	}
	if clientID == "" {
		return "", "", "Missing parameters: id_token_hint"
	}
	c := s.realm.clients[clientID]
	if c == nil || !redirectAllowed(c.logoutURIs, uri) {
		return "", "", "Invalid redirect uri"
	}
	if state := form.Get("state"); state != "" {
		uri = withParameters(uri, false, "state", state)
	}
	return hint, uri, ""
}

// confirmLogout is where the form of the confirmation page goes.
func (s *Server) confirmLogout(w http.ResponseWriter, r *http.Request) {
	if !allowed(w, r, http.MethodPost) {
		return
	}
	form, status := readForm(w, r)
	if status != http.StatusOK {
		writeStatus(w, status)
		return
	}
	now, tab := s.now(), r.URL.Query().Get("tab_id")
	s.sso.mu.Lock()
	attempt, ok := s.sso.logouts.get(tab, now)
	if ok = ok && sameSecret(cookie(r, browserCookie), attempt.browser) && sameSecret(form.Get("session_code"), attempt.code); ok {
		s.sso.logouts.remove(tab)
		if us := s.sso.ofBrowser(r, now); us != nil {
			s.sso.sessions.remove(us.id)
		}
	}
	s.sso.mu.Unlock()
	if !ok {
		s.errorPage(w, http.StatusBadRequest, "Logout failed")
		return
	}
	w.Header().Set("Cache-Control", "no-cache")
	s.loggedOut(w, r, attempt.target)
}

// loggedOut takes the browser's cookie away and sends it on.
func (s *Server) loggedOut(w http.ResponseWriter, r *http.Request, target string) {
	if cookie(r, ssoCookie) != "" {
		s.setCookie(w, ssoCookie, "")
	}
	if target != "" {
		s.redirect(w, target)
		return
	}
	s.page(w, http.StatusOK, "message", messagePage{s.realm.title, "You are logged out", "kc-info-message", "You are logged out"})
}
