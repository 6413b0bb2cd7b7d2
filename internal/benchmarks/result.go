package benchmarks

import "time"

// Result is one measurement.
type Result struct {
	Case  string  // what was done
	Who   string  // by whom
	Value float64 // in Unit
	Unit  Unit

	Time    time.Duration // of one operation by the clock, for a feeling; 0 where it is not the subject
	Counted bool          // whether Allocs and Bytes are
	Allocs  float64       // of one operation
	Bytes   float64
}

// Unit is what a Value counts. Most are ratios within the run: those stay when the machine changes, as nanoseconds don't.
type Unit string

// The units. A bare signature check is that of the token's algorithm, or of RS256 where the unit says so.
const (
	TimesSignature   Unit = "× signature check"       // of the same token
	TimesRS256       Unit = "× RS256 signature check" // of a token of 1.9 kB
	TimesBareHandler Unit = "× bare handler"
	TimesSerial      Unit = "× one goroutine" // of the same contender
	TimesOneIssuer   Unit = "× one issuer"
	TimesSvcauth     Unit = "× svcauth"
	Requests         Unit = "requests"
	Tokens           Unit = "tokens"
	Milliseconds     Unit = "ms"
	BytesEach        Unit = "B"
)
