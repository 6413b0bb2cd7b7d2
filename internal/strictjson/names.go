package strictjson

// nameSet holds the names of one object. Few are compared one by one, which is quicker than a map and takes no memory;
// beyond them a map keeps an object of thousands of names from costing their square.
type nameSet struct {
	few  [32]string
	n    int
	many map[string]struct{}
}

// add takes name in, and reports whether it is new.
func (s *nameSet) add(name string) bool {
	for _, known := range s.few[:s.n] {
		if known == name {
			return false
		}
	}
	if s.n < len(s.few) {
		s.few[s.n] = name
		s.n++
		return true
	}
	if _, twice := s.many[name]; twice {
		return false
	}
	if s.many == nil {
		s.many = map[string]struct{}{}
	}
	s.many[name] = struct{}{}
	return true
}
