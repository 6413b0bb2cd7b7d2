package resourceserver

import (
	"encoding/base64"
	"strings"
)

// compact is a JWS in compact serialization (RFC 7515 §3.1), split and decoded but not verified.
type compact struct {
	head         string  // the header's segment of the token
	header       *header // nil: not read yet
	payload      string
	signingInput string
	signature    []byte
}

// parseCompact takes a token apart: exactly three parts, strict base64url, a header that asks for nothing this package does
// not do. Five parts would be a JWE, which no access token for us is; an algorithm's name alone decides whether any further
// work is spent.
func parseCompact(token string, algorithms []string, known *headerMemory) (c compact, refused *Error) {
	head, rest, ok := strings.Cut(token, ".")
	body, sig, ok2 := strings.Cut(rest, ".")
	if !ok || !ok2 || head == "" || body == "" || strings.IndexByte(sig, '.') >= 0 {
		return c, refuse(ReasonMalformedToken).because("three parts", "")
	}
	if sig == "" {
		return c, refuse(ReasonMalformedToken).because("a signature", "none")
	}
	c.head = head
	if c.header = known.recall(head); c.header == nil {
		if c.header, refused = parseHeader(head, algorithms); refused != nil {
			return c, refused
		}
	}
	var room [2048]byte // on the stack, enough for most payloads
	payload, ok := appendBase64URL(room[:0], body)
	if !ok {
		return c, refuse(ReasonMalformedToken).because("claims in base64url", "")
	}
	if c.signature, ok = appendBase64URL(nil, sig); !ok {
		return c, refuse(ReasonMalformedToken).because("a signature in base64url", "")
	}
	c.payload, c.signingInput = string(payload), token[:len(head)+1+len(body)]
	return c, nil
}

var strictBase64URL = base64.RawURLEncoding.Strict()

// appendBase64URL appends what s decodes to, without padding, white space or spare bits, so that a token has one spelling
// only. (The standard decoder skips line breaks.)
func appendBase64URL(to []byte, s string) ([]byte, bool) {
	if strings.IndexByte(s, '\r') >= 0 || strings.IndexByte(s, '\n') >= 0 {
		return nil, false
	}
	data, err := strictBase64URL.AppendDecode(to, []byte(s))
	return data, err == nil
}
