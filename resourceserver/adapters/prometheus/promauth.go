// Package promauth has Prometheus metrics of the decisions and the keys of a [resourceserver.Authenticator].
//
//	metrics := promauth.New()
//	prometheus.MustRegister(metrics)
//	config.OnDecision = metrics.OnDecision(config.OnDecision)
//	config.OnFetch = metrics.OnFetch(config.OnFetch)
//	auth, err := resourceserver.New(config)
//	…
//	metrics.Watch(auth)
//
// The metrics are
//
//	svcauth_server_decisions_total              requests, by issuer, reason and status: of one that passes the issuer of its token, of a refusal the reason
//	svcauth_server_jwks_fetches_total           fetches of keys, by issuer and class: why it failed, empty if it did not
//	svcauth_server_jwks_fetch_duration_seconds  how long they took, by issuer
//	svcauth_server_jwks_ready                   1 if tokens of the issuer can be verified, else 0
//	svcauth_server_jwks_keys                    how many usable keys there are, by issuer
//	svcauth_server_jwks_age_seconds             since the keys were fetched, by issuer; absent without any, and for Config.JWKS
//	svcauth_server_jwks_failures                fetches in a row that failed, by issuer
//
// No label holds a token, a subject, a client or a path: issuers are those that are configured, and reasons the words of [resourceserver.Reason].
package promauth

import (
	"context"
	"strconv"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/svcauth/svcauth/resourceserver"
)

// Collector is the metrics of one Authenticator. Make it with [New]; the program registers it. One with several Authenticators makes a Collector for each, and
// registers them with [prometheus.WrapRegistererWith] and a label. All methods may be called concurrently.
type Collector struct {
	decisions, fetches         *prometheus.CounterVec
	duration                   *prometheus.HistogramVec
	ready, keys, age, failures *prometheus.Desc

	auth atomic.Pointer[resourceserver.Authenticator]
}

var _ prometheus.Collector = (*Collector)(nil)

// New makes a Collector.
func New() *Collector {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("svcauth_server_jwks_"+name, help, []string{"issuer"}, nil)
	}
	return &Collector{
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "svcauth_server_decisions_total", Help: "Requests that were let through or refused.",
		}, []string{"issuer", "reason", "status"}),
		fetches: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "svcauth_server_jwks_fetches_total", Help: "Fetches of an issuer's keys.",
		}, []string{"issuer", "class"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "svcauth_server_jwks_fetch_duration_seconds", Help: "Duration of the fetches of an issuer's keys, discovery included.", Buckets: prometheus.DefBuckets,
		}, []string{"issuer"}),
		ready:    desc("ready", "1 if the issuer's keys are there, so that its tokens can be verified, else 0."),
		keys:     desc("keys", "Usable keys."),
		age:      desc("age_seconds", "Time since the keys were fetched."),
		failures: desc("failures", "Fetches in a row that failed."),
	}
}

// OnDecision returns a function for [resourceserver.Config.OnDecision]. It calls next, the program's own, afterwards; nil if there is none.
func (c *Collector) OnDecision(next func(context.Context, resourceserver.Decision)) func(context.Context, resourceserver.Decision) {
	return func(ctx context.Context, d resourceserver.Decision) {
		c.decisions.WithLabelValues(d.Issuer, string(d.Reason), strconv.Itoa(d.Status)).Inc()
		if next != nil {
			next(ctx, d)
		}
	}
}

// OnFetch returns a function for [resourceserver.Config.OnFetch]. It calls next, the program's own, afterwards; nil if there is none.
func (c *Collector) OnFetch(next func(context.Context, resourceserver.Fetch)) func(context.Context, resourceserver.Fetch) {
	return func(ctx context.Context, f resourceserver.Fetch) {
		c.fetches.WithLabelValues(f.Issuer, f.Class).Inc()
		c.duration.WithLabelValues(f.Issuer).Observe(f.Duration.Seconds())
		if next != nil {
			next(ctx, f)
		}
	}
}

// Watch adds the state of auth's keys to the metrics, instead of those of another Authenticator that was watched before.
func (c *Collector) Watch(auth *resourceserver.Authenticator) {
	if auth == nil {
		panic("promauth: a nil Authenticator")
	}
	c.auth.Store(auth)
}

// Describe implements [prometheus.Collector].
func (c *Collector) Describe(descs chan<- *prometheus.Desc) {
	c.decisions.Describe(descs)
	c.fetches.Describe(descs)
	c.duration.Describe(descs)
	for _, desc := range []*prometheus.Desc{c.ready, c.keys, c.age, c.failures} {
		descs <- desc
	}
}

// Collect implements [prometheus.Collector]. It fetches no keys.
func (c *Collector) Collect(metrics chan<- prometheus.Metric) {
	c.decisions.Collect(metrics)
	c.fetches.Collect(metrics)
	c.duration.Collect(metrics)
	auth := c.auth.Load()
	if auth == nil {
		return
	}
	for _, i := range auth.Status().Issuers {
		gauge := func(desc *prometheus.Desc, value float64) {
			metrics <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, i.Issuer)
		}
		ready := 0.
		if i.Ready {
			ready = 1
		}
		gauge(c.ready, ready)
		gauge(c.keys, float64(len(i.KeyIDs)))
		if !i.NextRefresh.IsZero() { // keys were fetched
			gauge(c.age, i.Age.Seconds())
		}
		gauge(c.failures, float64(i.Failures))
	}
}
