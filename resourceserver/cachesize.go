package resourceserver

import "encoding/json"

// The sizes by which the cache counts its memory, in bytes. They are those of 64-bit Go rounded up, so that the bound holds rather than the count is exact.
const (
	entrySize   = 144 + 16 // a remembered
	idSize      = 288      // an identity
	textSize    = 16 + 16  // a string in an interface, besides its bytes, and what its size class wastes
	mapSize     = 48       // a map, besides its groups
	groupSize   = 8*32 + 8 // eight members of a map: names and interfaces
	elementSize = 16       // an interface in a slice
	sliceSize   = 24 + 8   // a slice in an interface
	literalSize = 0        // nil and bool take no memory of their own
	nameSize    = 16       // what a size class wastes on a member's name
	maxLoad     = 7        // of eight slots in a group that are used before a map grows
)

// size estimates the memory that an identity keeps from being freed.
func (id *identity) size() int {
	n := idSize
	for _, names := range [][]string{id.roles, id.scopes} {
		for _, name := range names {
			n += textSize + len(name)
		}
	}
	return n + sizeOf(id.claims.members)
}

func sizeOf(value any) int {
	switch v := value.(type) {
	case string:
		return textSize + len(v)
	case json.Number:
		return textSize + len(v)
	case []any:
		n := sliceSize
		for _, element := range v {
			n += elementSize + sizeOf(element)
		}
		return n
	case map[string]any:
		groups := 1
		for groups*maxLoad < len(v) {
			groups *= 2
		}
		n := mapSize + groups*groupSize
		for name, member := range v {
			n += nameSize + len(name) + sizeOf(member)
		}
		return n
	}
	return literalSize
}
