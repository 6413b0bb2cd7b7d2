package webapp

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

const (
	signInLifetime = 30 * time.Minute // as long as a Keycloak waits at its login page
	maxSignIns     = 8                // of one browser, under way in as many tabs
)

// signIn is a sign-in under way: what the browser must bring back, and what the issuer must say. It lives in the session of the browser that began it, so
// nobody can finish it elsewhere.
type signIn struct {
	state    string
	nonce    string
	verifier string // PKCE (RFC 7636)
	began    time.Time
}

func (s *session) beginSignIn() signIn {
	begun := signIn{state: oauth2.GenerateVerifier(), nonce: oauth2.GenerateVerifier(), verifier: oauth2.GenerateVerifier(), began: time.Now()}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.signIns) == maxSignIns {
		s.signIns = s.signIns[1:]
	}
	s.signIns = append(s.signIns, begun)
	return begun
}

// takeSignIn finds the sign-in of a state, which counts once.
func (s *session) takeSignIn(state string) (signIn, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.signIns, func(begun signIn) bool { return begun.state == state })
	if i < 0 {
		return signIn{}, false
	}
	taken := s.signIns[i]
	s.signIns = slices.Delete(s.signIns, i, i+1)
	return taken, time.Since(taken.began) < signInLifetime
}

// signIn sends people to the issuer: authorization code flow with PKCE, state and nonce (OpenID Connect Core 1.0 §3.1.2.1, RFC 9700 §2.1.1).
func (a *App) signIn(w http.ResponseWriter, r *http.Request) {
	if s := a.session(r); s != nil && s.person != nil {
		backHome(w, r, s, notice, "You are signed in already.")
		return
	}
	_, config, err := a.provider.oauth(r.Context())
	if err != nil {
		a.logger.Error("nobody can sign in now", "error", err)
		a.issuerAway(w, r)
		return
	}
	begun := a.sessionOrNew(w, r).beginSignIn()
	http.Redirect(w, r, config.AuthCodeURL(begun.state, oauth2.S256ChallengeOption(begun.verifier), oauth2.SetAuthURLParam("nonce", begun.nonce)), http.StatusFound)
}

// finishSignIn is where the issuer sends people back to, and where anybody can send them with a forged address: nothing in the query is believed before its
// state proves that this browser began the sign-in, and nothing of it is shown.
func (a *App) finishSignIn(w http.ResponseWriter, r *http.Request) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	s := a.session(r)
	begun, ok := signIn{}, false
	if err == nil && s != nil && len(query["state"]) == 1 {
		begun, ok = s.takeSignIn(query.Get("state"))
	}
	switch {
	case !ok:
		a.logger.Warn("a sign-in came back that nobody began here, or that is over")
		a.signInPage(w, r, http.StatusBadRequest, "This sign-in is no longer valid",
			"It took too long, was used already, or began in another browser. Nothing is lost: start again.")
		return
	case query.Has("iss") && query.Get("iss") != a.provider.issuer, !query.Has("iss") && a.namesItself(): // RFC 9207 §2.4
		a.logger.Error("a sign-in came back from another issuer", "iss", clip(query.Get("iss")))
		a.signInPage(w, r, http.StatusBadRequest, "This sign-in came from another place", "The answer is not from the sign-in service that you were sent to. Start again.")
		return
	case query.Has("error"):
		a.signInRefused(w, r, query.Get("error"))
		return
	case len(query["code"]) != 1 || query.Get("code") == "":
		a.signInPage(w, r, http.StatusBadRequest, "This sign-in is incomplete", "The sign-in service sent you back without a code. Start again.")
		return
	}
	who, err := a.exchange(r, query.Get("code"), begun)
	switch {
	case errors.Is(err, errInvalidGrant):
		a.signInPage(w, r, http.StatusBadRequest, "This sign-in is no longer valid", "Its code has expired or was used already. Start again.")
		return
	case errors.Is(err, errIssuerUnavailable):
		a.logger.Error("a sign-in can't be finished", "error", err)
		a.issuerAway(w, r)
		return
	case err != nil:
		a.logger.Error("a sign-in was refused", "error", err)
		a.signInPage(w, r, http.StatusBadGateway, "This sign-in can't be trusted", "The sign-in service's answer did not pass our checks. Start again; if it happens twice, tell whoever runs this site.")
		return
	}
	a.enter(w, r, s, who)
}

// exchange trades the code for tokens, and believes the ID token only after all its checks.
func (a *App) exchange(r *http.Request, code string, begun signIn) (*person, error) {
	ctx, config, err := a.provider.oauth(r.Context())
	if err != nil {
		return nil, err
	}
	token, err := config.Exchange(ctx, code, oauth2.VerifierOption(begun.verifier))
	if err != nil {
		return nil, grantError(err)
	}
	if !strings.EqualFold(token.Type(), "Bearer") {
		return nil, errors.New("the access token is not of type Bearer")
	}
	idToken, _ := token.Extra("id_token").(string)
	c, err := a.provider.verifyIDToken(ctx, idToken, token.AccessToken, begun.nonce, false)
	if err != nil {
		return nil, err
	}
	return newPerson(c, begun.nonce, idToken, token), nil
}

// enter gives the browser a new session with a new id: whoever planted the old one knows nothing of it. Other tabs' sign-ins go along, and the person's own
// unsent text.
func (a *App) enter(w http.ResponseWriter, r *http.Request, old *session, who *person) {
	s := &session{person: who}
	old.mu.Lock()
	s.signIns = slices.Clone(old.signIns) // two callbacks at once must not share an array
	if old.draft.author == "" || old.draft.author == who.subject {
		s.draft = old.draft
	}
	old.mu.Unlock()
	if old.person != nil {
		a.people.remove(old)
	} else {
		a.guests.remove(old)
	}
	a.setCookie(w, a.people.add(s))
	text := "You are signed in as " + who.shownName() + "."
	if s.kept().Text != "" {
		text += " Your unsent message is in the form: check it, and submit it."
	}
	backHome(w, r, s, done, text)
}

func (a *App) namesItself() bool {
	m, _ := a.provider.metadata.known()
	return m.NamesItself
}

// signInRefused explains an error answer of the issuer (RFC 6749 §4.1.2.1). Its description is not shown: whoever forges an address chooses it.
func (a *App) signInRefused(w http.ResponseWriter, r *http.Request, code string) {
	a.logger.Warn("the issuer refused a sign-in", "error", clip(code))
	switch code {
	case "access_denied":
		a.signInPage(w, r, http.StatusForbidden, "You did not sign in", "The sign-in was cancelled, or you were refused. You can go on reading as a guest, or try again.")
	case "temporarily_unavailable", "server_error": // Keycloak says so too when its login page was open for too long
		a.signInPage(w, r, http.StatusServiceUnavailable, "The sign-in did not work", "It took too long, or the sign-in service has a problem now. Try again.")
	default:
		a.signInPage(w, r, http.StatusBadGateway, "The sign-in was refused", "The sign-in service did not accept our request. Try again; if it happens twice, tell whoever runs this site.")
	}
}

func (a *App) issuerAway(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Retry-After", "5")
	a.signInPage(w, r, http.StatusServiceUnavailable, "Signing in is not possible now", "The sign-in service can't be reached, or does not answer as it should. Reading messages still works. Try again in a moment.")
}
