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
	text  string
	names []place
	odd   map[string]place // those of names that are not in the text as they are, or very long; nil if there are none
}

// place says where the name of a member stands: the offset of its opening quote in the lower 24 bits, its length in the
// others. It is small since remembered tokens have some 20 each.
type place uint32

const oddLength = 255 // stands for the length of a name in Object.odd

func (p place) offset() int { return int(p & (MaxSize - 1)) }
func (p place) length() int { return int(p >> 24) }

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
	return Object{text: text, names: slices.Clone(p.names), odd: p.odd}, nil
}

// Len is the number of members.
func (o Object) Len() int { return len(o.names) }

// Value is the object as a value; no value at all for the zero Object.
func (o Object) Value() Value { return Value(strings.Trim(o.text, " \t\n\r")) }

// Names yields the name of each member as it stands in the text, escapes resolved.
func (o Object) Names(yield func(string) bool) {
	for _, at := range o.names {
		start, length := at.offset()+1, at.length()
		if length < oddLength {
			if !yield(o.text[start : start+length]) {
				return
			}
			continue
		}
		p := parser{text: o.text, pos: at.offset()}
		name, _ := p.string()
		if !yield(name) {
			return
		}
	}
}

// Member returns the value of the member with exactly this name.
func (o Object) Member(name string) Value {
	for _, at := range o.names {
		if at.length() != len(name) || len(name) == oddLength {
			continue
		}
		start := at.offset() + 1
		end := start + len(name)
		if o.text[start:end] == name {
			p := parser{text: o.text, pos: end + 1}
			return p.memberValue()
		}
	}
	if at, ok := o.odd[name]; ok {
		p := parser{text: o.text, pos: at.offset()}
		p.skipString()
		return p.memberValue()
	}
	return ""
}

// Footprint is the memory in bytes that the Object keeps from being freed, its own struct apart.
func (o Object) Footprint() int {
	n := len(o.text) + 4*len(o.names)
	for name := range o.odd {
		n += 64 + len(name)
	}
	return n
}
