package resourceserver_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	rs "github.com/svcauth/svcauth/resourceserver"
)

// blank is an http.ResponseWriter that keeps only the status, so that what a test allocates is what the middleware does.
type blank struct {
	header http.Header
	status int
}

func (b *blank) Header() http.Header           { return b.header }
func (b *blank) WriteHeader(status int)        { b.status = status }
func (*blank) Write(p []byte) (n int, e error) { return len(p), nil }

func heapAfterGC() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// garbage are requests that must leave nothing behind; n makes each another one.
func garbage() []func(n int) string {
	head, body, sig := parts(goodToken())
	megabyte := "Bearer " + strings.Repeat("a", 1<<19) + "." + strings.Repeat("a", 1<<18) + "." + strings.Repeat("a", 1<<18)
	dots := "Bearer " + strings.Repeat(".", 16_000)
	unsigned := func(header, claims string) string { return "Bearer " + b64(header) + "." + b64(claims) + "." + sig }
	fullPart := "." + b64(payload(good(nil))) + "." + sig
	withHeader := func(format string, n int) string { return "Bearer " + b64(fmt.Sprintf(format, n)) + fullPart }
	return []func(n int) string{
		func(n int) string { return fmt.Sprint("Bearer garbage", n) },
		func(n int) string { return fmt.Sprint("Basic ", n) },
		func(n int) string { return fmt.Sprint("Bearer a b ", n) },
		func(n int) string { // a megabyte, as much as net/http lets through, now and then
			if n%1300 < 13 {
				return megabyte
			}
			return dots[:7+n%16_000]
		},
		func(n int) string { return withHeader(`{"alg":"EdDSA","kid":"forged-%d"}`, n) },
		func(n int) string { return withHeader(`{"alg":"X%d"}`, n) },
		func(n int) string {
			return unsigned(`{"alg":"EdDSA"}`, fmt.Sprintf(`{"iss":"https://%d.test","exp":99999999999}`, n))
		},
		func(n int) string {
			return unsigned(`{"alg":"EdDSA"}`, fmt.Sprintf(`{"iss":%q,"aud":"a-%d","exp":99999999999}`, issuerName, n))
		},
		func(n int) string { return unsigned(`{"alg":"EdDSA"}`, fmt.Sprintf(`{"iss":%q,"x%d":`, issuerName, n)) },
		func(n int) string { return "Bearer " + head + "." + body + "." + b64(fmt.Sprintf("%064d", n)) },
		func(n int) string { return withHeader(`{"alg":"EdDSA","typ":"t%d"}`, n) },
	}
}

// TestGarbageLeavesNothingBehind sends 100,000 bad requests and holds that memory does not grow with them: not by kids, issuers, audiences, paths or tokens, and
// not by their log.
func TestGarbageLeavesNothingBehind(t *testing.T) {
	c := newFakeIssuer(keyFor("EdDSA")).config()
	c.Logger = slog.New(slog.NewJSONHandler(io.Discard, nil))
	h := newAuth(t, c).Require(rs.Scope("openid"))(ok)
	require.Equal(t, 200, get(h, "Bearer "+goodToken()).Code)
	kinds := garbage()
	r, err := http.NewRequest("GET", "https://service.test/", nil)
	require.NoError(t, err)
	statuses := map[int]int{}
	send := func(n int) {
		r.Header["Authorization"] = []string{kinds[n%len(kinds)](n)}
		r.URL.Path = fmt.Sprint("/", n)
		w := &blank{header: http.Header{}}
		h.ServeHTTP(w, r)
		statuses[w.status]++
	}
	for n := range 1000 { // whatever is made once is made now
		send(n)
	}
	before := heapAfterGC()
	for n := range 100_000 {
		send(1000 + n)
	}
	grown := heapAfterGC() - before
	t.Logf("the heap grew by %d bytes", grown)
	assert.Less(t, grown, int64(4<<20))
	assert.Equal(t, map[int]int{401: 101_000}, statuses)
	runtime.KeepAlive(h)
}

// perCall measures what one call of f allocates, in bytes.
func perCall(f func()) int {
	const runs = 50
	f()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		f()
	}
	runtime.ReadMemStats(&after)
	return int((after.TotalAlloc - before.TotalAlloc) / runs)
}

// sized is a good token of exactly the largest size, or up to three bytes less, filled by repeating unit in a claim between open and closing.
func sized(t *testing.T, open, unit, closing string) string {
	t.Helper()
	full := payload(good(claims{"roles": absent}))
	fill := func(n int) string {
		text := strings.TrimSuffix(strings.Repeat(unit, n), ",")
		return signRaw(keyFor("EdDSA"), nil, []byte(full[:len(full)-1]+`,"x":`+open+text+closing+"}"))
	}
	n := (rs.DefaultMaxTokenSize - len(fill(0))) * 3 / 4 / len(unit)
	token := fill(n)
	for len(token) > rs.DefaultMaxTokenSize {
		n--
		token = fill(n)
	}
	require.Greater(t, len(token), rs.DefaultMaxTokenSize-8*len(unit)-8)
	return token
}

// TestLargestTokenAllocatesLittle holds that no claim blows up in memory: the bound is a multiple of the token's size. The cache is off, so that every call
// verifies.
func TestLargestTokenAllocatesLittle(t *testing.T) {
	c := newFakeIssuer(keyFor("EdDSA")).config()
	c.DisableCache = true
	auth := newAuth(t, c)
	distinct := func(format string) string {
		var b strings.Builder
		for n := 0; b.Len() < 10_000; n++ {
			fmt.Fprintf(&b, format, strconv.FormatInt(int64(n), 36))
		}
		return b.String()
	}
	for _, shape := range []struct {
		name, open, unit, closing string
		most                      int // times the size of the token
	}{
		{"one long text", `"`, "x", `"`, 4},
		{"one text of escapes", `"`, `\u00e9`, `"`, 5},
		{"texts", `[`, `"abcdefgh",`, `]`, 4},
		{"empty texts", `[`, `"",`, `]`, 4},
		{"numbers of a digit", `[`, `1,`, `]`, 4},
		{"literals", `[`, `null,`, `]`, 4},
		{"empty objects", `[`, `{},`, `]`, 4},
		{"objects with a member", `[`, `{"a":1},`, `]`, 4},
		{"empty arrays", `[`, `[],`, `]`, 4},
		{"white space", ``, ` `, `1`, 4},
		{"one role over and over", `1,"roles":[`, `"a",`, `]`, 16},
		{"one scope over and over", `1,"scp":"`, `a `, `"`, 4},

		{"members", `{`, distinct(`"-%s":1,`), `,"":1}`, 14},
		{"claims", `1,`, distinct(`"-%s":1,`), `,"":1`, 16},
		{"claims written with an escape", `1,`, distinct(`"\u002d%s":1,`), `,"":1`, 16},
		{"roles, which only a verified token has", `1,"roles":[`, distinct(`"%s",`), `,""]`, 40},
		{"scopes, likewise", `1,"scp":"`, distinct("%s "), `"`, 40},
	} {
		t.Run(shape.name, func(t *testing.T) {
			token := sized(t, shape.open, shape.unit, shape.closing)
			bytes := perCall(func() {
				if _, err := auth.Verify(t.Context(), token); err != nil {
					t.Error(err)
				}
			})
			t.Logf("%d bytes allocated, %.1f times the size of the token", bytes, float64(bytes)/float64(len(token)))
			assert.Less(t, bytes, shape.most*len(token))
		})
	}
}

// TestHopelessTokensAllocateNextToNothing holds that size and shape are looked at before any work.
func TestHopelessTokensAllocateNextToNothing(t *testing.T) {
	auth := newAuth(t, newFakeIssuer(keyFor("EdDSA")).config())
	for name, token := range map[string]string{
		"a megabyte":         strings.Repeat("a", 1<<20),
		"a megabyte header":  strings.Repeat("a", 1<<20) + ".a.a",
		"a megabyte of dots": strings.Repeat(".", 1<<20),
		"dots":               strings.Repeat(".", rs.DefaultMaxTokenSize),
		"a large header":     strings.Repeat("a", rs.DefaultMaxTokenSize-4) + ".a.a."[:4],
		"a foreign alg":      b64(`{"alg":"none"}`) + "." + strings.Repeat("a", 12_000) + ".a",
	} {
		t.Run(name, func(t *testing.T) {
			bytes := perCall(func() { assert.Error(t, verifyErr(t, auth, token)) })
			assert.Less(t, bytes, 16<<10+2*min(len(token), rs.DefaultMaxTokenSize), "%d bytes allocated", bytes)
		})
	}
}
