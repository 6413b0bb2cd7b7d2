package strictjson

// The methods below go through text that Parse has passed. There a value ends where its quotes and brackets close, whatever is
// in it, so that nothing is checked twice.

// memberValue returns the value of the member whose name was just read, and goes past it.
func (p *parser) memberValue() Value {
	p.space()
	p.take(':')
	p.space()
	return p.next()
}

// next returns the value that begins at the next byte, and goes past it.
func (p *parser) next() Value {
	start := p.pos
	switch p.peek() {
	case '"':
		p.skipString()
	case '{', '[':
		p.skipNested()
	default:
		p.skipWord()
	}
	return Value(p.text[start:p.pos])
}

func (p *parser) skipNested() {
	for open := 0; p.pos < len(p.text); {
		switch p.text[p.pos] {
		case '"':
			p.skipString()
			continue
		case '{', '[':
			open++
		case '}', ']':
			open--
		}
		p.pos++
		if open == 0 {
			return
		}
	}
}

func (p *parser) skipString() {
	for p.pos++; p.pos < len(p.text); p.pos++ {
		switch p.text[p.pos] {
		case '"':
			p.pos++
			return
		case '\\':
			p.pos++
		}
	}
}

// skipWord goes past a number, true, false or null.
func (p *parser) skipWord() {
	for p.pos < len(p.text) {
		switch p.text[p.pos] {
		case ' ', '\t', '\n', '\r', ',', ']', '}':
			return
		}
		p.pos++
	}
}
