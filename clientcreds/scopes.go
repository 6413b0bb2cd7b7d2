package clientcreds

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
)

// parseScope reads what was granted, RFC 6749 §5.1: nil if the answer does not say, which means all that was asked for. An empty string says nothing was.
// Some issuers send an array.
func parseScope(raw json.RawMessage) []string {
	var text *string
	if json.Unmarshal(raw, &text) == nil {
		if text == nil {
			return nil
		}
		return append([]string{}, strings.Fields(*text)...)
	}
	var list []string
	if json.Unmarshal(raw, &list) != nil || list == nil {
		return nil
	}
	return list
}

// missingScopes returns those declared that granted lacks, in the order of declared.
func missingScopes(declared, granted []string) []string {
	if granted == nil {
		return nil
	}
	var missing []string
	for _, scope := range declared {
		if !slices.Contains(granted, scope) && !slices.Contains(missing, scope) {
			missing = append(missing, scope)
		}
	}
	return missing
}

// missing are the declared scopes that the held token lacks.
func (s *snapshot) missing(t *target) []string {
	if s.held == nil {
		return nil
	}
	return missingScopes(t.Scopes, s.held.granted)
}

// recordScopes warns of scopes that were asked for and not granted: the service would answer 403 much later, and nobody would know why. Once, until what is
// missing changes.
func (c *client) recordScopes(ctx context.Context, t *target, r report) {
	before, after := r.before.missing(t), r.after.missing(t)
	if slices.Equal(before, after) {
		return
	}
	attrs := []slog.Attr{slog.String("client_id", c.id), c.from(), slog.Any("scopes", t.Scopes)}
	if len(after) == 0 {
		c.log().LogAttrs(ctx, slog.LevelInfo, "clientcreds: all declared scopes are granted again", attrs...)
		return
	}
	attrs = append(attrs, slog.Any("missing", after),
		slog.String("hint", "assign these client scopes to the client at the issuer, or remove them from Scopes; a Keycloak client scope that is granted but not listed has Include in token scope off"))
	c.log().LogAttrs(ctx, slog.LevelWarn, "clientcreds: declared scopes were not granted", attrs...)
}
