package resourceserver

import "strings"

// The sizes by which the cache counts its memory, in bytes. They are those of 64-bit Go rounded up, so that the bound holds
// rather than the count is exact.
const (
	entrySize  = 320 // a remembered with its identity
	headerSize = 64  // a header; tokens of one key share it, most often
	nameSize   = 16  // a name in a slice
)

// footprint estimates the memory that e keeps from being freed.
func (e *remembered) footprint() int {
	claims := e.identity.claims.object
	n := entrySize + rounded(claims.Footprint()) + headerSize + len(e.header.kid)
	for _, names := range [][]string{e.identity.roles, e.identity.scopes} {
		n += rounded(nameSize * len(names))
		for _, name := range names {
			n += rounded(len(name)) // a piece of the claims' text most often, but a mapper may have made it
		}
	}
	if text := claims.Value(); strings.IndexByte(string(text), '\\') >= 0 {
		n += 2 * len(text) // names and the subject are copies where they were written with escapes
	}
	return n
}

// rounded adds what a size class wastes at most.
func rounded(n int) int { return n + n/8 + 16 }
