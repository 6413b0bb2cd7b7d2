package clientcreds

import (
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestEqualTargetsShareASource(t *testing.T) {
	root := newTestSource(t, &script{next: tokens(time.Minute)}, func(c *Config) {
		c.Scopes, c.Params, c.Origins = []string{"a", "b"}, url.Values{"audience": {"x"}}, []string{"https://api.example"}
	})
	assert.Same(t, root, root.For(Target{}))
	assert.Same(t, root, root.For(Target{Scopes: []string{"b", "a", "a"}, Origins: []string{"https://API.example:443"}}))

	child := root.For(Target{Scopes: []string{"c", "d"}})
	assert.NotSame(t, root, child)
	assert.Same(t, child, root.For(Target{Scopes: []string{"d", "c"}}))
	assert.Same(t, child, child.For(Target{}))
	assert.Same(t, root, child.For(Target{Scopes: []string{"a", "b"}}), "a child knows its siblings")
	assert.Equal(t, "x", child.target.Params.Get("audience"), "nil keeps the parent's")
	assert.Empty(t, child.For(Target{Params: url.Values{}}).target.Params, "empty clears it")

	distinct := []Target{
		{Scopes: []string{}}, {Scopes: []string{"c"}}, {Scopes: []string{"cd"}}, {Scopes: []string{"c;d"}}, {Scopes: []string{"c", "d"}},
		{Scopes: []string{"c", "d"}, Resources: []string{"urn:a"}}, {Scopes: []string{"c", "d"}, Resources: []string{"urn:a", "urn:b"}},
		{Scopes: []string{"c", "d"}, Params: url.Values{"tenant": {"1"}}}, {Scopes: []string{"c", "d"}, Params: url.Values{"tenant": {"1", "2"}}},
		{Scopes: []string{"c", "d"}, Origins: []string{}}, {Scopes: []string{"c", "d"}, Origins: []string{"https://api.example:444"}},
	}
	seen := map[*Source]int{}
	for i, target := range distinct {
		s := root.For(target)
		if other, ok := seen[s]; ok {
			t.Errorf("targets %d and %d share a source", other, i)
		}
		seen[s] = i
	}
}

func TestChildrenHaveTokensOfTheirOwn(t *testing.T) {
	issuer := &script{next: tokens(time.Minute)}
	root := newTestSource(t, issuer)
	assert.Equal(t, "token-1", token(t, root))
	assert.Equal(t, "token-2", token(t, root.For(Target{Scopes: []string{"a"}})))
	assert.Equal(t, "token-2", token(t, root.For(Target{Scopes: []string{"a"}})))
	assert.Equal(t, "token-1", token(t, root))
}

func TestForReportsMistakesWhenTheSourceIsUsed(t *testing.T) {
	issuer := &script{next: tokens(time.Minute)}
	child := newTestSource(t, issuer).For(Target{Scopes: []string{"a b"}})
	_, err := child.Token()
	assert.ErrorContains(t, err, `clientcreds: For: Scopes: "a b" has a space in it`)
	_, err = child.Client(nil).Get("https://api.example")
	assert.ErrorContains(t, err, "has a space in it")
	assert.Same(t, child, child.For(Target{Scopes: []string{"a"}}))
	assert.ErrorContains(t, child.Status().LastError, "has a space in it")
	assert.Equal(t, 0, issuer.count())
}

func TestChildrenAreBounded(t *testing.T) {
	root := newTestSource(t, &script{next: tokens(time.Minute)})
	first := root.For(Target{Params: url.Values{"tenant": {"first"}}})
	old := root.For(Target{Params: url.Values{"tenant": {"old"}}})
	for i := range maxChildren + 10 {
		root.For(Target{Params: url.Values{"tenant": {fmt.Sprint(i)}}})
		assert.Same(t, first, root.For(Target{Params: url.Values{"tenant": {"first"}}}), "one in use stays")
	}
	assert.Len(t, root.client.children.byKey, maxChildren)
	assert.NotSame(t, old, root.For(Target{Params: url.Values{"tenant": {"old"}}}))
	assert.NotEmpty(t, token(t, old), "one that is held stays good")
}
