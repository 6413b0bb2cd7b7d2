package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf16"
)

// writeText writes the report for people.
func (r report) writeText(out io.Writer, coloured bool) error {
	paint := func(text string) string { return text }
	if coloured {
		paint = paintOutcomes // of the library's texts only: a token has claims of any name
	}
	var b strings.Builder
	if r.Diagnosis != nil {
		fmt.Fprintf(&b, "Asked for a token:\n\n%s\n", paint(r.Diagnosis.String()))
	}
	if r.Error != "" {
		fmt.Fprintf(&b, "A second one did not come: %s\n", r.Error)
	}
	if r.Hint != "" {
		fmt.Fprintf(&b, "%s\n", paint("hint: "+r.Hint))
	}
	if r.Token != nil {
		b.WriteString("The token says, which nobody has verified yet:\n\n")
		r.Token.write(&b)
	}
	if r.Explanation != nil {
		fmt.Fprintf(&b, "The resource server:\n\n%s", paint(r.Explanation.String()))
	}
	for _, f := range r.KeyFetches {
		if f.Error != "" {
			fmt.Fprintf(&b, "key fetch: %s\n", f.Error)
		} else {
			fmt.Fprintf(&b, "key fetch: %d usable, %d skipped\n", f.Usable, f.Skipped)
		}
	}
	_, err := io.WriteString(out, strings.TrimSuffix(b.String(), "\n")+"\n")
	return err
}

func (d *decoded) write(b *strings.Builder) {
	times := map[string]claimTime{}
	for _, t := range d.Times {
		times[t.Claim] = t
	}
	for _, part := range []struct {
		name    string
		members []member
	}{{"header", membersOf(d.Header)}, {"claims", membersOf(d.Claims)}} {
		if len(part.members) > 0 {
			fmt.Fprintf(b, "  %s\n", part.name)
		}
		for _, m := range part.members {
			fmt.Fprintf(b, "    %-18s %s", nameFor(m.name), harmless(string(m.value)))
			if t, ok := times[m.name]; ok && part.name == "claims" {
				fmt.Fprintf(b, "  %s, %s", t.Time, t.Relative)
			}
			b.WriteByte('\n')
		}
	}
	if d.Problem != "" {
		fmt.Fprintf(b, "  %s\n", d.Problem)
	}
	b.WriteByte('\n')
}

// nameFor is a claim's name as JSON writes it, without the quotes.
func nameFor(name string) string {
	quoted, err := json.Marshal(name)
	if err != nil {
		return "?" // text can always be written
	}
	return harmless(string(quoted[1 : len(quoted)-1]))
}

// harmless writes what a terminal would obey, or a reader not see, as JSON's escapes. The text is JSON, where such characters stand in strings only.
func harmless(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\n' || unicode.IsPrint(r):
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// isColoured says whether out is a terminal whose user has nothing against colours (https://no-color.org).
func isColoured(out io.Writer) bool {
	file, ok := out.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// outcomes are the words at the start of a line that say how something ended.
var outcomes = regexp.MustCompile(`(?m)^( *)(ok|passed|accepted|warning|wrong|refused|unknown|not reached|hint:|->)( |$)`)

var colours = map[string]string{
	"ok": "32", "passed": "32", "accepted": "1;32",
	"warning": "33", "hint:": "33", "->": "33",
	"wrong": "31", "refused": "1;31",
	"unknown": "2", "not reached": "2",
}

func paintOutcomes(text string) string {
	return outcomes.ReplaceAllStringFunc(text, func(line string) string {
		word := strings.TrimSpace(line)
		return strings.Replace(line, word, "\x1b["+colours[word]+"m"+word+"\x1b[0m", 1)
	})
}
