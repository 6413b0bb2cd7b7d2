package integration

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What people do at a page, and what they read on it.

// leave does what leads to another page, and waits until that is there, with all redirects on the way.
func (v *tab) leave(t *testing.T, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	_, err := ask[bool](v, `window.left = true`)
	require.NoError(t, err)
	v.do(t, actions...)
	poll(t, func() string {
		there, err := ask[bool](v, `!window.left && document.readyState == "complete" && location.href != "about:blank"`)
		if !there || err != nil {
			return fmt.Sprintf("no other page: %v", err)
		}
		return ""
	})
}

// open goes to an address as if it were typed.
func (v *tab) open(t *testing.T, target string) {
	t.Helper()
	v.leave(t, chromedp.Func(func(ctx context.Context, tabTarget *chromedp.Target) error {
		_, err := cdp.Call(ctx, tabTarget, page.Navigate, page.NavigateParams{URL: target})
		return err
	}))
}

// at finds the middle of an element, which must be there, be seen, and have nothing above it.
func (v *tab) at(t *testing.T, selector string) (x, y float64) {
	t.Helper()
	poll(t, func() string {
		got, err := ask[[]float64](v, `(() => {
			const e = document.querySelector(`+quoted(selector)+`)
			if (!e) return []
			e.scrollIntoView({block: "center", behavior: "instant"})
			const box = e.getBoundingClientRect(), x = box.x + box.width / 2, y = box.y + box.height / 2
			const top = document.elementFromPoint(x, y)
			return top && (e == top || e.contains(top)) ? [x, y] : []
		})()`)
		if len(got) != 2 {
			return fmt.Sprintf("%s can't be clicked: %v", selector, err)
		}
		x, y = got[0], got[1]
		return ""
	})
	return x, y
}

// click clicks on what leads to another page.
func (v *tab) click(t *testing.T, selector string) {
	t.Helper()
	x, y := v.at(t, selector)
	v.leave(t, chromedp.MouseClickXY(x, y))
}

// write replaces the text of a field.
func (v *tab) write(t *testing.T, selector, text string) {
	t.Helper()
	x, y := v.at(t, selector)
	v.do(t, chromedp.MouseClickXY(x, y))
	_, err := ask[bool](v, `(e => (e.focus(), e.select(), true))(document.querySelector(`+quoted(selector)+`))`)
	require.NoError(t, err)
	v.do(t, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		if text == "" {
			return nil
		}
		_, err := cdp.Call(ctx, target, input.InsertText, input.InsertTextParams{Text: text})
		return err
	}))
	require.Equal(t, text, v.value(t, selector))
}

// value is the text in a field.
func (v *tab) value(t *testing.T, selector string) string {
	t.Helper()
	got, err := ask[string](v, `document.querySelector(`+quoted(selector)+`).value`)
	require.NoError(t, err)
	return got
}

// texts are what is read in all elements of a selector. An element that is not seen has none.
func (v *tab) texts(t *testing.T, selector string) []string {
	t.Helper()
	got, err := ask[[]string](v, `[...document.querySelectorAll(`+quoted(selector)+`)].filter(e => e.checkVisibility()).map(e => e.innerText)`)
	require.NoError(t, err)
	return got
}

// reads asserts that some element of a selector has these words.
func (v *tab) reads(t *testing.T, selector, words string) {
	t.Helper()
	got := v.texts(t, selector)
	require.True(t, strings.Contains(strings.Join(got, "\n"), words), "%s reads %q, want %q", selector, got, words)
}

// sees asserts how many elements of a selector are seen.
func (v *tab) sees(t *testing.T, count int, selector string) {
	t.Helper()
	assert.Len(t, v.texts(t, selector), count, "%s", selector)
}

// told asserts that the page has exactly this message on what became of the last action.
func (v *tab) told(t *testing.T, kind, text string) {
	t.Helper()
	require.Equal(t, []string{text}, v.texts(t, ".flashes .flash"))
	v.sees(t, 1, ".flashes .flash."+kind)
}

// address is where the tab is.
func (v *tab) address(t *testing.T) string {
	t.Helper()
	got, err := ask[string](v, `location.href`)
	require.NoError(t, err)
	return got
}

// forge sends a form that the page does not have, as somebody does who knows the developer tools.
func (v *tab) forge(t *testing.T, path, content string) {
	t.Helper()
	v.leave(t, chromedp.Evaluate[chromedp.Void](`(() => {
		const form = document.createElement("form"), field = document.createElement("input")
		form.method = "post"
		form.action = `+quoted(path)+`
		field.type = "hidden"
		field.name = "content"
		field.value = `+quoted(content)+`
		form.append(field)
		document.body.append(form)
		form.submit()
	})()`))
}
