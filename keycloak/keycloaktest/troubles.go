package keycloaktest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"time"
)

// Healthy is no trouble: the ordinary answer, for some requests before trouble begins. Without Times it keeps what is set for AllEndpoints from an endpoint.
func Healthy() Trouble { return Trouble{} }

// Slow gives the ordinary answer after a delay, unless the client hangs up before. It panics if delay is not positive.
func Slow(delay time.Duration) Trouble {
	if delay <= 0 {
		panic(fmt.Sprintf("keycloaktest: Slow: want a delay above 0, got %v", delay))
	}
	return Trouble{name: "slow by " + delay.String(), serve: func(w http.ResponseWriter, r *http.Request, ordinary http.HandlerFunc) {
		r = hold(w, r)
		timer := time.NewTimer(delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
			panic(http.ErrAbortHandler)
		}
		ordinary(w, r)
	}}
}

// Hanging takes the request and never answers, until the client hangs up or, over the network, the server is closed.
func Hanging() Trouble {
	return Trouble{name: "hanging", serve: func(w http.ResponseWriter, r *http.Request, _ http.HandlerFunc) {
		<-hold(w, r).Context().Done()
		panic(http.ErrAbortHandler)
	}}
}

// Stalled sends the header and half of the body, and then nothing more, until the client hangs up or, over the network, the server is closed.
func Stalled() Trouble {
	return Trouble{name: "stalled in the body", serve: func(w http.ResponseWriter, r *http.Request, ordinary http.HandlerFunc) {
		r = hold(w, r)
		sendHalf(w, r, ordinary)
		if memory, ok := w.(*recorder); ok {
			memory.rest = stuck{r.Context()}
			return
		}
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	}}
}

// Truncated closes the connection halfway through the body.
func Truncated() Trouble {
	return Trouble{name: "truncated", serve: func(w http.ResponseWriter, r *http.Request, ordinary http.HandlerFunc) {
		sendHalf(w, r, ordinary)
		if memory, ok := w.(*recorder); ok {
			memory.rest = broken{}
			return
		}
		panic(http.ErrAbortHandler)
	}}
}

// Dropped closes the connection without an answer, as [Server.SetDown] does.
func Dropped() Trouble {
	return Trouble{name: "dropped", serve: func(http.ResponseWriter, *http.Request, http.HandlerFunc) { panic(http.ErrAbortHandler) }}
}

// Status answers with an HTTP status from 400 to 599 and the JSON body that Keycloak has for it. It panics with another one: Replaced can send it.
func Status(status int) Trouble {
	wantError("Status", status)
	return Trouble{name: fmt.Sprintf("status %d", status), serve: func(w http.ResponseWriter, _ *http.Request, _ http.HandlerFunc) {
		if status == http.StatusInternalServerError {
			writeJSON(w, status, map[string]string{"error": "unknown_error", "error_description": "For more on this error consult the server log."})
			return
		}
		writeStatus(w, status)
	}}
}

// RateLimited answers 429 with Retry-After (RFC 6585 §4), in whole seconds, rounded up; 0 leaves the header out. It panics if retryAfter is negative.
func RateLimited(retryAfter time.Duration) Trouble {
	if retryAfter < 0 {
		panic(fmt.Sprintf("keycloaktest: RateLimited: want 0 or more, got %v", retryAfter))
	}
	return Trouble{name: "rate-limited", serve: func(w http.ResponseWriter, _ *http.Request, _ http.HandlerFunc) {
		if retryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(retryAfter.Seconds()))))
		}
		writeStatus(w, http.StatusTooManyRequests)
	}}
}

// HTML answers with a page for people, as a proxy before Keycloak does: with status 200, where JSON is expected, or with an error from 400 to 599.
func HTML(status int) Trouble {
	if status != http.StatusOK {
		wantError("HTML", status)
	}
	return Trouble{name: fmt.Sprintf("HTML, status %d", status), serve: func(w http.ResponseWriter, _ *http.Request, _ http.HandlerFunc) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "<!DOCTYPE html>\n<html><head><title>Maintenance</title></head><body><h1>We will be back soon</h1></body></html>\n")
	}}
}

// Oversized puts that many bytes of white space before the ordinary answer, which is still valid JSON: only a reader with a bound stops. It panics if size is not
// from 1 to 64 MiB.
func Oversized(size int) Trouble {
	if size < 1 || size > 64<<20 {
		panic(fmt.Sprintf("keycloaktest: Oversized: want 1 to %d bytes, got %d", 64<<20, size))
	}
	return Trouble{name: fmt.Sprintf("oversized by %d bytes", size), serve: func(w http.ResponseWriter, r *http.Request, ordinary http.HandlerFunc) {
		answer := record(w, r, ordinary)
		w.WriteHeader(answer.status)
		blank := bytes.Repeat([]byte(" "), min(size, 64<<10))
		for left := size; left > 0; left -= len(blank) {
			if _, err := w.Write(blank[:min(left, len(blank))]); err != nil {
				return // the reader has enough
			}
		}
		_, _ = w.Write(answer.body.Bytes())
	}}
}

// Redirected sends the client elsewhere with 307, by which a secret in the request would go along. An empty target is the URL that was asked for: a loop.
func Redirected(target string) Trouble {
	return Trouble{name: "redirected", serve: func(w http.ResponseWriter, r *http.Request, _ http.HandlerFunc) {
		location := target
		if location == "" {
			location = r.URL.RequestURI()
		}
		w.Header().Set("Location", location)
		w.WriteHeader(http.StatusTemporaryRedirect)
	}}
}

// Replaced answers with a handler of the test's own, for any trouble that has no name here.
func Replaced(handler http.HandlerFunc) Trouble {
	return Trouble{name: "replaced", serve: func(w http.ResponseWriter, r *http.Request, _ http.HandlerFunc) { handler(w, r) }}
}

// WrongIssuer makes the discovery document name another issuer, as behind a proxy that Keycloak doesn't know of. It is for DiscoveryEndpoint alone.
func WrongIssuer(issuer string) Trouble {
	return changed("wrong issuer", DiscoveryEndpoint, func(members map[string]json.RawMessage) { members["issuer"] = rawJSON(issuer) })
}

func wantError(constructor string, status int) {
	if status < 400 || status > 599 {
		panic(fmt.Sprintf("keycloaktest: %s: want a status from 400 to 599, got %d", constructor, status))
	}
}

// changed is the ordinary answer of one endpoint with other members.
func changed(name, only string, change func(members map[string]json.RawMessage)) Trouble {
	return Trouble{name: name, only: only, serve: func(w http.ResponseWriter, r *http.Request, ordinary http.HandlerFunc) {
		answer := record(w, r, ordinary)
		var members map[string]json.RawMessage
		if answer.status == http.StatusOK && json.Unmarshal(answer.body.Bytes(), &members) == nil {
			change(members)
			writeJSON(w, answer.status, members)
			return
		}
		w.WriteHeader(answer.status)
		_, _ = w.Write(answer.body.Bytes())
	}}
}
