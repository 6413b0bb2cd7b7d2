package main

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// claimTime is a claim that is a NumericDate (RFC 7519 §2), for people.
type claimTime struct {
	Claim    string `json:"claim"`
	Time     string `json:"time"`     // RFC 3339, UTC
	Relative string `json:"relative"` // "in 4m59s", "2m ago"
}

// timeClaims are the claims that RFC 7519 §4.1 and OpenID Connect Core 1.0 §2 and §5.1 define as times.
var timeClaims = []string{"exp", "nbf", "iat", "auth_time", "updated_at"}

func timesOf(claims json.RawMessage, now time.Time) []claimTime {
	var all []claimTime
	for _, m := range membersOf(claims) {
		if t, ok := numericDate(m.value); ok && slices.Contains(timeClaims, m.name) {
			all = append(all, claimTime{m.name, t.Format(time.RFC3339), relative(t.Sub(now))})
		}
	}
	return all
}

// numericDate reads seconds since 1970, up to the year 9999, where RFC 3339 ends.
func numericDate(value json.RawMessage) (time.Time, bool) {
	var seconds float64
	if json.Unmarshal(value, &seconds) != nil || string(value) == "null" || seconds < 0 || seconds >= 253402300800 {
		return time.Time{}, false
	}
	whole, part := math.Modf(seconds)
	return time.Unix(int64(whole), int64(part*1e9)).UTC(), true
}

// relative says when d from now is, in whole seconds, or hours from two days on.
func relative(d time.Duration) string {
	const day = 24 * time.Hour
	var text string
	switch length := d.Abs(); {
	case length < time.Second:
		return "now"
	case length >= 2*day:
		text = fmt.Sprintf("%dd%dh", length/day, length%day/time.Hour)
	default:
		text = length.Truncate(time.Second).String()
	}
	for _, nothing := range []struct{ long, short string }{{"m0s", "m"}, {"h0m", "h"}, {"d0h", "d"}} {
		if strings.HasSuffix(text, nothing.long) {
			text = strings.TrimSuffix(text, nothing.long) + nothing.short
		}
	}
	if d < 0 {
		return text + " ago"
	}
	return "in " + text
}
