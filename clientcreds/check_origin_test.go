package clientcreds

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCheckOrigin(t *testing.T) {
	free := newTestSource(t, &script{})
	bound := newTestSource(t, &script{}, func(c *Config) { c.Origins = []string{"https://api.example"} })
	for _, tt := range []struct {
		source *Source
		url    string
		ok     bool
	}{
		{free, "https://api.example/pkg.Service", true},
		{free, "http://localhost:1", true},
		{free, "http://api.example", false},
		{free, "unix:/run/api.sock", false},
		{bound, "https://API.example:443/pkg.Service", true},
		{bound, "https://api.example:444", false},
		{bound, "https://other.example", false},
	} {
		u, err := url.Parse(tt.url)
		require.NoError(t, err)
		if tt.ok {
			assert.NoError(t, tt.source.CheckOrigin(u), tt.url)
		} else {
			assert.ErrorIs(t, tt.source.CheckOrigin(u), ErrOrigin, tt.url)
		}
	}
	assert.Error(t, free.CheckOrigin(nil))
	assert.ErrorContains(t, new(Source).CheckOrigin(&url.URL{}), "zero value")
}
