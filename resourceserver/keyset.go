package resourceserver

import (
	"iter"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/svcauth/svcauth/internal/jose"
)

// keySet is one answer of the issuer. It is immutable once it is published.
type keySet struct {
	byID      map[string][]*jose.Key // under "": the keys without a kid
	all       []*jose.Key
	skipped   []jose.Skipped
	ids       string    // all kids, cut short, for the log
	asked     time.Time // when the issuer was asked
	fetched   time.Time
	refreshAt time.Time // from here a request starts a refresh in the background
	staleAt   time.Time // from here the first request after idleness waits for one
	// generation counts the sets that differ in their keys. An unchanged one keeps its number, so that a refresh costs remembered tokens nothing.
	generation uint64
}

// newKeySet makes a set of keys that the issuer gave now.
func newKeySet(keys []*jose.Key, skipped []jose.Skipped, now time.Time) *keySet {
	s := &keySet{all: keys, skipped: skipped, fetched: now, generation: 1}
	s.index()
	ids := make([]string, len(keys))
	for n, key := range keys {
		ids[n] = key.ID
	}
	s.ids = clip(strings.Join(ids, " "))
	return s
}

func (s *keySet) index() {
	s.byID = make(map[string][]*jose.Key, len(s.all))
	for _, key := range s.all {
		s.byID[key.ID] = append(s.byID[key.ID], key)
	}
}

// succeed takes over the keys that old had too, so that the same key is the same pointer for as long as the issuer publishes it: kid, alg and the public key
// itself are all equal, or it is another key. To be called before s is published.
func (s *keySet) succeed(old *keySet) {
	if old == nil {
		return
	}
	changed := len(s.all) != len(old.all)
	for n, key := range s.all {
		same := slices.IndexFunc(old.byID[key.ID], func(known *jose.Key) bool { return reflect.DeepEqual(key, known) })
		if same < 0 {
			changed = true
			continue
		}
		s.all[n] = old.byID[key.ID][same]
		changed = changed || n < len(old.all) && s.all[n] != old.all[n]
	}
	s.index()
	s.generation = old.generation
	if changed {
		s.generation++
	}
}

// maxCandidates bounds how many keys one token without a kid may try.
const maxCandidates = 32

// candidates are the keys that may have signed a token with this kid and algorithm: those with the kid, else those to which the issuer gave none; for a token
// without a kid, every key that fits.
func (s *keySet) candidates(kid, alg string) iter.Seq[*jose.Key] {
	from := s.all
	if kid != "" {
		if from = s.byID[kid]; len(from) == 0 {
			from = s.byID[""]
		}
	}
	return func(yield func(*jose.Key) bool) {
		fitting := 0
		for _, key := range from {
			if !key.Fits(alg) {
				continue
			}
			if fitting++; fitting > maxCandidates || !yield(key) {
				return
			}
		}
	}
}

// mayHaveSigned reports whether key is among the candidates.
func (s *keySet) mayHaveSigned(key *jose.Key, kid, alg string) bool {
	for candidate := range s.candidates(kid, alg) {
		if candidate == key {
			return true
		}
	}
	return false
}

// verify tries the keys that may have made the signature. ReasonUnknownKey means that a newer set might know better; a wrong signature under a known kid
// does not, or every forged token would ask for one.
func (s *keySet) verify(jws *compact) (*jose.Key, *Error) {
	kid, alg := jws.header.kid, jws.header.alg
	tried := false
	for key := range s.candidates(kid, alg) {
		tried = true
		if key.Verify(alg, jws.signingInput, jws.signature) == nil {
			return key, nil
		}
	}
	if named := s.byID[kid]; kid != "" && len(named) > 0 {
		if !tried {
			return nil, refuse(ReasonAlgorithm).because("the algorithm of key "+clip(kid), alg)
		}
		return nil, refuse(ReasonSignature).because("", alg)
	}
	refused := refuse(ReasonUnknownKey).because(s.ids, kid)
	refused.Hint = unknownKeyHint
	return nil, refused
}

func (s *keySet) len() int {
	if s == nil {
		return 0
	}
	return len(s.all)
}

func (s *keySet) skippedLen() int {
	if s == nil {
		return 0
	}
	return len(s.skipped)
}
