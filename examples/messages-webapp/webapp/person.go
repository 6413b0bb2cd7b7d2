package webapp

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"golang.org/x/oauth2"

	"github.com/svcauth/svcauth/keycloak"
	"github.com/svcauth/svcauth/resourceserver"
)

// person is somebody who signed in, with the tokens that were issued for them. Its methods may be called concurrently.
type person struct {
	subject string // never changes
	nonce   string // of the sign-in; never changes

	mu      sync.Mutex // guards the following
	name    string
	roles   []string
	idToken string // of the sign-in or the last refresh: tells the issuer at logout who leaves
	token   *oauth2.Token
	renewAt time.Time // zero: never by itself
	refresh *refresh  // under way, or nil
	retryAt time.Time // after a failed refresh
	failure error     // of it
}

// refresh is one exchange of a refresh token, which all who need its outcome wait for.
type refresh struct {
	done chan struct{} // closed after err is written
	err  error
}

// errSessionOver means that the person must sign in again.
var errSessionOver = errors.New("the session is over")

// maxMargin is how long before its end an access token is replaced, at most: it must live until a service has checked it.
const maxMargin = 15 * time.Second

func newPerson(c claims, nonce, idToken string, token *oauth2.Token) *person {
	p := &person{subject: c.text("sub"), nonce: nonce}
	p.describe(c, idToken)
	p.take(token)
	return p
}

// describe takes name and roles from verified claims. The roles only say which buttons are worth showing: services decide from the access token.
func (p *person) describe(c claims, idToken string) {
	p.name = cmp.Or(c.text("name"), c.text("preferred_username"), c.text("sub"))
	var known resourceserver.Claims
	if data, err := json.Marshal(c); err == nil {
		known, _ = resourceserver.ParseClaims(data) // what no access token may look like: no roles
	}
	p.roles = keycloak.RealmRoles(known)
	p.idToken = idToken
}

// take keeps a new token. Short-lived tokens have a small margin, or there would be nothing left of them.
func (p *person) take(token *oauth2.Token) {
	p.token, p.renewAt = token, time.Time{}
	if !token.Expiry.IsZero() {
		p.renewAt = token.Expiry.Add(-min(maxMargin, time.Until(token.Expiry)/5))
	}
}

func (p *person) isAdmin() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Contains(p.roles, "ADMIN")
}

func (p *person) shownName() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.name
}

func (p *person) logoutHint() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.idToken
}

// accessToken returns a token that has not expired and is not the refused one, which may be nil. It refreshes ahead in the background, and if there is no good
// token left callers wait for it: one refresh for all who ask.
// Its error is errSessionOver or errIssuerUnavailable, or that of ctx.
func (a *App) accessToken(ctx context.Context, p *person, refused *oauth2.Token) (*oauth2.Token, error) {
	now := time.Now()
	p.mu.Lock()
	current := p.token
	switch {
	case current != refused && (p.renewAt.IsZero() || now.Before(p.renewAt)):
		p.mu.Unlock()
		return current, nil
	case p.refresh == nil && now.Before(p.retryAt):
		failure := p.failure
		p.mu.Unlock()
		if current != refused && now.Before(current.Expiry) && !errors.Is(failure, errSessionOver) {
			return current, nil
		}
		return nil, failure
	}
	if p.refresh == nil {
		p.refresh = &refresh{done: make(chan struct{})}
		// On a context of its own: an issuer that rotates refresh tokens has used up the old one, so this must end even if the browser has gone.
		go a.runRefresh(context.WithoutCancel(ctx), p, current, p.refresh)
	}
	running := p.refresh
	p.mu.Unlock()
	if current != refused && now.Before(current.Expiry) {
		return current, nil // good for a moment yet: nobody waits
	}
	select {
	case <-running.done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if running.err != nil {
		return nil, running.err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.token, nil
}

func (a *App) runRefresh(ctx context.Context, p *person, old *oauth2.Token, running *refresh) {
	token, idToken, c, err := a.provider.refresh(ctx, p, old.RefreshToken)
	p.mu.Lock()
	defer p.mu.Unlock()
	defer close(running.done)
	p.refresh, running.err = nil, err
	if err != nil {
		p.retryAt, p.failure = time.Now().Add(retryAfter), err
		a.logger.Warn("a session's token can't be refreshed", "error", err)
		return
	}
	p.take(token)
	if c != nil {
		p.describe(c, idToken)
	}
}

// refresh exchanges the refresh token (RFC 6749 §6). An ID token that comes along must be about the same person (OpenID Connect Core 1.0 §12.2); one that can't
// be verified changes nothing of what is known.
func (p *provider) refresh(ctx context.Context, who *person, refreshToken string) (*oauth2.Token, string, claims, error) {
	if refreshToken == "" {
		return nil, "", nil, errSessionOver
	}
	ctx, config, err := p.oauth(ctx)
	if err != nil {
		return nil, "", nil, err
	}
	token, err := config.TokenSource(ctx, &oauth2.Token{RefreshToken: refreshToken}).Token()
	if err != nil {
		if err = grantError(err); errors.Is(err, errInvalidGrant) {
			err = errSessionOver
		}
		return nil, "", nil, err
	}
	idToken, _ := token.Extra("id_token").(string)
	if idToken == "" {
		return token, "", nil, nil
	}
	c, err := p.verifyIDToken(ctx, idToken, token.AccessToken, who.nonce, true)
	switch {
	case err != nil:
		p.logger.Warn("the ID token of a refresh is not used", "error", err)
		return token, "", nil, nil
	case c.text("sub") != who.subject:
		p.logger.Error("a refresh brought the ID token of somebody else")
		return nil, "", nil, errSessionOver
	}
	return token, idToken, c, nil
}
