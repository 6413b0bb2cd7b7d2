package main

import (
	"bytes"
	"fmt"
	"html"
	"math"

	"github.com/svcauth/svcauth/internal/benchmarks"
)

// The drawing is as wide as a README, in pixels.
const (
	width   = 820
	left    = 190 // where bars begin
	right   = 740 // where the scale ends
	barSize = 16
	rowSize = 2*barSize + 14
)

// style has colours for light pages and dark ones. A picture in a README can't ask its page, so the reader's preference decides.
const style = `<style>
text { font: 13px -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328 }
.title { font-weight: 600; font-size: 15px } .small { font-size: 11px; fill: #59636e } .end { text-anchor: end } .middle { text-anchor: middle }
.first { fill: #0969da } .second { fill: #54aeff } .plain { fill: #8c959f } .pale { fill: #c8d1da } .floor { stroke: #cf222e; stroke-dasharray: 4 3 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .small { fill: #9198a1 } .first { fill: #1f6feb } .second { fill: #79c0ff } .plain { fill: #6e7681 } .pale { fill: #3d444d }
.floor { stroke: #ff7b72 }
}
</style>
`

// draw shows what one verification takes, and what is left of a service's throughput.
func draw(w *bytes.Buffer, m machine, sections []section) {
	p := &picture{}
	p.verifications(sections)
	p.load(sections)
	p.y += 12
	p.text(0, "small", "Measured on "+m.String()+".")
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img" aria-label="%s">`+"\n%s%s</svg>\n",
		width, p.y+10, width, p.y+10, "What verifying a token takes, by library", style, p.body)
}

// picture grows downwards.
type picture struct {
	body string
	y    int
}

func (p *picture) printf(format string, args ...any) { p.body += fmt.Sprintf(format, args...) }

func (p *picture) text(x int, class, text string) {
	p.printf(`<text x="%d" y="%d" class="%s">%s</text>`+"\n", x, p.y, class, html.EscapeString(text))
}

func (p *picture) bar(class string, end float64, label string) {
	p.printf(`<rect x="%d" y="%d" width="%.1f" height="%d" rx="2" class="%s"/>`+"\n", left, p.y, max(end-left, 1), barSize-2, class)
	p.printf(`<text x="%.1f" y="%d">%s</text>`+"\n", end+6, p.y+barSize-3, html.EscapeString(label))
	p.y += barSize
}

// verifications has two bars a library: for a new token, and for the same one again.
func (p *picture) verifications(sections []section) {
	longest := 1.0
	for _, peer := range benchmarks.Peers {
		longest = max(longest, first(sections, "verify", peer.Name), first(sections, "repeated", peer.Name)) // RS256 comes first in both
	}
	x := func(ratio float64) float64 { return left + (right-left)*ratio/longest }
	p.y = 20
	p.text(0, "title", "Time to verify a token, as a multiple of checking its RS256 signature")
	p.y += 20
	p.text(0, "small", "Upper bar: a token not seen before. Lower bar: the same token again, as most requests bring it. Less is better.")
	p.y += 28
	top := p.y
	bottom := p.y + len(benchmarks.Peers)*rowSize
	p.printf(`<line x1="%.1f" x2="%.1f" y1="%d" y2="%d" class="floor"/>`+"\n", x(1), x(1), top, bottom)
	p.printf(`<text x="%.1f" y="%d" class="small middle">signature alone</text>`+"\n", x(1), top-5)
	for n, peer := range benchmarks.Peers {
		p.y = top + n*rowSize + 7
		p.printf(`<text x="%d" y="%d" class="end">%s</text>`+"\n", left-10, p.y+barSize+3, html.EscapeString(peer.Name))
		upper, lower := "plain", "pale"
		if n == 0 {
			upper, lower = "first", "second"
		}
		for k, scenario := range []string{"verify", "repeated"} {
			value := first(sections, scenario, peer.Name)
			p.bar([]string{upper, lower}[k], x(value), number(value)+"×")
		}
	}
	p.y = bottom
}

// load has a bar a service.
func (p *picture) load(sections []section) {
	p.y += 36
	p.text(0, "title", "Requests per second of the example service, as a part of what it answers without authentication")
	p.y += 20
	p.text(0, "small", "HTTP over loopback, 16 callers that send their tokens again and again. More is better.")
	p.y += 14
	for _, bar := range []struct{ who, label, class string }{
		{"bare handler", "no authentication", "pale"}, {benchmarks.Peers[0].Name, "svcauth", "first"}, {"go-oidc", "go-oidc", "plain"},
	} {
		value := first(sections, "load", bar.who)
		p.printf(`<text x="%d" y="%d" class="end">%s</text>`+"\n", left-10, p.y+barSize-3, bar.label)
		p.bar(bar.class, left+(right-left)*value, fmt.Sprintf("%.0f %%", 100*value))
		p.y += 8
	}
}

// first is what a scenario measured of somebody first.
func first(sections []section, scenario, who string) float64 {
	for _, s := range sections {
		if s.scenario.Name != scenario {
			continue
		}
		for _, r := range s.results {
			if r.Who == who {
				return r.Value
			}
		}
	}
	return math.NaN()
}
