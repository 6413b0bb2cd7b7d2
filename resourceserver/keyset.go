package resourceserver

import (
	"time"

	"github.com/svcauth/svcauth/internal/jose"
)

// keySet is one answer of the issuer. It is immutable.
type keySet struct {
	byID      map[string][]*jose.Key // under "": the keys without a kid
	all       []*jose.Key
	skipped   []jose.Skipped
	ids       string    // all kids, cut short, for the log
	asked     time.Time // when the issuer was asked
	fetched   time.Time
	refreshAt time.Time // from here a request starts a refresh in the background
	staleAt   time.Time // from here the first request after idleness waits for one
}

// maxCandidates bounds how many keys one token without a kid may try.
const maxCandidates = 32

// candidates returns the keys that may have signed a token with this kid and algorithm: those with the kid, else those to which the issuer gave none; for a token
// without a kid, every key that fits.
func (s *keySet) candidates(kid, alg string) []*jose.Key {
	from := s.all
	if kid != "" {
		if from = s.byID[kid]; len(from) == 0 {
			from = s.byID[""]
		}
	}
	var fitting []*jose.Key
	for _, key := range from {
		if key.Fits(alg) && len(fitting) < maxCandidates {
			fitting = append(fitting, key)
		}
	}
	return fitting
}

// verify tries the keys that may have made the signature. ReasonUnknownKey means that a newer set might know better; a wrong signature under a known kid
// does not, or every forged token would ask for one.
func (s *keySet) verify(jws *compact) *Error {
	keys := s.candidates(jws.kid, jws.alg)
	for _, key := range keys {
		if key.Verify(jws.alg, []byte(jws.signingInput), jws.signature) == nil {
			return nil
		}
	}
	if named := s.byID[jws.kid]; jws.kid != "" && len(named) > 0 {
		if len(keys) == 0 {
			return refuse(ReasonAlgorithm).because("the algorithm of key "+clip(jws.kid), jws.alg)
		}
		return refuse(ReasonSignature).because("", jws.alg)
	}
	return refuse(ReasonUnknownKey).because(s.ids, jws.kid)
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
