package resourceserver

import (
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// denialsPerSecond bounds the records of one reason, so that an attacker can't fill a disk.
const denialsPerSecond = 10

// denialLog writes one record a refusal, up to the bound, and the count of those left out with the next one.
type denialLog struct {
	logger *slog.Logger

	mu      sync.Mutex // guards windows
	windows map[Reason]*denialWindow
}

type denialWindow struct {
	written [denialsPerSecond]time.Time // when the last records were written, the oldest at next
	next    int
	left    int
}

func newDenialLog(logger *slog.Logger) *denialLog {
	return &denialLog{logger: logger, windows: map[Reason]*denialWindow{}}
}

// admit says whether a record may be written, and how many were left out before it.
func (d *denialLog) admit(reason Reason, now time.Time) (ok bool, left int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	w := d.windows[reason]
	if w == nil {
		w = &denialWindow{}
		d.windows[reason] = w
	}
	if now.Sub(w.written[w.next]) < time.Second {
		w.left++
		return false, 0
	}
	w.written[w.next] = now
	w.next = (w.next + 1) % denialsPerSecond
	left, w.left = w.left, 0
	return true, left
}

// record logs e. What came with the request stands cut short and without control characters in the group "unverified", and who a verified token speaks for in
// "caller"; the token itself never does.
func (d *denialLog) record(r *http.Request, e *Error) {
	level := slog.LevelWarn
	if e.Reason == ReasonMissingToken || e.Reason == ReasonRequestAbandoned {
		level = slog.LevelInfo
	}
	ctx := r.Context()
	if !d.logger.Enabled(ctx, level) {
		return
	}
	ok, left := d.admit(e.Reason, time.Now())
	if !ok {
		return
	}
	attrs := []slog.Attr{slog.String("reason", string(e.Reason)), slog.Int("status", e.Status)}
	if e.expected != "" {
		attrs = append(attrs, slog.String("expected", oneLine(e.expected)))
	}
	if e.Hint != "" {
		attrs = append(attrs, slog.String("hint", e.Hint))
	}
	if left > 0 {
		attrs = append(attrs, slog.Int("left_out", left))
	}
	if id := e.caller; id != nil {
		attrs = append(attrs, slog.Group("caller", slog.String("client", plain(id.clientID)), slog.String("username", plain(id.username)),
			slog.String("subject", plain(id.subject)), slog.String("has", plain(e.got))))
	}
	var unverified []any
	if e.got != "" && e.caller == nil {
		unverified = append(unverified, slog.String("got", plain(e.got)))
	}
	if r.Method != "" { // else it is a call of another transport
		unverified = append(unverified, slog.String("method", plain(r.Method)))
	}
	unverified = append(unverified, slog.String("path", plain(r.URL.Path)))
	attrs = append(attrs, slog.Group("unverified", unverified...))
	d.logger.LogAttrs(ctx, level, "request refused", attrs...)
}

// oneLine leaves text of ours as it is, unless an issuer's key ids in it break the line.
func oneLine(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return s
	}
	return strconv.Quote(s)
}

// clip cuts text from outside to 80 bytes. It may still hold anything: see plain.
func clip(s string) string {
	const limit = 80
	if len(s) <= limit {
		return s
	}
	return s[:limit] + "…"
}
