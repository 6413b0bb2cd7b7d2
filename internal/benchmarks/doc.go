// Package benchmarks measures what a token costs with this library, with the libraries that Go services use today, and with nothing but the cryptography that none
// of them can do without. It is a module of its own, so that users of the library inherit none of its peers.
//
//	go -C internal/benchmarks run ./report -quick
//
// Each peer stands in a file peer_<name>.go, configured as its documentation advises: for one issuer, one audience, expiry and one algorithm. Each scenario stands in
// scenario_<name>.go. What the library aims at is in goals.go; the report shows it beside what was measured, and nothing fails over it.
//
// All traffic goes to loopback addresses, and every scenario is bounded in count or time.
package benchmarks
