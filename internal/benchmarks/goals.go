package benchmarks

// Goal is what the library aims at in one case. Missing it fails nothing: machines differ, and so do days.
type Goal struct {
	Case    string
	Limit   float64
	AtLeast bool // rather than at most
	Allocs  bool // it bounds the allocations rather than the value
}

// Goals are all of them, in the order in which the report lists them.
var Goals = []Goal{
	{Case: caseNew(RS256), Limit: 1.30},
	{Case: caseNew(ES256), Limit: 1.15},
	{Case: caseNew(EdDSA), Limit: 1.25},
	{Case: caseNew(RS256), Limit: 45, Allocs: true},
	{Case: caseRepeated, Limit: 0.05},
	{Case: caseRepeated, Limit: 0, Allocs: true},
	{Case: caseRepeatedParallel, Limit: 1},
	{Case: caseMiddlewareRepeated, Limit: 0.07},
	{Case: caseMiddlewareRepeated, Limit: 3, Allocs: true},
	{Case: caseTokenSerial, Limit: 0, Allocs: true},
	{Case: caseToken400, Limit: 1},
	{Case: caseRoundTrip, Limit: 3, Allocs: true},
	{Case: caseMemory, Limit: 1700},
	{Case: caseLoadRequests, Limit: 0.85, AtLeast: true},
	{Case: caseColdCallers, Limit: 1},
	{Case: caseWaiters, Limit: 1},
	{Case: caseFailing, Limit: 1},
}

// Measured returns what g bounds in r, and whether g is about r at all.
func (g Goal) Measured(r Result) (value float64, unit Unit, applies bool) {
	switch {
	case r.Case != g.Case || r.Who != Peers[0].Name:
		return 0, "", false
	case g.Allocs:
		return r.Allocs, "allocations", r.Counted
	default:
		return r.Value, r.Unit, true
	}
}

// Met reports whether the goal is reached.
func (g Goal) Met(value float64) bool {
	if g.AtLeast {
		return value >= g.Limit
	}
	return value <= g.Limit
}
