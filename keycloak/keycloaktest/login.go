package keycloaktest

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// loginAttempt is one login page in one browser. It is guarded by sso.mu.
type loginAttempt struct {
	request        *authorizationRequest
	browser        string // value of the browser's cookie: another site can't send the form, and another browser can't finish it
	code           string // session_code of the page that was shown last
	reauthenticate *user  // nil: anybody may sign in
	username       string // as it was last given
	done           bool
}

const (
	loginPath     = "/login-actions/authenticate"
	wrongPassword = "Invalid username or password."
	loginLost     = "An error occurred, please login again through your application."
	loginCookie   = "Restart login cookie not found. It may have expired; it may have been deleted or cookies are disabled in your browser. " +
		"If cookies are disabled then enable them. Click Back to Application to login again."
)

// startLogin shows the first page of an attempt.
func (s *Server) startLogin(w http.ResponseWriter, r *http.Request, attempt *loginAttempt, page loginPage, now time.Time) {
	attempt.browser, attempt.username = s.browser(w, r), page.Username
	tab := randomText(8)
	s.sso.mu.Lock()
	s.sso.logins.put(tab, attempt, now.Add(s.realm.lifespans.signIn), now)
	s.showLogin(attempt, tab, &page)
	s.sso.mu.Unlock()
	s.page(w, http.StatusOK, "login", page)
}

// showLogin makes a new session code, so that each page can be sent once, and fills in the page. It is called with mu held.
func (s *Server) showLogin(attempt *loginAttempt, tab string, page *loginPage) {
	attempt.code = randomText(32)
	page.Title, page.EmailLogin, page.Username = s.realm.title, s.realm.emailLogin, attempt.username
	page.Action = s.loginURL(attempt, tab, attempt.code)
	if attempt.reauthenticate != nil {
		page.Username, page.Reauthenticate = attempt.reauthenticate.name, true
	}
}

func (s *Server) loginURL(attempt *loginAttempt, tab, code string) string {
	query := url.Values{"client_id": {attempt.request.client.id}, "tab_id": {tab}}
	if code != "" {
		query.Set("session_code", code)
	}
	return s.Issuer() + loginPath + "?" + query.Encode()
}

// login is where the page's form goes. Where it leads to stands in the attempt, not in the request.
func (s *Server) login(w http.ResponseWriter, r *http.Request) {
	if !allowed(w, r, http.MethodGet, http.MethodHead, http.MethodPost) {
		return
	}
	form := url.Values{}
	if r.Method == http.MethodPost {
		var status int
		if form, status = readForm(w, r); status != http.StatusOK {
			writeStatus(w, status)
			return
		}
	}
	w.Header().Set("Cache-Control", "no-store, must-revalidate, max-age=0")
	browser := cookie(r, browserCookie)
	if browser == "" {
		s.errorPage(w, http.StatusBadRequest, loginCookie)
		return
	}
	query, now := r.URL.Query(), s.now()
	tab := query.Get("tab_id")

	s.sso.mu.Lock()
	attempt, ok := s.sso.logins.get(tab, now)
	if !ok || !sameSecret(browser, attempt.browser) || query.Get("client_id") != attempt.request.client.id {
		s.sso.mu.Unlock()
		s.errorPage(w, http.StatusBadRequest, loginLost)
		return
	}
	if attempt.done { // the page was sent twice, or fetched back from the browser's history
		s.sso.mu.Unlock()
		s.redirect(w, attempt.request.failed(s.Issuer(), "temporarily_unavailable", "authentication_expired"))
		return
	}
	code, page := query.Get("session_code"), loginPage{}
	switch {
	case code == "":
		page.Warning = "Action expired. Please continue with login now."
	case !sameSecret(code, attempt.code):
		s.sso.mu.Unlock()
		s.redirect(w, s.loginURL(attempt, tab, ""))
		return
	default:
		u := attempt.reauthenticate
		if u == nil {
			attempt.username = form.Get("username")
			u = s.realm.findUser(attempt.username)
		}
		if u != nil && u.hasPassword(form.Get("password")) {
			if u.enabled {
				us := s.signIn(r, attempt, u, now)
				location := s.issueCode(us, attempt.request, "1", now)
				s.sso.mu.Unlock()
				s.setCookie(w, ssoCookie, us.id+"."+us.secret)
				s.redirect(w, location)
				return
			}
			page.Warning = "Account is disabled, contact your administrator."
		} else {
			page.Wrong = wrongPassword
		}
	}
	s.showLogin(attempt, tab, &page)
	s.sso.mu.Unlock()
	s.page(w, http.StatusOK, "login", page)
}

// signIn goes on with the browser's session if it is the same person's, or starts one. It is called with mu held.
func (s *Server) signIn(r *http.Request, attempt *loginAttempt, u *user, now time.Time) *userSession {
	us := s.sso.ofBrowser(r, now)
	if us == nil || us.user != u {
		us = s.sso.start(u, s.realm.lifespans, now)
	}
	us.authTime = now.Truncate(time.Second)
	attempt.done = true
	return us
}

// findUser finds who signs in by name, or by address where the realm allows that. Case doesn't matter in either.
func (r *realm) findUser(name string) *user {
	if u := r.users[strings.ToLower(name)]; u != nil {
		return u
	}
	if r.emailLogin && name != "" {
		for _, u := range r.users {
			if strings.EqualFold(u.email, name) {
				return u
			}
		}
	}
	return nil
}

func (u *user) hasPassword(password string) bool {
	for _, own := range u.passwords {
		if sameSecret(password, own) {
			return true
		}
	}
	return false
}
