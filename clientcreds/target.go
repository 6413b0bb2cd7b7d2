package clientcreds

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Target is what a token is for. A nil field keeps the parent's value; an empty one that is not nil clears it, but for Origins: a list that a filter left empty
// must not come to mean "anywhere". See [Source.For].
type Target struct {
	Scopes    []string
	Resources []string
	Origins   []string
	Params    url.Values
}

// target is a checked Target with nothing left to inherit. It is not changed after newTarget.
type target struct {
	Target
	origins   []origin
	allowHTTP []string
	key       string
}

func newTarget(t Target, allowHTTP []string) (*target, error) {
	if err := checkScopes(t.Scopes); err != nil {
		return nil, err
	}
	if err := checkResources(t.Resources); err != nil {
		return nil, err
	}
	if err := checkParams(t.Params); err != nil {
		return nil, err
	}
	own := &target{
		Target: Target{
			Scopes: slices.Clone(t.Scopes), Resources: slices.Clone(t.Resources), Origins: slices.Clone(t.Origins), Params: cloneValues(t.Params),
		},
		allowHTTP: slices.Clone(allowHTTP),
	}
	for _, raw := range t.Origins {
		o, err := parseOrigin(raw, allowHTTP)
		if err != nil {
			return nil, fmt.Errorf("Origins: %w", err)
		}
		own.origins = append(own.origins, o)
	}
	own.key = own.makeKey()
	return own, nil
}

// makeKey is equal for equal targets and for no others. Scopes, resources and origins are sets; everything that changes the token request or where its
// token may go is in it, or one target would be served another's token.
func (t *target) makeKey() string {
	var b strings.Builder
	set := func(values []string) {
		sorted := slices.Clone(values)
		slices.Sort(sorted)
		for _, v := range slices.Compact(sorted) {
			b.WriteString(strconv.Quote(v))
		}
		b.WriteByte(';')
	}
	set(t.Scopes)
	set(t.Resources)
	origins := make([]string, len(t.origins))
	for i, o := range t.origins {
		origins[i] = o.String()
	}
	set(origins)
	b.WriteString(t.Params.Encode())
	return b.String()
}

// form returns the parameters of a token request that do not depend on how the client authenticates.
func (t *target) form(clientID string) url.Values {
	form := cloneValues(t.Params)
	form.Set("grant_type", "client_credentials")
	if clientID != "" {
		form.Set("client_id", clientID)
	}
	if len(t.Scopes) > 0 {
		form.Set("scope", strings.Join(t.Scopes, " "))
	}
	if len(t.Resources) > 0 {
		form["resource"] = slices.Clone(t.Resources)
	}
	return form
}

// For returns the Source of another token of the same client: for other scopes, another resource, a tenant's parameters. Equal targets get the same
// Source (the order of scopes, resources and origins does not count), and a target equal to the parent's gets the parent. The client remembers the 1,000
// targets used last; a Source that is held stays good beyond that. Each has a token and a pace of its own, so the issuer is asked once for each target; but
// when it refuses the client's credential (invalid_client, unauthorized_client), all targets wait out the 5 seconds. For does not fail: a target that [New]
// would refuse gives a Source whose every call does.
func (s *Source) For(t Target) *Source {
	if s.invalid != nil || s.client == nil {
		return s
	}
	if t.Scopes == nil {
		t.Scopes = s.target.Scopes
	}
	if t.Resources == nil {
		t.Resources = s.target.Resources
	}
	if t.Origins == nil {
		t.Origins = s.target.Origins
	}
	if len(t.Origins) == 0 && len(s.target.Origins) > 0 {
		return s.broken(errors.New("Target.Origins is empty: leave it nil to keep the parent's, or name the origins"))
	}
	if t.Params == nil {
		t.Params = s.target.Params
	}
	own, err := newTarget(t, s.target.allowHTTP)
	if err != nil {
		return s.broken(err)
	}
	return s.client.children.get(own)
}

// broken is a Source that fails every call with err.
func (s *Source) broken(err error) *Source {
	return &Source{client: s.client, target: s.target, invalid: fmt.Errorf("clientcreds: For: %w", err)}
}

const maxChildren = 1000

// children are the Sources that For gave, by target. Bounded, because targets may come from requests, such as a tenant's name.
type children struct {
	root *Source

	mu    sync.Mutex // guards byKey, tick and what child.used says
	byKey map[string]*child
	tick  uint64
}

type child struct {
	source *Source
	used   uint64
}

func (c *children) get(t *target) *Source {
	if t.key == c.root.target.key {
		return c.root
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tick++
	if known := c.byKey[t.key]; known != nil {
		known.used = c.tick
		return known.source
	}
	if c.byKey == nil {
		c.byKey = make(map[string]*child)
	}
	if len(c.byKey) >= maxChildren {
		oldest, used := "", c.tick
		for key, k := range c.byKey {
			if k.used < used {
				oldest, used = key, k.used
			}
		}
		delete(c.byKey, oldest)
	}
	s := newSource(c.root.client, t)
	c.byKey[t.key] = &child{source: s, used: c.tick}
	return s
}
