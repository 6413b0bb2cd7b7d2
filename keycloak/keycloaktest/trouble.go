package keycloaktest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Trouble is something that a service must live through when it asks the issuer. Slow, Hanging, Status and their like make one; [Trouble.Times] limits it to some
// requests. The zero Trouble is none, as Healthy. Values may be used again and concurrently.
type Trouble struct {
	name  string
	times int    // 0: as long as it is set
	only  string // the one endpoint that it fits; empty: any
	serve func(w http.ResponseWriter, r *http.Request, ordinary http.HandlerFunc)
}

// String says what the trouble is.
func (t Trouble) String() string {
	name := t.name
	if name == "" {
		name = "healthy"
	}
	if t.times > 0 {
		name += fmt.Sprintf(", %d times", t.times)
	}
	return name
}

// Times is the trouble for that many requests; those after them get the next trouble of SetTrouble, or an ordinary answer. It panics if n is not positive.
func (t Trouble) Times(n int) Trouble {
	if n < 1 {
		panic(fmt.Sprintf("keycloaktest: Times: want 1 or more, got %d", n))
	}
	t.times = n
	return t
}

// SetTrouble gives an endpoint troubles, in place of those it had; none ends them. Several come one after the other, each for the requests that its Times says:
//
//	realm.SetTrouble(keycloaktest.TokenEndpoint, keycloaktest.Status(503).Times(2), keycloaktest.Slow(time.Second).Times(1)) // and then all is well
//
// The endpoint is one of the constants, or the path or URL of one. What is set for an endpoint goes before what is set for AllEndpoints. It panics if there is no
// such endpoint, if a trouble doesn't fit it, or if one can never come because that before it has no Times. No troubles for AllEndpoints end all there are.
func (s *Server) SetTrouble(endpoint string, troubles ...Trouble) {
	s.test.Helper()
	name, path := s.resolve(endpoint)
	if name == "" {
		name = s.endpoints[path].name
	}
	if name == "" {
		s.misuse("SetTrouble: %q is no endpoint of realm %q: want one of %s", endpoint, s.realm.name, strings.Join(allEndpoints, ", "))
	}
	for i, t := range troubles {
		switch {
		case t.only != "" && t.only != name:
			s.misuse("SetTrouble: %q is for %s alone, not for %s", t, t.only, name)
		case t.times == 0 && i < len(troubles)-1:
			s.misuse("SetTrouble: %q never ends, so %q can't come: give it Times", t, troubles[i+1])
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if name == AllEndpoints && len(troubles) == 0 {
		clear(s.troubles)
		return
	}
	s.troubles[name] = slices.Clone(troubles)
}

// nextTrouble is that of one request for the endpoint, which it uses up.
func (s *Server) nextTrouble(endpoint string) Trouble {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range []string{endpoint, AllEndpoints} {
		queue := s.troubles[name]
		if len(queue) == 0 {
			continue
		}
		next := queue[0]
		if next.times > 0 {
			if queue[0].times--; queue[0].times == 0 {
				s.troubles[name] = queue[1:]
			}
		}
		return next
	}
	return Trouble{}
}
