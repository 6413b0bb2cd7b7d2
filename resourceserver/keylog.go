package resourceserver

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/svcauth/svcauth/internal/jose"
)

// log writes what came of a fetch.
func (k *keyCache) log(ctx context.Context, set *keySet, err error, failuresBefore int, next time.Duration) {
	issuer := slog.String("issuer", k.source.issuer)
	if err != nil {
		attrs := []slog.Attr{issuer, slog.String("error", err.Error()), slog.Int("failures", failuresBefore+1), slog.Duration("next_attempt_in", next)}
		if good := k.set.Load(); k.serves(good, time.Now()) {
			age := time.Since(good.fetched)
			attrs = append(attrs, slog.Duration("keys_age", age), slog.Duration("keys_serve_for", k.source.maxStale-age))
			k.logger.LogAttrs(ctx, slog.LevelWarn, "issuer's keys can't be refreshed; the last good ones serve on", attrs...)
			return
		}
		k.logger.LogAttrs(ctx, slog.LevelError, "issuer's keys can't be fetched; tokens are answered with 503", attrs...)
		return
	}
	level, message := slog.LevelDebug, "issuer's keys fetched"
	if failuresBefore > 0 {
		level, message = slog.LevelInfo, "issuer's keys fetched again"
	}
	attrs := []slog.Attr{issuer, slog.Int("keys", set.len())}
	for _, s := range set.skipped {
		attrs = append(attrs, slog.Group("skipped", slog.String("kid", plain(s.ID)), slog.String("reason", s.Reason)))
	}
	k.logger.LogAttrs(ctx, level, message, attrs...)
}

// logChange tells of a rotation: one record when the issuer publishes other keys than before. set has succeeded old.
func (k *keyCache) logChange(ctx context.Context, old, set *keySet) {
	if old == nil {
		return
	}
	added, gone := set.without(old), old.without(set)
	if len(added)+len(gone) == 0 {
		return
	}
	k.logger.LogAttrs(ctx, slog.LevelInfo, "issuer's keys changed", slog.String("issuer", k.source.issuer),
		slog.String("new", keyIDs(added)), slog.String("gone", keyIDs(gone)), slog.Int("keys", set.len()))
}

// without returns the keys of s that other does not have.
func (s *keySet) without(other *keySet) []*jose.Key {
	return slices.DeleteFunc(slices.Clone(s.all), func(key *jose.Key) bool { return slices.Contains(other.byID[key.ID], key) })
}

// keyIDs returns the names of keys, cut short; a key without one is a dash.
func keyIDs(keys []*jose.Key) string {
	ids := make([]string, len(keys))
	for n, key := range keys {
		ids[n] = cmp.Or(key.ID, "-")
	}
	return clip(strings.Join(ids, " "))
}
