package keycloaktest

import "time"

// maxShelved bounds each shelf: whoever asks for login pages in a loop must not fill the memory of a long test.
const maxShelved = 1024

// shelf keeps values until they expire. When it is full, the value that would expire first makes room. What has expired is swept when something is added, so no
// goroutine and no timer runs. The zero shelf is ready for use; it is not safe for concurrent use.
type shelf[T any] struct {
	values map[string]shelved[T]
}

type shelved[T any] struct {
	value   T
	expires time.Time
}

func (s *shelf[T]) put(key string, value T, expires, now time.Time) {
	if s.values == nil {
		s.values = map[string]shelved[T]{}
	}
	if _, known := s.values[key]; !known && len(s.values) >= maxShelved {
		s.makeRoom(now)
	}
	s.values[key] = shelved[T]{value, expires}
}

func (s *shelf[T]) makeRoom(now time.Time) {
	first, found := "", false
	for key, one := range s.values {
		if !now.Before(one.expires) {
			delete(s.values, key)
		} else if !found || one.expires.Before(s.values[first].expires) {
			first, found = key, true
		}
	}
	if len(s.values) >= maxShelved {
		delete(s.values, first)
	}
}

func (s *shelf[T]) get(key string, now time.Time) (T, bool) {
	one, ok := s.values[key]
	if !ok || !now.Before(one.expires) {
		delete(s.values, key)
		var none T
		return none, false
	}
	return one.value, true
}

// take is get and remove.
func (s *shelf[T]) take(key string, now time.Time) (T, bool) {
	value, ok := s.get(key, now)
	delete(s.values, key)
	return value, ok
}

func (s *shelf[T]) remove(key string) { delete(s.values, key) }
