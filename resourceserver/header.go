package resourceserver

import (
	"slices"
	"strings"
	"sync/atomic"

	"github.com/svcauth/svcauth/internal/strictjson"
)

// header is the JOSE header of a token (RFC 7515 §4.1) that asks for nothing this package does not do. It is immutable.
type header struct {
	alg string
	kid string // empty: the token names no key
	typ string // lower case, without "application/"
}

// maxKeyID bounds kid, which becomes a map key and stands in logs.
const maxKeyID = 512

// headerNames are the header parameters that decide. As with claims, a name that differs from one only in case is refused:
// what one reader takes for "alg" another ignores.
var headerNames = []string{"alg", "typ", "kid", "crit", "b64", "zip", "enc"}

// parseHeader reads and checks a header (RFC 8725 §3). Keys that it brings along (jwk, jku, x5u, x5c) are never looked at:
// they are the sender's word.
func parseHeader(segment string, algorithms []string) (*header, *Error) {
	text, ok := appendBase64URL(nil, segment)
	if !ok {
		return nil, refuse(ReasonMalformedToken).because("a header in base64url", "")
	}
	object, err := strictjson.Parse(string(text))
	if err != nil {
		return nil, refuse(ReasonMalformedToken).because("a JSON header", err.Error())
	}
	for name := range object.Names {
		if folds(name, headerNames) {
			return nil, refuse(ReasonMalformedToken).because("header names in lower case", name)
		}
	}
	h := &header{}
	alg, ok := object.Member("alg").Text()
	if !ok {
		return nil, refuse(ReasonMalformedToken).because("an alg", "")
	}
	n := slices.Index(algorithms, alg)
	if n < 0 {
		return nil, refuse(ReasonAlgorithm).because(strings.Join(algorithms, " "), alg)
	}
	h.alg = algorithms[n]
	for _, name := range []string{"crit", "b64", "zip", "enc"} {
		if object.Member(name) != "" {
			return nil, refuse(ReasonHeader).because("no "+name+" in the header", name)
		}
	}
	if kid := object.Member("kid"); kid != "" {
		text, ok := kid.Text()
		if !ok || len(text) > maxKeyID {
			return nil, refuse(ReasonMalformedToken).because("a short text as kid", "")
		}
		h.kid = strings.Clone(text) // a header is kept for longer than its text
	}
	if typ := object.Member("typ"); typ != "" {
		text, ok := typ.Text()
		if !ok {
			return nil, refuse(ReasonMalformedToken).because("a text as typ", "")
		}
		switch strings.TrimPrefix(strings.ToLower(text), "application/") { // constants, for the same reason
		case "jwt":
			h.typ = "jwt"
		case "at+jwt":
			h.typ = "at+jwt"
		default:
			return nil, refuse(ReasonHeader).because("typ JWT or at+jwt", text)
		}
	}
	return h, nil
}

// headerMemory holds the headers of the last verified tokens by their text, since an issuer gives all tokens of one key the
// very same: it is decoded once, and remembered tokens share it. Only headers of verified tokens enter, so forged ones push
// nothing out. The zero value is ready for use, concurrently.
type headerMemory struct {
	slots [8]atomic.Pointer[knownHeader]
	next  atomic.Uint32 // the slot that is written next, modulo their number
}

type knownHeader struct {
	segment string // as it stands in the token
	header  *header
}

// maxKnownHeader bounds the text of a header that is held, in bytes.
const maxKnownHeader = 1 << 10

// recall returns the header of a token that begins with segment, or nil.
func (m *headerMemory) recall(segment string) *header {
	for n := range m.slots {
		if known := m.slots[n].Load(); known != nil && known.segment == segment {
			return known.header
		}
	}
	return nil
}

// remember takes in the header of a verified token.
func (m *headerMemory) remember(jws *compact) {
	if len(jws.head) > maxKnownHeader || m.recall(jws.head) != nil {
		return
	}
	n := (m.next.Add(1) - 1) % uint32(len(m.slots))
	m.slots[n].Store(&knownHeader{segment: strings.Clone(jws.head), header: jws.header}) // a part of the token would keep it all
}
