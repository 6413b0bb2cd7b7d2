package strictjson

import (
	"unicode/utf16"
	"unicode/utf8"
)

// string reads a string (RFC 8259 §7) from its opening quote on. Most have no escape and are a piece of the text.
func (p *parser) string() (string, error) {
	rest := p.text[p.pos+1:]
	for n := range len(rest) {
		switch c := rest[n]; {
		case c == '"':
			p.pos += n + len(`""`)
			return rest[:n], nil
		case c == '\\':
			p.pos += 1 + n
			return p.unescape([]byte(rest[:n]))
		case c < 0x20:
			return "", ErrSyntax
		}
	}
	return "", ErrSyntax
}

// unescape goes on with a string from its first backslash; out holds what came before.
func (p *parser) unescape(out []byte) (string, error) {
	for p.pos < len(p.text) {
		c := p.text[p.pos]
		p.pos++
		switch {
		case c == '"':
			return string(out), nil
		case c < 0x20:
			return "", ErrSyntax
		case c != '\\':
			out = append(out, c)
			continue
		}
		e := p.peek()
		p.pos++
		switch e {
		case '"', '\\', '/':
			out = append(out, e)
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r, err := p.unicode()
			if err != nil {
				return "", err
			}
			out = utf8.AppendRune(out, r)
		default:
			return "", ErrSyntax
		}
	}
	return "", ErrSyntax
}

// unicode reads the four digits after \u, and the second half of a surrogate pair. A lone half is refused: readers differ
// in what they make of it.
func (p *parser) unicode() (rune, error) {
	r, ok := p.hex4()
	if !ok {
		return 0, ErrSyntax
	}
	if !utf16.IsSurrogate(r) {
		return r, nil
	}
	if !p.literal(`\u`) {
		return 0, ErrUTF8
	}
	low, ok := p.hex4()
	if !ok {
		return 0, ErrSyntax
	}
	if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
		return 0, ErrUTF8
	}
	return r, nil
}

func (p *parser) hex4() (rune, bool) {
	if len(p.text)-p.pos < 4 {
		return 0, false
	}
	var r rune
	for i := range 4 {
		c := p.text[p.pos+i]
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	p.pos += 4
	return r, true
}
