// Package strictjson reads JSON objects that decide about access. Where encoding/json forgives, it refuses: duplicate names,
// invalid UTF-8, lone surrogates, deep nesting and endless numbers each let two readers see two different things in one
// signed text (RFC 8725 §3.10).
//
// Parse checks the whole text in one pass and copies nothing. An Object is that text with the places of its members, a
// Value is a piece of it, and what a Value holds is read when somebody asks.
package strictjson

import (
	"errors"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	// MaxDepth is how deep arrays and objects may nest, the outermost object included.
	MaxDepth = 16
	// MaxNumber is the length of a number's text in bytes.
	MaxNumber = 32
	// MaxSize is the length of the whole text in bytes.
	MaxSize = 1 << 24
)

// The errors of Parse. They name the fault and never the text.
var (
	ErrSyntax    = errors.New("not a JSON object")
	ErrUTF8      = errors.New("not valid UTF-8")
	ErrDuplicate = errors.New("a member name stands twice in one object")
	ErrDepth     = errors.New("nested too deep")
	ErrNumber    = errors.New("a number is too long")
	ErrSize      = errors.New("the text is too large")
)

// Object is a JSON object that Parse has passed. It is immutable; the zero value has no members.
type Object struct {
	text    string
	names   []place
	escaped map[string]place // of names that are written with an escape; nil if there are none
}

// place is where the name of a member stands in the text: in the upper byte its length there, in the others where its opening quote is, which MaxSize leaves
// room for. It is small since remembered tokens have some 20 each.
type place uint32

const longName = 255 // bytes; longer ones have this length too

func newPlace(quote, length int) place {
	return place(quote) | place(min(length, longName))<<24 //nolint:gosec // G115: Parse takes no text longer than MaxSize
}

func (at place) quote() int  { return int(at & (MaxSize - 1)) }
func (at place) length() int { return int(at >> 24) }

// Parse reads text, which must be one JSON object (RFC 8259) and nothing else but white space around it. The Object keeps
// text alive.
func Parse(text string) (Object, error) {
	if len(text) > MaxSize {
		return Object{}, ErrSize
	}
	if !utf8.ValidString(text) {
		return Object{}, ErrUTF8
	}
	p := parser{text: text, names: make([]place, 0, 32)}
	p.space()
	if p.peek() != '{' {
		return Object{}, ErrSyntax
	}
	if err := p.object(1); err != nil {
		return Object{}, err
	}
	p.space()
	if p.pos != len(text) {
		return Object{}, ErrSyntax
	}
	// The places are copied to lose the room they were collected in: an Object may be kept for long.
	return Object{text: text, names: slices.Clone(p.names), escaped: p.escaped}, nil
}

// Len is the number of members.
func (o Object) Len() int { return len(o.names) }

// Value is the object as a value; no value at all for the zero Object.
func (o Object) Value() Value { return Value(strings.Trim(o.text, " \t\n\r")) }

// Names yields the name of each member, escapes resolved.
func (o Object) Names(yield func(string) bool) {
	for _, at := range o.names {
		start := at.quote() + 1
		if o.escaped == nil && at.length() < longName {
			if !yield(o.text[start : start+at.length()]) {
				return
			}
			continue
		}
		p := parser{text: o.text, pos: at.quote()}
		if name, _ := p.string(); !yield(name) {
			return
		}
	}
}

// Member returns the value of the member with exactly this name.
func (o Object) Member(name string) Value {
	if at, ok := o.escaped[name]; ok {
		p := parser{text: o.text, pos: at.quote()}
		p.skipString()
		return p.memberValue()
	}
	if strings.IndexByte(name, '"') >= 0 || strings.IndexByte(name, '\\') >= 0 {
		return "" // such a name is written with an escape, and what looks like it in the text is something else
	}
	for _, at := range o.names { // others stand in the text as they are, up to the closing quote
		if at.length() != min(len(name), longName) {
			continue
		}
		start := at.quote() + 1
		end := start + len(name)
		if end < len(o.text) && o.text[end] == '"' && o.text[start:end] == name {
			p := parser{text: o.text, pos: end + 1}
			return p.memberValue()
		}
	}
	return ""
}

// Footprint is the memory in bytes that the Object keeps from being freed, its own struct apart.
func (o Object) Footprint() int {
	n := len(o.text) + 4*len(o.names)
	for name := range o.escaped {
		n += 64 + len(name)
	}
	return n
}
