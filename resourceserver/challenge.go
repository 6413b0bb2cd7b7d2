package resourceserver

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Refuse answers a request that was refused by Verify, BearerToken or a Rule exactly as the middleware does: status, challenge, body, log record and
// OnDecision. It is for routers and frameworks that Require does not fit. An err that is no *Error is answered with 403, since it must come from a Rule.
func (a *Authenticator) Refuse(w http.ResponseWriter, r *http.Request, err error) {
	a.refuse(w, r, asError(err))
}

// refuse is the one place where refusals are answered.
func (a *Authenticator) refuse(w http.ResponseWriter, r *http.Request, e *Error) {
	a.tell(r, e)
	e.SetHeader(w.Header())
	a.writeError(w, r, e)
}

// SetHeader sets the header fields of a refusal, whoever writes the rest of it: WWW-Authenticate (RFC 6750 §3), Retry-After with a 503, and Cache-Control. It is for
// transports other than net/http whose answers have such fields, after Authenticator.Admit.
func (e *Error) SetHeader(h http.Header) {
	if challenge := e.challenge(); challenge != "" {
		h.Set("WWW-Authenticate", challenge)
	}
	if e.Status == http.StatusServiceUnavailable {
		h.Set("Retry-After", strconv.FormatInt(int64(math.Ceil(max(e.RetryAfter, time.Second).Seconds())), 10))
	}
	h.Set("Cache-Control", "no-store")
}

// tell writes the log record of a refusal and calls OnDecision.
func (a *Authenticator) tell(r *http.Request, e *Error) {
	a.denials.record(r, e)
	a.decided(r.Context(), Decision{Reason: e.Reason, Status: e.Status})
}

// asError makes a refusal of whatever a Rule or a caller of Refuse came with: never an answer that lets through, and never one out of shape.
func asError(err error) *Error {
	var e *Error
	if err == nil || errors.As(err, &e) && e == nil {
		return refuse(ReasonRule)
	}
	if e == nil || descriptions[e.Reason] == "" {
		return refuse(ReasonRule).because("", err.Error())
	}
	proper := refuse(e.Reason)
	if e.Status != proper.Status || e.Code != proper.Code || e.Description != proper.Description {
		return proper // somebody made e by hand
	}
	return e
}

// challenge is the WWW-Authenticate value of RFC 6750 §3: bare without credentials, with an error where there is one to tell, and none at all for 503, which is
// not the token's fault. All values come from fixed lists or from the service's own rules, and need no quoting.
func (e *Error) challenge() string {
	if e.Status == http.StatusServiceUnavailable {
		return ""
	}
	if e.Code == "" {
		return "Bearer"
	}
	var b strings.Builder
	b.WriteString(`Bearer error="` + e.Code + `", error_description="` + e.Description + `"`)
	if e.scope != "" {
		b.WriteString(`, scope="` + e.scope + `"`)
	}
	return b.String()
}

// problem is the body of a refusal (RFC 9457). error repeats the code of RFC 6750 for clients that read bodies only.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	Error  string `json:"error,omitempty"`
}

func writeProblem(w http.ResponseWriter, _ *http.Request, e *Error) {
	sendProblem(w, problem{Status: e.Status, Detail: e.Description, Error: e.Code})
}

func sendProblem(w http.ResponseWriter, p problem) {
	p.Type, p.Title = "about:blank", http.StatusText(p.Status)
	body, err := json.Marshal(p)
	if err != nil {
		panic("resourceserver: a problem can't be encoded") // can't happen: it is made of text and a number
	}
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(p.Status)
	_, _ = w.Write(body) // the client may be gone; nobody is left to tell
}
