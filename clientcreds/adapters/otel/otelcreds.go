// Package otelcreds reports the token fetches of a [clientcreds.Source] to OpenTelemetry.
//
//	config.OnFetch, err = otelcreds.OnFetch(otelcreds.Config{}, config.OnFetch)
//
// Each attempt to get a token is a span and two measurements:
//
//	span       svcauth.client.token.fetch
//	counter    svcauth.client.token.fetches         {fetch}
//	histogram  svcauth.client.token.fetch.duration  s
//
// all with the attributes svcauth.trigger, one of the words of [clientcreds.Trigger], and after a failure error.type, one of those of [clientcreds.Class]. No
// attribute holds a token, a secret, a URL or a scope, and the number of their values is bounded.
package otelcreds

import (
	"context"
	"errors"
	"slices"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/svcauth/svcauth/clientcreds"
)

const scope = "github.com/svcauth/svcauth/clientcreds/adapters/otel"

// Config says where spans and measurements go. The zero value takes the global providers.
type Config struct {
	// TracerProvider makes the spans. Nil: the global one.
	TracerProvider trace.TracerProvider
	// MeterProvider makes the instruments. Nil: the global one.
	MeterProvider metric.MeterProvider
	// Attributes stand on every span and measurement. A program with several clients tells them apart here.
	Attributes []attribute.KeyValue
}

// OnFetch returns a function for [clientcreds.Config.OnFetch]. It calls next, the program's own, afterwards; nil if there is none. An error is the provider's,
// about an instrument.
//
// A fetch is shared by all that wait for the token, so its span is a root and has no caller's trace. It is made once the fetch has ended: to see the requests of
// one, instrument the transport of Config.HTTPClient.
func OnFetch(c Config, next func(context.Context, clientcreds.Fetch)) (func(context.Context, clientcreds.Fetch), error) {
	if c.TracerProvider == nil {
		c.TracerProvider = otel.GetTracerProvider()
	}
	if c.MeterProvider == nil {
		c.MeterProvider = otel.GetMeterProvider()
	}
	tracer, meter, common := c.TracerProvider.Tracer(scope), c.MeterProvider.Meter(scope), slices.Clone(c.Attributes)
	fetches, err := meter.Int64Counter("svcauth.client.token.fetches", metric.WithUnit("{fetch}"), metric.WithDescription("Attempts to get a token."))
	if err != nil {
		return nil, err
	}
	duration, err := meter.Float64Histogram("svcauth.client.token.fetch.duration", metric.WithUnit("s"),
		metric.WithDescription("Duration of the attempts to get a token, discovery included."),
		metric.WithExplicitBucketBoundaries(.005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10))
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, f clientcreds.Fetch) {
		attributes := append(slices.Clone(common), attribute.String("svcauth.trigger", string(f.Trigger)))
		class := classOf(f.Err)
		if class != "" {
			attributes = append(attributes, attribute.String("error.type", class))
		}
		set := attribute.NewSet(attributes...)
		spanned, span := tracer.Start(ctx, "svcauth.client.token.fetch", trace.WithSpanKind(trace.SpanKindClient), trace.WithTimestamp(f.Start),
			trace.WithAttributes(set.ToSlice()...))
		if class != "" {
			span.SetStatus(codes.Error, class)
		}
		span.End(trace.WithTimestamp(f.Start.Add(f.Duration)))
		fetches.Add(spanned, 1, metric.WithAttributeSet(set)) // with the span's context, for exemplars
		duration.Record(spanned, f.Duration.Seconds(), metric.WithAttributeSet(set))
		if next != nil {
			next(ctx, f)
		}
	}, nil
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
	return "_OTHER"
}
