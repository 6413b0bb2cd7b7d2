// Package promcreds has Prometheus metrics of the tokens of a [clientcreds.Source].
//
//	metrics := promcreds.New(config.ClientID)
//	prometheus.MustRegister(metrics)
//	config.OnFetch = metrics.OnFetch(config.OnFetch)
//	source, err := clientcreds.New(config)
//	…
//	metrics.Watch("messages", source)
//
// All metrics have the label client, and those of the tokens that are watched target:
//
//	svcauth_client_token_fetches_total           attempts to get a token, by trigger and class: why it was made, and why it failed, empty if it did not
//	svcauth_client_token_fetch_duration_seconds  how long they took
//	svcauth_client_token_state                   1 for the state that a token is in, 0 for the others, by state: none, fresh, stale, expired
//	svcauth_client_token_age_seconds             since the token was asked for; absent without one
//	svcauth_client_token_expires_in_seconds      until the token's end, negative after it; absent without one
//	svcauth_client_token_failures                attempts in a row that failed
//
// No label holds a token, a secret, a URL or a scope, and the values of trigger, class and state are those of [clientcreds.Trigger], [clientcreds.Class] and
// [clientcreds.State].
package promcreds

import (
	"context"
	"errors"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/svcauth/svcauth/clientcreds"
)

// Collector is the metrics of one client. Make it with [New]; the program registers it. Programs with several clients have a Collector for each. All methods may
// be called concurrently.
type Collector struct {
	fetches                         *prometheus.CounterVec
	duration                        prometheus.Histogram
	state, age, expiresIn, failures *prometheus.Desc

	mu      sync.Mutex // guards sources
	sources map[string]*clientcreds.Source
}

var _ prometheus.Collector = (*Collector)(nil)

// New makes the Collector of a client, whose name stands in the label client of all metrics.
func New(client string) *Collector {
	labels := prometheus.Labels{"client": client}
	desc := func(name, help string, variable ...string) *prometheus.Desc {
		return prometheus.NewDesc("svcauth_client_token_"+name, help, append([]string{"target"}, variable...), labels)
	}
	return &Collector{
		fetches: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "svcauth_client_token_fetches_total", Help: "Attempts to get a token.", ConstLabels: labels,
		}, []string{"trigger", "class"}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "svcauth_client_token_fetch_duration_seconds", Help: "Duration of the attempts to get a token, discovery included.", ConstLabels: labels,
			Buckets: prometheus.DefBuckets,
		}),
		state:     desc("state", "1 for the state that the token is in, 0 for the others.", "state"),
		age:       desc("age_seconds", "Time since the token was asked for."),
		expiresIn: desc("expires_in_seconds", "Time until the token's end, negative after it."),
		failures:  desc("failures", "Attempts in a row that failed."),
		sources:   map[string]*clientcreds.Source{},
	}
}

// OnFetch returns a function for [clientcreds.Config.OnFetch]. It calls next, the program's own, afterwards; nil if there is none.
func (c *Collector) OnFetch(next func(context.Context, clientcreds.Fetch)) func(context.Context, clientcreds.Fetch) {
	return func(ctx context.Context, f clientcreds.Fetch) {
		c.fetches.WithLabelValues(string(f.Trigger), classOf(f.Err)).Inc()
		c.duration.Observe(f.Duration.Seconds())
		if next != nil {
			next(ctx, f)
		}
	}
}

// classOf is a word for err, or none for none. The text of err is for the log: it says what the token endpoint said.
func classOf(err error) string {
	var e *clientcreds.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &e) && e.Class != "":
		return string(e.Class)
	}
	return "other"
}

// Watch adds the state of source's token to the metrics, under a name for what the token is for. A name that is there already stands for the new source from then
// on. Sources of [clientcreds.Source.For] are watched one by one: a program that makes them of what callers send should watch none of those, for each name is
// kept.
func (c *Collector) Watch(target string, source *clientcreds.Source) {
	if source == nil {
		panic("promcreds: a nil Source")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sources[target] = source
}

// Describe implements [prometheus.Collector].
func (c *Collector) Describe(descs chan<- *prometheus.Desc) {
	c.fetches.Describe(descs)
	c.duration.Describe(descs)
	for _, desc := range []*prometheus.Desc{c.state, c.age, c.expiresIn, c.failures} {
		descs <- desc
	}
}

// Collect implements [prometheus.Collector]. It asks for no token.
func (c *Collector) Collect(metrics chan<- prometheus.Metric) {
	c.fetches.Collect(metrics)
	c.duration.Collect(metrics)
	c.mu.Lock()
	defer c.mu.Unlock()
	for target, source := range c.sources {
		gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
			metrics <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, append([]string{target}, labels...)...)
		}
		s := source.Status()
		for _, state := range []clientcreds.State{clientcreds.StateNone, clientcreds.StateFresh, clientcreds.StateStale, clientcreds.StateExpired} {
			value := 0.
			if s.State == state {
				value = 1
			}
			gauge(c.state, value, string(state))
		}
		if s.State != clientcreds.StateNone {
			gauge(c.age, s.Age.Seconds())
			gauge(c.expiresIn, s.ExpiresIn.Seconds())
		}
		gauge(c.failures, float64(s.Failures))
	}
}
