package archival

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
)

// An outcome is an answer's status and the challenge (RFC 6750) that it has, if any.
type outcome struct {
	status    int
	challenge string
}

func invalidToken(description string) outcome {
	return outcome{401, `Bearer error="invalid_token", error_description="` + description + `"`}
}

var (
	success        = outcome{200, ""}
	stranger       = outcome{401, `Bearer`}
	forbidden      = outcome{403, `Bearer error="insufficient_scope", error_description="the request requires higher privileges than provided by the access token"`}
	doubled        = outcome{400, `Bearer error="invalid_request", error_description="more than one Authorization header in the request"`}
	headerTooLarge = outcome{431, ""} // from net/http, before any handler
	noKeys         = outcome{503, ""}

	malformedHeader = invalidToken("the Authorization header is malformed")
	malformed       = invalidToken("the token is malformed")
	tooLarge        = invalidToken("the token is too large")
	badHeader       = invalidToken("the token's header is not supported")
	badAlgorithm    = invalidToken("the signature algorithm is not allowed")
	badSignature    = invalidToken("the signature is not valid")
	badIssuer       = invalidToken("the issuer is not trusted")
	badAudience     = invalidToken("the audience does not match")
	unknownKey      = invalidToken("no key of the issuer fits the token")
	expired         = invalidToken("the token has expired")
	notAccessToken  = invalidToken("the token is not an access token")
)

// compare holds a row of a reference table: ours is the original's status, or another one with the reason in words.
func compare(t *testing.T, original int, ours outcome, better string) {
	t.Helper()
	assert.Equal(t, original == ours.status, better == "", "a reason stands exactly where we differ")
}

// check holds an answer against the outcome, and what every answer of a handler has.
func (o outcome) check(t *testing.T, resp *http.Response) {
	t.Helper()
	assert.Equal(t, o.status, resp.StatusCode)
	assert.Equal(t, o.challenge, resp.Header.Get("WWW-Authenticate"))
	if o == headerTooLarge {
		return
	}
	assert.Equal(t, "DENY", resp.Header.Get("X-Frame-Options"))
	assert.Equal(t, "no-store", resp.Header.Get("Cache-Control"))
	var body struct{ Status any }
	assert.NoError(t, json.NewDecoder(resp.Body).Decode(&body))
	if o == success {
		assert.Equal(t, "success", body.Status)
		return
	}
	assert.Equal(t, "application/problem+json", resp.Header.Get("Content-Type"))
	assert.Equal(t, float64(o.status), body.Status)
	if o.status == 503 {
		assert.Regexp(t, `^[1-9]\d*$`, resp.Header.Get("Retry-After"))
	}
}
