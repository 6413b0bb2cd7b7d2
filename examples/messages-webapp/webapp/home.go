package webapp

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"
)

// maxShown bounds the page. The newest messages are the ones that people look for.
const maxShown = 200

// homeContent is the home page's own part.
type homeContent struct {
	Guest    bool
	Name     string
	Admin    bool
	Draft    string // in the form
	Kept     bool   // a guest's text that waits for sign-in; not shown, for it may be somebody else's
	Invalid  bool   // the form goes back with an error
	Limit    string
	Messages []shownMessage
	Total    int
	Down     bool // the messages can't be had
}

// shownMessage is a message in the words of the page.
type shownMessage struct {
	ID       int64
	Content  string
	Author   string
	Initial  string
	Tone     int // picks a colour, the same for all of an author's messages
	Machine  string
	Absolute string
	Relative string
}

// home shows the messages, and to people who are signed in what they can do. It renders whatever is down, and says so.
func (a *App) home(w http.ResponseWriter, r *http.Request) {
	s := a.session(r)
	var list []message
	var err error
	var listing sync.WaitGroup
	listing.Go(func() { list, err = a.list(r.Context()) })
	if s != nil && s.person != nil {
		// A page that says "signed in" should be true: where the token is old, this asks the issuer for a new one. It does not wait long.
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
		defer cancel()
		if _, tokenErr := a.accessToken(ctx, s.person, nil); errors.Is(tokenErr, errSessionOver) {
			s = a.endSession(w, s)
			s.addFlash(notice, "Your session is over. You can go on reading; log in again to post.")
		}
	}
	listing.Wait()

	c := homeContent{Guest: s == nil || s.person == nil, Limit: grouped(maxContent), Total: len(list)}
	if err != nil {
		a.logger.Warn("the messages can't be shown", "error", err)
		c.Down = true
	}
	now := time.Now()
	for _, m := range slices.Backward(list) {
		if len(c.Messages) == maxShown {
			break
		}
		c.Messages = append(c.Messages, shown(m, now))
	}
	p := page{Title: "Welcome"}
	if s != nil {
		p.Flashes = s.takeFlashes()
		text := s.kept().Text
		if s.person != nil {
			c.Name, c.Admin, c.Draft = s.person.shownName(), s.person.isAdmin(), text
			c.Invalid = text != "" && slices.ContainsFunc(p.Flashes, func(f flash) bool { return f.Kind == failed })
		} else {
			c.Kept = text != ""
		}
	}
	if len(p.Flashes) > 0 { // screen readers begin with the title
		p.Title = strings.TrimSuffix(p.Flashes[0].Text, ".")
	}
	p.Content = c
	a.render(w, s, http.StatusOK, "home", p)
}

func shown(m message, now time.Time) shownMessage {
	author := m.CreatedBy
	if author == "" {
		author = "somebody"
	}
	first, _ := utf8.DecodeRuneInString(author)
	h := fnv.New32a()
	h.Write([]byte(author))
	v := shownMessage{ID: m.ID, Content: m.Content, Author: author, Initial: string(unicode.ToUpper(first)), Tone: int(h.Sum32() % 6)}
	if !m.CreatedAt.IsZero() {
		at := m.CreatedAt.UTC()
		v.Machine, v.Absolute, v.Relative = at.Format(time.RFC3339), at.Format("2 January 2006, 15:04 UTC"), ago(now.Sub(at), at)
	}
	return v
}

// ago says how long ago something was, in words.
func ago(d time.Duration, at time.Time) string {
	count := func(n int, unit string) string {
		if n == 1 {
			return "1 " + unit + " ago"
		}
		return fmt.Sprintf("%d %ss ago", n, unit)
	}
	switch {
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		return count(int(d/time.Minute), "minute")
	case d < 24*time.Hour:
		return count(int(d/time.Hour), "hour")
	case d < 7*24*time.Hour:
		return count(int(d/(24*time.Hour)), "day")
	}
	return at.Format("2 January 2006")
}
