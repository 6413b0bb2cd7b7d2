package keycloaktest

import (
	"maps"
	"net/url"
	"slices"
	"strings"
)

// maxPaths bounds what Requests remembers of unknown paths: a stray client must not fill the memory of a long test.
const maxPaths = 1024

// counts is what a Server remembers of requests.
type counts struct {
	all       int
	endpoints map[string]int // by name
	paths     map[string]int
	grants    map[string]int // by client ID
	refusals  map[string]int // by client ID; empty: unknown clients
	lastForm  url.Values
}

func newCounts() counts {
	return counts{endpoints: map[string]int{}, paths: map[string]int{}, grants: map[string]int{}, refusals: map[string]int{}}
}

// Requests says how many requests came for an endpoint, such as TokenEndpoint, or for a path or URL of this server; those during SetDown, and those that a
// [Trouble] answered, included. It counts 1024 unknown paths at most. It panics if this is neither an endpoint, nor a path from the first slash on, nor a URL of
// this server. A mistyped path passes for "never asked": the constants can't be mistyped.
func (s *Server) Requests(endpoint string) int {
	s.test.Helper()
	name, path := s.resolve(endpoint)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch name {
	case "":
		return s.counts.paths[path]
	case AllEndpoints:
		return s.counts.all
	}
	return s.counts.endpoints[name]
}

func (s *Server) countRequest(path string) {
	endpoint, served := s.endpoints[path]
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts.all++
	s.counts.endpoints[endpoint.name]++
	if _, known := s.counts.paths[path]; known || served || len(s.counts.paths) < maxPaths {
		s.counts.paths[path]++
	}
}

// Grants says how many times the token endpoint gave tokens to a client, whatever the grant. It panics if there is no such client.
func (s *Server) Grants(clientID string) int {
	s.test.Helper()
	s.knownClient(clientID)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts.grants[clientID]
}

// Refusals says how many token requests of a client the realm refused: a wrong secret, an unknown scope, a used code. What a [Trouble] answered is not among them.
// The empty ID stands for requests of clients that the realm doesn't have. It panics if there is no such client.
func (s *Server) Refusals(clientID string) int {
	s.test.Helper()
	if clientID != "" {
		s.knownClient(clientID)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts.refusals[clientID]
}

// LastTokenRequest is the form of the last request that the token endpoint read, nil if there was none. Secrets, codes, assertions and tokens in it read "[secret]";
// that they were sent can be seen.
func (s *Server) LastTokenRequest() url.Values {
	s.mu.Lock()
	defer s.mu.Unlock()
	return cloneForm(s.counts.lastForm)
}

func (s *Server) rememberForm(form url.Values) {
	form = cloneForm(form)
	for name, values := range form {
		if isSecret(name) {
			for i := range values {
				values[i] = "[secret]"
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts.lastForm = form
}

// isSecret goes by the words that parameters of RFC 6749, 7521, 7636 and 8693 have in common, so that one that is not thought of here is rather hidden.
func isSecret(name string) bool {
	name = strings.ToLower(name)
	if strings.HasSuffix(name, "_type") {
		return false
	}
	return slices.ContainsFunc([]string{"secret", "password", "assertion", "code", "token", "key"}, func(word string) bool { return strings.Contains(name, word) })
}

func cloneForm(form url.Values) url.Values {
	form = maps.Clone(form)
	for name, values := range form {
		form[name] = slices.Clone(values)
	}
	return form
}

// countAnswer counts what became of a token request. claimed is the client that the request names; nothing proves that it came from there.
func (s *Server) countAnswer(claimed string, granted bool) {
	if s.realm.clients[claimed] == nil {
		claimed = ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if granted {
		s.counts.grants[claimed]++
	} else {
		s.counts.refusals[claimed]++
	}
}
