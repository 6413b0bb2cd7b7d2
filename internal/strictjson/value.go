package strictjson

import "strings"

// Value is one JSON value out of an Object, as its text stands there: an escape is still an escape. "" is no value at all:
// a Value asked for something that it is not, or that it does not have, answers with "" or nothing.
//
// The methods walk text that Parse has passed, so they meet no errors. Each reads no more than the Value itself.
type Value string

// Kind is what a Value is.
type Kind string

// The kinds of values.
const (
	KindNone   Kind = "nothing"
	KindText   Kind = "a text"
	KindNumber Kind = "a number"
	KindBool   Kind = "true or false"
	KindNull   Kind = "null"
	KindArray  Kind = "an array"
	KindObject Kind = "an object"
)

// Kind tells what v is.
func (v Value) Kind() Kind {
	if v == "" {
		return KindNone
	}
	switch v[0] {
	case '"':
		return KindText
	case '{':
		return KindObject
	case '[':
		return KindArray
	case 't', 'f':
		return KindBool
	case 'n':
		return KindNull
	}
	return KindNumber
}

// Text returns the string that v is. Without escapes it is a piece of the Object's text.
func (v Value) Text() (text string, ok bool) {
	if v.Kind() != KindText {
		return "", false
	}
	if text = string(v[1 : len(v)-1]); strings.IndexByte(text, '\\') >= 0 {
		p := parser{text: string(v)}
		text, _ = p.string()
	}
	return text, true
}

// Member returns the value of the member of v with exactly this name.
func (v Value) Member(name string) Value {
	for found, value := range v.Members {
		if found == name {
			return value
		}
	}
	return ""
}

// Members yields the members of v, in order.
func (v Value) Members(yield func(name string, value Value) bool) {
	p := parser{text: string(v)}
	if !p.take('{') {
		return
	}
	p.space()
	for more := p.peek() == '"'; more; more = p.take(',') {
		p.space()
		name, _ := p.string()
		if !yield(name, p.memberValue()) {
			return
		}
		p.space()
	}
}

// Elements yields the elements of v, in order.
func (v Value) Elements(yield func(Value) bool) {
	p := parser{text: string(v)}
	if !p.take('[') {
		return
	}
	p.space()
	for more := p.peek() != ']'; more; more = p.take(',') {
		p.space()
		if !yield(p.next()) {
			return
		}
		p.space()
	}
}
