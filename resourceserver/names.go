package resourceserver

import (
	"slices"
	"strings"
)

// fewNames are compared one by one, which is quicker than a map; beyond them a map keeps a token of thousands of names from
// costing their square.
const fewNames = 16

// nameList collects roles or scopes in order, without duplicates and empty ones.
type nameList struct {
	names []string
	seen  map[string]struct{} // once there are more than a few
}

// newNameList has room for the names that are expected: to make it while they come would take several times what they do.
func newNameList(expected int) nameList {
	return nameList{names: make([]string, 0, max(expected, fewNames))}
}

func (l *nameList) add(name string) {
	if name == "" {
		return
	}
	if l.seen == nil && len(l.names) < fewNames {
		if !slices.Contains(l.names, name) {
			l.names = append(l.names, name)
		}
		return
	}
	if l.seen == nil {
		l.seen = make(map[string]struct{}, cap(l.names))
		for _, known := range l.names {
			l.seen[known] = struct{}{}
		}
	}
	if _, twice := l.seen[name]; !twice {
		l.seen[name] = struct{}{}
		l.names = append(l.names, name)
	}
}

// addFields adds the names that stand in text, separated by white space.
func (l *nameList) addFields(text string) {
	for name := range strings.FieldsSeq(text) {
		l.add(name)
	}
}

// exact returns the names in no more room than they need, since they are remembered; nil if there are none.
func (l *nameList) exact() []string {
	if len(l.names) == 0 {
		return nil
	}
	return slices.Clone(l.names)
}
