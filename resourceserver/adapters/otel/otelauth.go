// Package otelauth reports the decisions and the key fetches of a [resourceserver.Authenticator] to OpenTelemetry.
//
//	config.OnDecision, err = otelauth.OnDecision(otelauth.Config{}, config.OnDecision)
//	config.OnFetch, err = otelauth.OnFetch(otelauth.Config{}, config.OnFetch)
//
// They make
//
//	counter    svcauth.server.decisions            {decision}
//	span       svcauth.server.jwks.fetch
//	counter    svcauth.server.jwks.fetches         {fetch}
//	histogram  svcauth.server.jwks.fetch.duration  s
//
// No attribute holds a token, a subject, a client or a path, and the number of their values is bounded by the configuration: svcauth.issuer is one of the
// issuers that are configured, and error.type of a decision one of the words of [resourceserver.Reason].
package otelauth

import (
	"context"
	"slices"
	"sync"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/svcauth/svcauth/resourceserver"
)

const scope = "github.com/svcauth/svcauth/resourceserver/adapters/otel"

// Config says where spans and measurements go. The zero value takes the global providers.
type Config struct {
	// TracerProvider makes the spans. Nil: the global one.
	TracerProvider trace.TracerProvider
	// MeterProvider makes the instruments. Nil: the global one.
	MeterProvider metric.MeterProvider
	// Attributes stand on every span and measurement.
	Attributes []attribute.KeyValue
}

// complete returns c with providers and an own copy of the attributes.
func (c Config) complete() Config {
	if c.TracerProvider == nil {
		c.TracerProvider = otel.GetTracerProvider()
	}
	if c.MeterProvider == nil {
		c.MeterProvider = otel.GetMeterProvider()
	}
	c.Attributes = slices.Clone(c.Attributes)
	return c
}

func (c Config) with(attributes ...attribute.KeyValue) attribute.Set {
	return attribute.NewSet(append(slices.Clone(c.Attributes), attributes...)...)
}

// OnDecision returns a function for [resourceserver.Config.OnDecision]. It calls next, the program's own, afterwards; nil if there is none. An error is the
// provider's, about an instrument.
//
// A request that passes counts with svcauth.issuer, a guest's without; one that is refused with error.type, the reason, and http.response.status_code. The reason
// also becomes the attribute svcauth.refused of the span that the request's context holds.
func OnDecision(c Config, next func(context.Context, resourceserver.Decision)) (func(context.Context, resourceserver.Decision), error) {
	c = c.complete()
	decisions, err := c.MeterProvider.Meter(scope).Int64Counter("svcauth.server.decisions", metric.WithUnit("{decision}"),
		metric.WithDescription("Requests that were let through or refused."))
	if err != nil {
		return nil, err
	}
	// One entry for each kind of decision: there are as many as reasons and issuers. It spares each request the making of its attributes.
	type kind struct {
		allowed bool
		reason  resourceserver.Reason
		status  int
		issuer  string
	}
	var options sync.Map // of kind to []metric.AddOption
	return func(ctx context.Context, d resourceserver.Decision) {
		k := kind{d.Allowed, d.Reason, d.Status, d.Issuer}
		option, known := options.Load(k)
		if !known {
			set := c.with() // a guest, whom Optional let through
			if !d.Allowed {
				set = c.with(attribute.String("error.type", string(d.Reason)), attribute.Int("http.response.status_code", d.Status))
			} else if d.Issuer != "" {
				set = c.with(attribute.String("svcauth.issuer", d.Issuer))
			}
			option, _ = options.LoadOrStore(k, []metric.AddOption{metric.WithAttributeSet(set)})
		}
		decisions.Add(ctx, 1, option.([]metric.AddOption)...)
		if !d.Allowed {
			trace.SpanFromContext(ctx).SetAttributes(attribute.String("svcauth.refused", string(d.Reason)))
		}
		if next != nil {
			next(ctx, d)
		}
	}, nil
}

// OnFetch returns a function for [resourceserver.Config.OnFetch]. It calls next, the program's own, afterwards; nil if there is none. An error is the provider's,
// about an instrument.
//
// Each fetch of keys has the attribute svcauth.issuer, and after a failure error.type, one of the words of [resourceserver.IssuerStatus].LastError. A fetch is shared by all that wait for the keys, so its span is a root and has no caller's trace.
func OnFetch(c Config, next func(context.Context, resourceserver.Fetch)) (func(context.Context, resourceserver.Fetch), error) {
	c = c.complete()
	tracer, meter := c.TracerProvider.Tracer(scope), c.MeterProvider.Meter(scope)
	fetches, err := meter.Int64Counter("svcauth.server.jwks.fetches", metric.WithUnit("{fetch}"), metric.WithDescription("Fetches of an issuer's keys."))
	if err != nil {
		return nil, err
	}
	duration, err := meter.Float64Histogram("svcauth.server.jwks.fetch.duration", metric.WithUnit("s"),
		metric.WithDescription("Duration of the fetches of an issuer's keys, discovery included."),
		metric.WithExplicitBucketBoundaries(.005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10))
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, f resourceserver.Fetch) {
		set := c.with(attribute.String("svcauth.issuer", f.Issuer))
		if f.Err != nil {
			set = c.with(attribute.String("svcauth.issuer", f.Issuer), attribute.String("error.type", f.Class))
		}
		spanned, span := tracer.Start(ctx, "svcauth.server.jwks.fetch", trace.WithSpanKind(trace.SpanKindClient), trace.WithTimestamp(f.Start),
			trace.WithAttributes(set.ToSlice()...),
			trace.WithAttributes(attribute.Int("svcauth.jwks.keys", f.Keys), attribute.Int("svcauth.jwks.skipped", f.Skipped)))
		if f.Err != nil {
			span.SetStatus(codes.Error, f.Class)
		}
		span.End(trace.WithTimestamp(f.Start.Add(f.Duration)))
		fetches.Add(spanned, 1, metric.WithAttributeSet(set)) // with the span's context, for exemplars
		duration.Record(spanned, f.Duration.Seconds(), metric.WithAttributeSet(set))
		if next != nil {
			next(ctx, f)
		}
	}, nil
}
