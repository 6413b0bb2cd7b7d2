package strictjson

// parser goes through text once, from left to right.
type parser struct {
	text    string
	pos     int
	names   []place          // as in Object
	escaped map[string]place // as in Object
}

// peek returns the next byte, or 0 at the end: no JSON text has a bare NUL.
func (p *parser) peek() byte {
	if p.pos < len(p.text) {
		return p.text[p.pos]
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
	for p.pos < len(p.text) {
		switch p.text[p.pos] {
		case ' ', '\t', '\n', '\r':
			p.pos++
		default:
			return
		}
	}
}

// value checks the value that begins at the next byte and goes past it.
func (p *parser) value(depth int) error {
	switch c := p.peek(); {
	case c == '"':
		_, err := p.string()
		return err
	case c == '{':
		return p.object(depth)
	case c == '[':
		return p.array(depth)
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	case p.literal("true"), p.literal("false"), p.literal("null"):
		return nil
	}
	return ErrSyntax
}

func (p *parser) literal(word string) bool {
	if len(p.text)-p.pos < len(word) || p.text[p.pos:p.pos+len(word)] != word {
		return false
	}
	p.pos += len(word)
	return true
}

func (p *parser) object(depth int) error {
	if depth > MaxDepth {
		return ErrDepth
	}
	p.pos++
	p.space()
	if p.take('}') {
		return nil
	}
	var seen nameSet
	for {
		p.space()
		if p.peek() != '"' {
			return ErrSyntax
		}
		start := p.pos
		name, err := p.string()
		if err != nil {
			return err
		}
		if !seen.add(name) {
			return ErrDuplicate
		}
		if depth == 1 {
			p.index(name, start)
		}
		p.space()
		if !p.take(':') {
			return ErrSyntax
		}
		p.space()
		if err := p.value(depth + 1); err != nil {
			return err
		}
		p.space()
		if p.take('}') {
			return nil
		}
		if !p.take(',') {
			return ErrSyntax
		}
	}
}

// index takes in a member of the outermost object, whose name was read from the quote at start on.
func (p *parser) index(name string, start int) {
	at := newPlace(start, p.pos-start-len(`""`))
	p.names = append(p.names, at)
	if p.pos-start == len(name)+len(`""`) {
		return // an escape is longer than what it stands for
	}
	if p.escaped == nil {
		p.escaped = map[string]place{}
	}
	p.escaped[name] = at
}

func (p *parser) array(depth int) error {
	if depth > MaxDepth {
		return ErrDepth
	}
	p.pos++
	p.space()
	if p.take(']') {
		return nil
	}
	for {
		p.space()
		if err := p.value(depth + 1); err != nil {
			return err
		}
		p.space()
		if p.take(']') {
			return nil
		}
		if !p.take(',') {
			return ErrSyntax
		}
	}
}

// number follows RFC 8259 §6.
func (p *parser) number() error {
	start := p.pos
	p.take('-')
	if !p.take('0') && !p.digits() {
		return ErrSyntax
	}
	if p.take('.') && !p.digits() {
		return ErrSyntax
	}
	if p.take('e') || p.take('E') {
		if !p.take('+') {
			p.take('-')
		}
		if !p.digits() {
			return ErrSyntax
		}
	}
	if p.pos-start > MaxNumber {
		return ErrNumber
	}
	return nil
}

func (p *parser) digits() bool {
	start := p.pos
	for c := p.peek(); c >= '0' && c <= '9'; c = p.peek() {
		p.pos++
	}
	return p.pos > start
}
