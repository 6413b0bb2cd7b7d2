package resourceserver

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Explanation is what an Authenticator says about one token, and why, as data for a person who looks for a misconfiguration. It holds neither the token nor its
// signature, but names, audiences and roles from it, which nobody has verified unless Accepted is true: print it for operators, never for clients.
type Explanation struct {
	Accepted bool   `json:"accepted"`
	Reason   Reason `json:"reason,omitempty"` // of the first step that refuses
	Status   int    `json:"status"`           // 200, or that of the refusal
	Hint     string `json:"hint,omitempty"`   // what to do about it
	Steps    []Step `json:"steps"`            // in the order in which they are taken
}

// Step is one check of an Explanation. Expected and Got are cut short; what came from the token is quoted.
type Step struct {
	Check    string  `json:"check"`
	Outcome  Outcome `json:"outcome"`
	Expected string  `json:"expected,omitempty"`
	Got      string  `json:"got,omitempty"`
}

// Outcome says how a step ended.
type Outcome string

// The outcomes.
const (
	Passed     Outcome = "passed"
	Refused    Outcome = "refused"
	NotReached Outcome = "not reached" // a step before it refused
)

// Explain runs token through the checks of Verify, those very ones, and rules through theirs, with a nil request. It writes down each step: what this
// configuration expects, what the token has, which step refuses first, and what to do. It may fetch keys where Verify would. It neither asks nor fills the
// cache of verified tokens, and calls neither OnDecision nor the log.
func (a *Authenticator) Explain(ctx context.Context, token string, rules ...Rule) Explanation {
	a.checkRules(rules)
	x := Explanation{Accepted: true, Status: 200}
	v, refused := a.check(ctx, token, time.Now(), func(c *check, v *verification, refused *Error) {
		expected, got := c.seen(v)
		x.add(c.name, expected, got, refused)
	})
	if refused != nil {
		for _, c := range checks[len(x.Steps):] {
			x.Steps = append(x.Steps, Step{Check: c.name, Outcome: NotReached})
		}
		for _, rule := range rules {
			x.Steps = append(x.Steps, Step{Check: "rule", Outcome: NotReached, Expected: plain(rule.String())})
		}
		return x
	}
	id := v.identity()
	p := id.principal(new(room))
	for _, rule := range rules {
		if !x.Accepted {
			x.Steps = append(x.Steps, Step{Check: "rule", Outcome: NotReached, Expected: plain(rule.String())})
			continue
		}
		var refused *Error
		if err := rule.Check(nil, &p); err != nil {
			refused = asError(err)
		}
		x.add("rule", rule.String(), "", refused)
	}
	return x
}

// add writes down one step. A refusal knows better what it expected and what came than the step in general does.
func (x *Explanation) add(name, expected, got string, refused *Error) {
	s := Step{Check: name, Outcome: Passed, Expected: plain(expected), Got: quoted(got)}
	if refused != nil {
		s.Outcome = Refused
		if refused.expected != "" {
			s.Expected = plain(refused.expected)
		}
		if refused.got != "" {
			s.Got = quoted(refused.got)
		}
		x.Accepted, x.Reason, x.Status, x.Hint = false, refused.Reason, refused.Status, refused.Hint
	}
	x.Steps = append(x.Steps, s)
}

// quoted makes text from a token harmless: short, in one line, without control characters.
func quoted(s string) string {
	if s == "" {
		return ""
	}
	return strconv.Quote(clip(s))
}

// plain is quoted without the quotes, for text that is ours or may be read as ours.
func plain(s string) string {
	q := strconv.Quote(clip(s))
	return q[1 : len(q)-1]
}

// String writes one line a step.
func (x Explanation) String() string {
	var b strings.Builder
	if x.Accepted {
		b.WriteString("accepted\n")
	} else {
		fmt.Fprintf(&b, "refused with %d: %s\n", x.Status, x.Reason)
	}
	for _, s := range x.Steps {
		fmt.Fprintf(&b, "  %-11s %s", s.Outcome, s.Check)
		if s.Expected != "" {
			fmt.Fprintf(&b, ": want %s", s.Expected)
		}
		if s.Got != "" {
			fmt.Fprintf(&b, ", got %s", s.Got)
		}
		b.WriteByte('\n')
	}
	if x.Hint != "" {
		fmt.Fprintf(&b, "hint: %s\n", x.Hint)
	}
	return b.String()
}
