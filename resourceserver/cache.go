package resourceserver

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"sync/atomic"
	"time"

	"github.com/svcauth/svcauth/internal/jose"
)

const (
	// DefaultCacheTokens is how many verified tokens are remembered.
	DefaultCacheTokens = 10_000
	// DefaultCacheBytes is how much memory the claims of remembered tokens may take, in bytes.
	DefaultCacheBytes = 16 << 20

	cacheWays  = 8  // slots in which one token may stand
	cacheSweep = 64 // tokens that may be spared for having been used lately, when room is needed
)

// tokenCache remembers verified tokens, so that a token that comes again costs a hash instead of a signature. It holds identities and the roles mapped from
// their claims, never a decision about a request, and no token: a dump of the heap shows hashes. Only valid tokens enter, so forged ones push nothing out.
//
// Reading takes no lock. Writing does; it happens after a signature was checked, which costs far more.
type tokenCache struct {
	maxTokens, maxBytes int
	slots               []atomic.Pointer[remembered] // sets of cacheWays; a token's hash names its set
	epoch               atomic.Uint64                // counts calls of forget

	mu     sync.Mutex // guards the fields below, and all writing to slots
	tokens int
	bytes  int
	hand   int // where the next sweep goes on
}

// tokenHash stands for a token. Nobody can make another token with the same one.
type tokenHash [sha256.Size]byte

// remembered is a verified token with what its next use must still check: the time, and that the issuer still has the key.
type remembered struct {
	hash     tokenHash
	identity identity
	key      *jose.Key
	header   *header
	size     int // by estimate, while it is in the cache
	// generation is that of the last key set in which the key was found.
	generation atomic.Uint64
	used       atomic.Bool // since the last sweep
}

func newTokenCache(maxTokens, maxBytes int) *tokenCache {
	sets := (maxTokens + maxTokens/2 + cacheWays - 1) / cacheWays // more slots than tokens, since hashes spread unevenly
	return &tokenCache{maxTokens: maxTokens, maxBytes: maxBytes, slots: make([]atomic.Pointer[remembered], max(sets, 1)*cacheWays)}
}

// hashToken hashes in pieces that stay on the stack: a copy of the token on the heap would cost time, and would be one more place to steal it from.
func hashToken(token string) tokenHash {
	var piece [2048]byte
	if len(token) <= len(piece) {
		return sha256.Sum256(piece[:copy(piece[:], token)])
	}
	h := sha256.New()
	for len(token) > 0 {
		n := copy(piece[:], token)
		h.Write(piece[:n])
		token = token[n:]
	}
	var sum tokenHash
	h.Sum(sum[:0])
	return sum
}

// set returns the slots where a token may stand.
func (c *tokenCache) set(hash *tokenHash) []atomic.Pointer[remembered] {
	sets := uint64(len(c.slots) / cacheWays)
	first := binary.LittleEndian.Uint64(hash[:8]) % sets * cacheWays
	return c.slots[first : first+cacheWays]
}

// recall returns the identity of a token that would be verified now, or nil if it is not known or must run through the checks again. It refuses only where they
// would too: no keys may serve. Asking for the keys also keeps them fresh when all traffic is remembered tokens.
func (c *tokenCache) recall(ctx context.Context, hash *tokenHash, now time.Time) (*identity, *Error) {
	e := c.find(hash)
	if e == nil {
		return nil, nil
	}
	if !e.identity.valid(now) {
		c.drop(e)
		return nil, nil
	}
	set, refused := e.identity.issuer.keys.current(ctx, now)
	if refused != nil {
		return nil, refused
	}
	if e.generation.Load() != set.generation {
		if !set.mayHaveSigned(e.key, e.header.kid, e.header.alg) { // withdrawn: revoked with all that it signed
			c.drop(e)
			return nil, nil
		}
		e.generation.Store(set.generation)
	}
	if !e.used.Load() {
		e.used.Store(true)
	}
	return &e.identity, nil
}

func (c *tokenCache) find(hash *tokenHash) *remembered {
	set := c.set(hash)
	for n := range set {
		if e := set[n].Load(); e != nil && e.hash == *hash {
			return e
		}
	}
	return nil
}

// newRemembered is for a token that has passed every check.
func newRemembered(hash tokenHash, v *verification) *remembered {
	e := &remembered{hash: hash, identity: v.identity(), key: v.key, header: v.jws.header}
	e.generation.Store(v.set.generation)
	return e
}

// remember takes e in. epoch is from before the checks: what was verified before forget stays forgotten.
func (c *tokenCache) remember(e *remembered, epoch uint64) {
	e.size = e.footprint()
	if e.size > c.maxBytes/4 {
		return // one token is not worth all the others
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.epoch.Load() != epoch {
		return
	}
	c.put(c.slotFor(&e.hash), e)
	for spared := 0; c.tokens > c.maxTokens || c.bytes > c.maxBytes; {
		slot := &c.slots[c.hand]
		c.hand = (c.hand + 1) % len(c.slots)
		switch old := slot.Load(); {
		case old == nil || old == e:
		case spared < cacheSweep && old.used.Load():
			old.used.Store(false)
			spared++
		default:
			c.put(slot, nil)
		}
	}
}

// slotFor chooses where a token goes: where it stands already, else a free slot, else one that was not used lately. Held: mu.
func (c *tokenCache) slotFor(hash *tokenHash) *atomic.Pointer[remembered] {
	set := c.set(hash)
	var free, unused *atomic.Pointer[remembered]
	for n := range set {
		switch e := set[n].Load(); {
		case e == nil:
			free = &set[n]
		case e.hash == *hash:
			return &set[n]
		case !e.used.Load():
			unused = &set[n]
		}
	}
	if free != nil {
		return free
	}
	if unused != nil {
		return unused
	}
	for n := range set {
		set[n].Load().used.Store(false)
	}
	return &set[int(hash[8])%cacheWays]
}

// put replaces what stands in slot by e, which may be nil. Held: mu.
func (c *tokenCache) put(slot *atomic.Pointer[remembered], e *remembered) {
	if old := slot.Swap(e); old != nil {
		c.tokens--
		c.bytes -= old.size
	}
	if e != nil {
		c.tokens++
		c.bytes += e.size
	}
}

// drop removes e, unless it is gone already.
func (c *tokenCache) drop(e *remembered) {
	c.mu.Lock()
	defer c.mu.Unlock()
	set := c.set(&e.hash)
	for n := range set {
		if set[n].Load() == e {
			c.put(&set[n], nil)
		}
	}
}

// forget removes everything, tokens that are being verified at this moment included.
func (c *tokenCache) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch.Add(1)
	for n := range c.slots {
		c.put(&c.slots[n], nil)
	}
}

// Forget empties the cache of verified tokens: each token that comes from now on runs through every check, and its roles are mapped anew. Keys stay.
func (a *Authenticator) Forget() {
	if a.cache != nil {
		a.cache.forget()
	}
}
