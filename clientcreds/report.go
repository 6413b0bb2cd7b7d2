package clientcreds

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"
)

// Trigger says why an attempt to get a token was made.
type Trigger string

// The triggers.
const (
	TriggerFirst   Trigger = "first"   // there has been no token yet
	TriggerAhead   Trigger = "ahead"   // the token was about to expire
	TriggerExpired Trigger = "expired" // the token had expired
	TriggerRefused Trigger = "refused" // a service refused the token
)

// Fetch is one attempt to get a token, as [Config.OnFetch] is told of it. It holds no token and no secret.
type Fetch struct {
	Trigger       Trigger
	Scopes        []string      // of the target; read-only
	Start         time.Time     // when the attempt began
	Duration      time.Duration // discovery included
	MissingScopes []string      // declared and not granted; read-only
	Err           error         // an *Error; nil if a token came
	Lifetime      time.Duration // of the new token; 0 if none came
	Failures      int           // attempts in a row that failed, this one included; 0 if a token came
	Next          time.Time     // the earliest next attempt; after a success, that of the background refresh
}

// report is an attempt that has ended.
type report struct {
	before, after *snapshot
	start, end    time.Time
}

// report logs the attempt and calls OnFetch. One record an attempt: the backoff bounds their number, and requests that fail in between are silent.
func (c *client) report(ctx context.Context, t *target, r report) {
	defer func() {
		if v := recover(); v != nil {
			c.log().LogAttrs(context.Background(), slog.LevelError, "clientcreds: panic in OnFetch or in the log handler",
				slog.String("client_id", c.id), slog.String("panic_type", fmt.Sprintf("%T", v)), slog.String("stack", string(debug.Stack())))
		}
	}()
	f := Fetch{
		Trigger: r.before.trigger(r.start), Scopes: t.Scopes, Start: r.start, Duration: r.end.Sub(r.start), Failures: r.after.failures, Next: r.after.freshUntil,
	}
	if failed := r.after.failure; failed != nil {
		f.Next = r.after.next
		f.Err = failed.until(f.Next.Sub(r.end))
	} else {
		f.Lifetime = r.after.held.lifetime
		f.MissingScopes = r.after.missing(t)
	}
	c.record(ctx, t, r, f)
	c.recordScopes(ctx, t, r)
	if c.onFetch != nil {
		c.onFetch(ctx, f)
	}
}

func (c *client) record(ctx context.Context, t *target, r report, f Fetch) {
	attrs := []slog.Attr{slog.String("client_id", c.id), c.from(), slog.String("trigger", string(f.Trigger)), slog.Duration("took", f.Duration.Round(time.Microsecond))}
	if len(t.Scopes) > 0 {
		attrs = append(attrs, slog.Any("scopes", t.Scopes))
	}
	if len(t.Resources) > 0 {
		attrs = append(attrs, slog.Any("resources", printableURLs(t.Resources)))
	}
	level, message := slog.LevelDebug, "clientcreds: token refreshed"
	switch failed := r.after.failure; {
	case failed != nil:
		attrs = append(attrs, slog.String("error", failed.text), slog.String("class", string(failed.Class)), slog.String("hint", failed.Hint),
			slog.Int("failures", f.Failures), slog.Duration("next_attempt_in", f.Next.Sub(r.end).Round(time.Millisecond)))
		if failed.Status != 0 {
			attrs = append(attrs, slog.Int("status", failed.Status))
		}
		if failed.stack != nil {
			attrs = append(attrs, slog.String("stack", string(failed.stack)))
		}
		level, message = slog.LevelError, "clientcreds: no token"
		if r.after.usable(r.end) {
			level, message = slog.LevelWarn, "clientcreds: token not refreshed; the current one is still valid"
			attrs = append(attrs, slog.Duration("token_expires_in", r.after.held.sent.Add(r.after.held.lifetime).Sub(r.end).Round(time.Millisecond)))
		}
	default:
		attrs = append(attrs, slog.Duration("lifetime", f.Lifetime))
		if r.before.failures > 0 {
			level, message = slog.LevelInfo, "clientcreds: token obtained again"
			attrs = append(attrs, slog.Int("failures", r.before.failures))
		} else if f.Trigger == TriggerFirst {
			level, message = slog.LevelInfo, "clientcreds: token obtained"
		}
	}
	c.log().LogAttrs(ctx, level, message, attrs...)
}
