package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// screen is what somebody looks at pages with.
type screen struct {
	name          string
	width, height int
	scale         float64
	phone         bool
}

var (
	desktop = screen{name: "desktop", width: 1280, height: 800, scale: 1}
	phone   = screen{name: "phone", width: 390, height: 844, scale: 2, phone: true}
)

func (s screen) emulate() chromedp.Action[chromedp.Void] {
	options := []chromedp.EmulateViewportOption{chromedp.EmulateScale(s.scale)}
	if s.phone {
		options = append(options, chromedp.EmulateMobile, chromedp.EmulatePortrait)
	}
	return chromedp.EmulateViewport(int64(s.width), int64(s.height), options...)
}

// pictures is the folder for screenshots of one issuer.
type pictures struct {
	dir, issuer string

	mu    sync.Mutex // guards count
	count int
}

// newPictures writes to the folder that ARTIFACTS names, or else to one that goes with the test.
func newPictures(t *testing.T, one issuer) *pictures {
	t.Helper()
	dir := os.Getenv("ARTIFACTS")
	if dir == "" {
		dir = t.TempDir()
	}
	require.True(t, filepath.IsAbs(dir), "ARTIFACTS is %q: want an absolute path, since tests run in a folder of their own", dir)
	require.NoError(t, os.MkdirAll(dir, 0o755))
	return &pictures{dir: dir, issuer: one.Name()}
}

func (p *pictures) write(t *testing.T, name string, data []byte) {
	t.Helper()
	path := filepath.Join(p.dir, p.issuer+"-"+name+".png")
	require.NoError(t, os.WriteFile(path, data, 0o644))
}

// picture takes the whole page on a desktop and on a phone. Neither may have to be scrolled sideways.
func (v *tab) picture(t *testing.T, state string) {
	t.Helper()
	p := v.browser.pictures
	p.mu.Lock()
	p.count++
	number := p.count
	p.mu.Unlock()
	for _, one := range []screen{phone, desktop} { // the desktop stays
		v.do(t, one.emulate())
		wide, err := ask[int](v, `document.documentElement.scrollWidth`)
		require.NoError(t, err)
		assert.LessOrEqual(t, wide, one.width, "%s on a %s: pixels that the page is wide", state, one.name)
		data, err := chromedp.Run(v.ctx, chromedp.FullScreenshot(100))
		require.NoError(t, err)
		p.write(t, fmt.Sprintf("%02d-%s-%s", number, state, one.name), data)
	}
}
