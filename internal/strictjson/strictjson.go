// Package strictjson reads JSON objects that decide about access. Where encoding/json forgives, it refuses: duplicate names, invalid UTF-8, lone
// surrogates, deep nesting and endless numbers each let two readers see two different things in one signed text (RFC 8725 §3.10).
package strictjson

import (
	"encoding/json"
	"errors"
	"unicode/utf8"
)

const (
	// MaxDepth is how deep arrays and objects may nest, the outermost object included.
	MaxDepth = 16
	// MaxNumber is the length of a number's text in bytes.
	MaxNumber = 32
)

// The errors of Object. They name the fault and never the text.
var (
	ErrSyntax    = errors.New("not a JSON object")
	ErrUTF8      = errors.New("not valid UTF-8")
	ErrDuplicate = errors.New("a member name stands twice in one object")
	ErrDepth     = errors.New("nested too deep")
	ErrNumber    = errors.New("a number is too long")
)

// Object reads data, which must be one JSON object (RFC 8259) and nothing else but white space around it. Values are map[string]any, []any, string,
// json.Number, bool and nil. Names are taken exactly as they stand.
func Object(data []byte) (map[string]any, error) {
	if !utf8.Valid(data) {
		return nil, ErrUTF8
	}
	p := parser{data: data}
	p.space()
	if p.peek() != '{' {
		return nil, ErrSyntax
	}
	value, err := p.object(1)
	if err != nil {
		return nil, err
	}
	p.space()
	if p.pos != len(data) {
		return nil, ErrSyntax
	}
	return value, nil
}

type parser struct {
	data []byte
	pos  int
}

// peek returns the next byte, or 0 at the end: no JSON text has a bare NUL.
func (p *parser) peek() byte {
	if p.pos < len(p.data) {
		return p.data[p.pos]
	}
	return 0
}

// take consumes the next byte if it is c.
func (p *parser) take(c byte) bool {
	if p.peek() != c {
		return false
	}
	p.pos++
	return true
}

func (p *parser) space() {
	for p.pos < len(p.data) {
		switch p.data[p.pos] {
		case ' ', '\t', '\n', '\r':
			p.pos++
		default:
			return
		}
	}
}

func (p *parser) value(depth int) (any, error) {
	switch c := p.peek(); {
	case c == '{':
		return p.object(depth)
	case c == '[':
		return p.array(depth)
	case c == '"':
		return p.text()
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	case p.literal("true"):
		return true, nil
	case p.literal("false"):
		return false, nil
	case p.literal("null"):
		return nil, nil
	}
	return nil, ErrSyntax
}

func (p *parser) literal(word string) bool {
	if len(p.data)-p.pos < len(word) || string(p.data[p.pos:p.pos+len(word)]) != word {
		return false
	}
	p.pos += len(word)
	return true
}

func (p *parser) object(depth int) (map[string]any, error) {
	if depth > MaxDepth {
		return nil, ErrDepth
	}
	p.pos++
	members := map[string]any{}
	p.space()
	if p.take('}') {
		return members, nil
	}
	for {
		p.space()
		if p.peek() != '"' {
			return nil, ErrSyntax
		}
		name, err := p.text()
		if err != nil {
			return nil, err
		}
		if _, twice := members[name]; twice {
			return nil, ErrDuplicate
		}
		p.space()
		if !p.take(':') {
			return nil, ErrSyntax
		}
		p.space()
		if members[name], err = p.value(depth + 1); err != nil {
			return nil, err
		}
		p.space()
		if p.take('}') {
			return members, nil
		}
		if !p.take(',') {
			return nil, ErrSyntax
		}
	}
}

func (p *parser) array(depth int) ([]any, error) {
	if depth > MaxDepth {
		return nil, ErrDepth
	}
	p.pos++
	elements := []any{}
	p.space()
	if p.take(']') {
		return elements, nil
	}
	for {
		p.space()
		element, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		elements = append(elements, element)
		p.space()
		if p.take(']') {
			return elements, nil
		}
		if !p.take(',') {
			return nil, ErrSyntax
		}
	}
}

// number follows RFC 8259 §6.
func (p *parser) number() (json.Number, error) {
	start := p.pos
	p.take('-')
	if !p.take('0') && !p.digits() {
		return "", ErrSyntax
	}
	if p.take('.') && !p.digits() {
		return "", ErrSyntax
	}
	if p.take('e') || p.take('E') {
		if !p.take('+') {
			p.take('-')
		}
		if !p.digits() {
			return "", ErrSyntax
		}
	}
	if p.pos-start > MaxNumber {
		return "", ErrNumber
	}
	return json.Number(p.data[start:p.pos]), nil
}

func (p *parser) digits() bool {
	start := p.pos
	for c := p.peek(); c >= '0' && c <= '9'; c = p.peek() {
		p.pos++
	}
	return p.pos > start
}
