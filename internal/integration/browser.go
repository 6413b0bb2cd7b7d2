package integration

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// browser is a headless Chromium with nothing in it: a process and a user data folder of its own.
type browser struct {
	ctx      context.Context // of its first tab, which nobody uses: it lasts as long as the process
	pictures *pictures
}

// newBrowser starts the Chromium that the environment names. A missing one is a failure, not a skip.
func newBrowser(t *testing.T, one issuer) *browser {
	t.Helper()
	path := os.Getenv("CHROMIUM")
	require.NotEmpty(t, path, "CHROMIUM is not set: export CHROMIUM=$(.ci/chromium), which installs Chromium if need be")
	_, err := os.Stat(path)
	require.NoError(t, err, "CHROMIUM is %q, and that is not there: export CHROMIUM=$(.ci/chromium)", path)
	options := []chromedp.ExecAllocatorOption{chromedp.ExecPath(path), chromedp.WindowSize(desktop.width, desktop.height)}
	for _, flag := range []string{
		"headless", "no-sandbox", "disable-gpu", "no-first-run", "no-default-browser-check", "disable-background-networking", "disable-component-update",
		"disable-sync", "disable-quic", "disable-extensions", "disable-default-apps", "hide-scrollbars", "disable-dev-shm-usage",
		"disable-background-timer-throttling", "disable-backgrounding-occluded-windows", "disable-renderer-backgrounding",
	} {
		options = append(options, chromedp.Flag(flag, true))
	}
	options = append(options, chromedp.Flag("password-store", "basic"), chromedp.Flag("force-color-profile", "srgb"))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, closeIt := chromedp.NewContext(allocator)
	t.Cleanup(closeIt)
	require.NoError(t, chromedp.Do(ctx), "Chromium %s does not start", path)
	return &browser{ctx, newPictures(t, one)}
}

// person opens a tab of somebody whose cookies nobody else has.
func (b *browser) person(t *testing.T) *tab {
	t.Helper()
	return b.open(t, b.ctx, chromedp.WithNewBrowserContext())
}

// another opens one more tab of the same person.
func (v *tab) another(t *testing.T) *tab {
	t.Helper()
	return v.browser.open(t, v.ctx)
}

// open makes a tab, which is closed with the test. What then stands in its console, and was not expected, fails the test.
func (b *browser) open(t *testing.T, parent context.Context, options ...chromedp.ContextOption) *tab {
	t.Helper()
	v := &tab{browser: b}
	ctx, closeIt := chromedp.NewContext(parent, append(options, chromedp.WithListener(v.listen))...)
	v.ctx = ctx
	require.NoError(t, chromedp.Do(ctx, desktop.emulate()))
	t.Cleanup(func() {
		if t.Failed() {
			v.describe(t)
		}
		closeIt()
		v.mu.Lock()
		defer v.mu.Unlock()
		for _, words := range v.allowed {
			v.console = slices.DeleteFunc(v.console, func(entry string) bool { return strings.Contains(entry, words) })
		}
		assert.Empty(t, v.console, "errors in the browser's console")
	})
	return v
}

// tab is where somebody looks at pages.
type tab struct {
	browser *browser
	ctx     context.Context

	mu       sync.Mutex // guards the following
	console  []string   // errors that nobody expected yet
	allowed  []string   // words of errors that may come or not
	callback string     // the last address that an issuer sent the browser back to
}

// listen notes errors, and requests that leave this machine.
func (v *tab) listen(event any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch event := event.(type) {
	case *log.EventEntryAdded:
		// Browsers ask for /favicon.ico where a page names no icon. The app's pages name one.
		if event.Entry.Level == log.EntryLevelError && !strings.HasSuffix(event.Entry.URL, "/favicon.ico") {
			v.console = append(v.console, event.Entry.Text+" "+event.Entry.URL)
		}
	case *runtime.EventExceptionThrown:
		v.console = append(v.console, fmt.Sprintf("exception: %s", event.ExceptionDetails.Text))
	case *runtime.EventConsoleAPICalled:
		if event.Type == runtime.ConsoleAPICalledTypeError {
			v.console = append(v.console, fmt.Sprintf("console.error of %d arguments", len(event.Args)))
		}
	case *network.EventRequestWillBeSent:
		target := event.Request.URL
		if !strings.HasPrefix(target, "http://localhost:") && !strings.HasPrefix(target, "http://127.0.0.1:") && !strings.HasPrefix(target, "data:") {
			v.console = append(v.console, "a request to elsewhere: "+target)
		}
		if strings.Contains(target, callbackPath+"?") {
			v.callback = target
		}
	}
}

// expectError waits for an error in the console that has these words, and forgives it.
func (v *tab) expectError(t *testing.T, words string) {
	t.Helper()
	poll(t, func() string {
		v.mu.Lock()
		defer v.mu.Unlock()
		for i, entry := range v.console {
			if strings.Contains(entry, words) {
				v.console = append(v.console[:i:i], v.console[i+1:]...)
				return ""
			}
		}
		return fmt.Sprintf("the console does not say %q, but %q", words, v.console)
	})
}

// allowError forgives errors that have these words, if there are any.
func (v *tab) allowError(words string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.allowed = append(v.allowed, words)
}

// lastCallback is where the issuer sent this tab last: with code and state.
func (v *tab) lastCallback() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.callback
}

// within is how long a page may take to say what it should. Two cores have two browsers, a Keycloak and six services to run.
const within = 30 * time.Second

// poll waits until condition has nothing to object to.
func poll(t *testing.T, condition func() string) {
	t.Helper()
	for end := time.Now().Add(within); ; time.Sleep(25 * time.Millisecond) {
		objection := condition()
		if objection == "" {
			return
		}
		if time.Now().After(end) {
			require.FailNow(t, "not within "+within.String(), "%s", objection)
		}
	}
}

// ask evaluates an expression in the page. Pages that are about to be left can't always answer.
func ask[T any](v *tab, expression string) (T, error) {
	ctx, cancel := context.WithTimeout(v.ctx, 5*time.Second)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](expression))
}

// do performs an action in the tab.
func (v *tab) do(t *testing.T, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, within)
	defer cancel()
	require.NoError(t, chromedp.Do(ctx, actions...))
}

// describe is for failures.
func (v *tab) describe(t *testing.T) {
	t.Helper()
	text, err := ask[string](v, `location.href + "\n" + document.body.innerText`)
	t.Logf("a tab shows (%v): %.2000s", err, text)
	ctx, cancel := context.WithTimeout(v.ctx, 5*time.Second)
	defer cancel()
	if data, err := chromedp.Run(ctx, chromedp.CaptureScreenshot()); err == nil {
		v.browser.pictures.write(t, "failed-"+strings.NewReplacer("/", "-", " ", "-").Replace(t.Name()), data)
	} else {
		t.Logf("no picture of it: %v", err)
	}
}

// quoted writes a text as JavaScript does, whatever is in it.
func quoted(text string) string {
	return "new TextDecoder().decode(Uint8Array.from(atob('" + base64.StdEncoding.EncodeToString([]byte(text)) + "'), c => c.charCodeAt(0)))"
}
