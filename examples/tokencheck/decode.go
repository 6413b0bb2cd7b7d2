package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// decoded is what a token says of itself, which nobody has verified. The library shows no such claims, for programs would act on them. There is no signature
// in it, and no part of the token as it came.
type decoded struct {
	Header  json.RawMessage `json:"header,omitempty"`
	Claims  json.RawMessage `json:"claims,omitempty"`
	Times   []claimTime     `json:"times,omitempty"`   // of the claims that are times
	Problem string          `json:"problem,omitempty"` // why there is no header, or no claims
}

// decode takes a JWT apart (RFC 7519 §3). What it can't read it says, and leaves the verdict to the resource server.
func decode(token string, now time.Time) *decoded {
	d := new(decoded)
	parts := strings.Split(token, ".")
	if len(parts) != 3 && len(parts) != 5 {
		d.Problem = fmt.Sprintf("it is not a JWT, which has 3 parts with dots between: it has %d", len(parts))
		return d
	}
	var err error
	if d.Header, err = object(parts[0]); err != nil {
		d.Problem = "its header " + err.Error()
		return d
	}
	if len(parts) == 5 {
		d.Problem = "it is encrypted (JWE), so its claims can't be read"
		return d
	}
	if d.Claims, err = object(parts[1]); err != nil {
		d.Problem = "its claims " + err.Error()
		return d
	}
	d.Times = timesOf(d.Claims, now)
	return d
}

// object reads one part of a JWT as a JSON object.
func object(part string) (json.RawMessage, error) {
	text, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return nil, errors.New("can't be read: it is not base64url")
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(text, &members) != nil || members == nil {
		return nil, errors.New("can't be read: it is not a JSON object")
	}
	var short bytes.Buffer
	err = json.Compact(&short, text)
	return short.Bytes(), err
}

// member is one member of a JSON object.
type member struct {
	name  string
	value json.RawMessage
}

// membersOf lists the members in the order in which they stand, one that stands twice included.
func membersOf(object json.RawMessage) []member {
	var all []member
	decoder := json.NewDecoder(bytes.NewReader(object))
	_, _ = decoder.Token() // the brace; object was read before, so nothing can go wrong from here on
	for decoder.More() {
		name, _ := decoder.Token()
		m := member{name: fmt.Sprint(name)}
		if decoder.Decode(&m.value) != nil {
			break
		}
		all = append(all, m)
	}
	return all
}
