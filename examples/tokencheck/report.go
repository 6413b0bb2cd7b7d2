package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/svcauth/svcauth/clientcreds"
	"github.com/svcauth/svcauth/resourceserver"
)

// The results of a report.
const (
	accepted    = "accepted"
	refused     = "refused"
	unavailable = "unavailable" // no token came, or the issuer's keys are out of reach, which says nothing about the token
)

// report is all that was found, as the JSON document of -json. It holds no token and no secret.
type report struct {
	Result      string                      `json:"result"`
	Diagnosis   *clientcreds.Diagnosis      `json:"diagnosis,omitempty"`   // if the issuer was asked for a token
	Error       string                      `json:"error,omitempty"`       // why the token that the diagnosis saw did not come again
	Hint        string                      `json:"hint,omitempty"`        // what to do about Error
	Token       *decoded                    `json:"token,omitempty"`       // if there is one
	Explanation *resourceserver.Explanation `json:"explanation,omitempty"` // likewise
	KeyFetches  []keyFetch                  `json:"key_fetches,omitempty"` // if the server had to get the issuer's keys
}

// checkFetched asks the issuer for a token, and says what became of that, and of the token.
func checkFetched(ctx context.Context, timeout time.Duration, client *clientcreds.Source, server server) report {
	asking, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	found := client.Diagnose(asking)
	r := report{Result: unavailable, Diagnosis: &found}
	if !found.OK() {
		return r
	}
	token, err := client.TokenContext(asking) // the Diagnosis keeps the one it got to itself
	if err != nil {
		var failed *clientcreds.Error
		if errors.As(err, &failed) {
			failed.RetryIn, r.Hint = 0, failed.Hint // there is no next attempt: the program ends
		}
		r.Error = err.Error()
		return r
	}
	checked := checkGiven(asking, timeout, token.AccessToken, server)
	checked.Diagnosis = r.Diagnosis
	return checked
}

// checkGiven says what becomes of a token that is there.
func checkGiven(ctx context.Context, timeout time.Duration, token string, server server) report {
	r := report{Result: refused, Token: decode(token, time.Now())}
	r.Explanation, r.KeyFetches = server.explain(ctx, timeout, token)
	switch {
	case r.Explanation.Accepted:
		r.Result = accepted
	case r.Explanation.Status == http.StatusServiceUnavailable:
		r.Result = unavailable
	}
	return r
}

// writeJSON writes the report as one document.
func (r report) writeJSON(out io.Writer) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(r); err != nil {
		return err
	}
	_, err := io.WriteString(out, harmless(text.String()))
	return err
}
