package webapp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	maxContent = 2000     // characters of a message, as messages-service has it
	maxForm    = 32 << 10 // bytes of a form: the longest message in any script, percent-encoded
	maxUpload  = 8 << 20  // bytes read of a larger one, so that the browser gets to the answer
)

// message is one message as messages-service gives it.
type message struct {
	ID        int64     `json:"id"`
	Content   string    `json:"content"`
	CreatedBy string    `json:"createdBy"`
	CreatedAt time.Time `json:"createdAt"`
}

// list asks messages-service for all messages, the oldest first. Everybody may read them, so it sends no token.
func (a *App) list(ctx context.Context) ([]message, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.messages, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	resp, err := a.services.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("messages-service answered %d", resp.StatusCode)
	}
	var list []message
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxServiceBody)).Decode(&list); err != nil {
		return nil, fmt.Errorf("messages-service's list can't be read: %w", err)
	}
	return list, nil
}

// postMessage posts for the person who is signed in. Whatever goes wrong, the text is in the form again.
func (a *App) postMessage(w http.ResponseWriter, r *http.Request) {
	form, ok := a.readForm(w, r)
	if !ok {
		return
	}
	if len(form["content"]) != 1 {
		a.errorPage(w, r, http.StatusBadRequest, "That form is incomplete", "It has no message in it. Use the form on the home page.")
		return
	}
	// Browsers send line ends as CR LF; the limit counts them as people do.
	content := strings.ToValidUTF8(strings.ReplaceAll(form.Get("content"), "\r\n", "\n"), "\uFFFD")
	s := a.sessionOrNew(w, r)
	s.keep(content)
	length := utf8.RuneCountInString(content)
	switch {
	case s.person == nil && strings.TrimSpace(content) == "":
		backHome(w, r, s, failed, "Log in to post messages.")
		return
	case s.person == nil:
		backHome(w, r, s, failed, "You are not signed in, or your session is over. Your message is kept: log in, and it is in the form again.")
		return
	case strings.TrimSpace(content) == "":
		s.keep("")
		backHome(w, r, s, failed, "Your message is empty. Write something first.")
		return
	case length > maxContent:
		backHome(w, r, s, failed, "Your message has "+grouped(length)+" characters, and the limit is "+grouped(maxContent)+". Nothing was posted: shorten it and submit it again.")
		return
	}
	body, err := json.Marshal(map[string]string{"content": content})
	if err != nil {
		panic("webapp: a text can't be encoded") // can't happen: it is a text
	}
	const nothing = "Nothing was posted, and your text is in the form again."
	status, err := a.callAs(r.Context(), s.person, a.messages, "application/json", body)
	if err != nil || status != http.StatusCreated {
		a.logger.Warn("a message was not posted", "status", status, "error", err)
	}
	switch {
	case errors.Is(err, errSessionOver):
		backHome(w, r, a.endSession(w, s), failed, "Your session is over. Your message is kept: log in again, and it is in the form.")
	case err == nil && status/100 == 2:
		s.keep("")
		backHome(w, r, s, done, "Your message is posted.")
	case err == nil && status == http.StatusForbidden:
		backHome(w, r, s, failed, "You may not post messages: you lack the permission. "+nothing)
	case err == nil && (status == http.StatusBadRequest || status == http.StatusRequestEntityTooLarge || status == http.StatusUnprocessableEntity):
		backHome(w, r, s, failed, "messages-service did not accept this message. "+nothing+" Change it and try again.")
	default:
		backHome(w, r, s, failed, trouble("messages-service", status, err, nothing))
	}
}

// readForm reads a form of bounded size. If it can't, it answers and returns false.
func (a *App) readForm(w http.ResponseWriter, r *http.Request) (url.Values, bool) {
	upload := http.MaxBytesReader(w, r.Body, maxUpload)
	body, err := io.ReadAll(io.LimitReader(upload, maxForm+1))
	if len(body) > maxForm {
		// Browsers show a page only when they have sent everything.
		_, _ = io.Copy(io.Discard, upload)
		a.errorPage(w, r, http.StatusRequestEntityTooLarge, "That is too long",
			"A message has at most "+grouped(maxContent)+" characters, and this was far more. Nothing was posted. Your browser's Back button should bring your text back.")
		return nil, false
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if err != nil || r.ParseForm() != nil {
		a.errorPage(w, r, http.StatusBadRequest, "That form can't be read", "It did not arrive whole, or is malformed. Your browser's Back button should bring your text back.")
		return nil, false
	}
	return r.PostForm, true
}

// grouped writes a number with commas between its thousands.
func grouped(n int) string {
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
