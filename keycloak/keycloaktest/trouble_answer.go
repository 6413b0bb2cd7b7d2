package keycloaktest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// hold prepares for a request that takes long: it reads the body, since net/http notices only then that the client hangs up, and lifts the server's deadlines. The
// request's context ends when the client is gone or the server is closed.
func hold(w http.ResponseWriter, r *http.Request) *http.Request {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxForm+1)) // what is beyond is refused anyway
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Time{}) // in memory there is none
	_ = control.SetWriteDeadline(time.Time{})
	held := r.WithContext(r.Context())
	held.Body = io.NopCloser(bytes.NewReader(body))
	return held
}

// record is the ordinary answer, kept back. Its header is already that of w.
func record(w http.ResponseWriter, r *http.Request, ordinary http.HandlerFunc) *recorder {
	answer := &recorder{header: w.Header(), status: http.StatusOK}
	ordinary(answer, r)
	return answer
}

// sendHalf sends the header of the ordinary answer, with its length, and half of the body.
func sendHalf(w http.ResponseWriter, r *http.Request, ordinary http.HandlerFunc) {
	answer := record(w, r, ordinary)
	body := answer.body.Bytes()
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(answer.status)
	_, _ = w.Write(body[:len(body)/2])
	_ = http.NewResponseController(w).Flush() // in memory there is none
}

func rawJSON(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("keycloaktest: %v", err)) // can't happen: strings, and what was JSON before
	}
	return raw
}
