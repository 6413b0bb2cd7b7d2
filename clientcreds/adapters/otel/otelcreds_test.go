package otelcreds_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/svcauth/svcauth/clientcreds"
	otelcreds "github.com/svcauth/svcauth/clientcreds/adapters/otel"
	"github.com/svcauth/svcauth/keycloak/keycloaktest"
)

const scope = "github.com/svcauth/svcauth/clientcreds/adapters/otel"

// telemetry is an OpenTelemetry SDK that keeps what it gets.
type telemetry struct {
	spans  *tracetest.SpanRecorder
	reader *sdkmetric.ManualReader
	config otelcreds.Config
}

func newTelemetry() *telemetry {
	o := &telemetry{spans: tracetest.NewSpanRecorder(), reader: sdkmetric.NewManualReader()}
	o.config.TracerProvider = sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(o.spans))
	o.config.MeterProvider = sdkmetric.NewMeterProvider(sdkmetric.WithReader(o.reader))
	return o
}

func (o *telemetry) metrics(t *testing.T) []metricdata.Metrics {
	t.Helper()
	var all metricdata.ResourceMetrics
	require.NoError(t, o.reader.Collect(t.Context(), &all))
	require.Len(t, all.ScopeMetrics, 1)
	assert.Equal(t, scope, all.ScopeMetrics[0].Scope.Name)
	return all.ScopeMetrics[0].Metrics
}

// fetches returns how many fetches were counted, by their attributes.
func (o *telemetry) fetches(t *testing.T) map[string]int64 {
	t.Helper()
	counted := map[string]int64{}
	for _, m := range o.metrics(t) {
		if sum, ok := m.Data.(metricdata.Sum[int64]); ok && m.Name == "svcauth.client.token.fetches" {
			for _, point := range sum.DataPoints {
				counted[fmt.Sprint(point.Attributes.ToSlice())] = point.Value
			}
		}
	}
	return counted
}

func words(attributes ...attribute.KeyValue) string { return fmt.Sprint(attributes) }

var (
	first   = attribute.String("svcauth.trigger", "first")
	expired = attribute.String("svcauth.trigger", "expired")
	client  = attribute.String("svcauth.client.id", "job")
)

func failed(class string) attribute.KeyValue { return attribute.String("error.type", class) }

// TestFetchesOfASource runs a Source through a first token, an outage and a refusal.
func TestFetchesOfASource(t *testing.T) {
	realm := keycloaktest.NewServer(keycloaktest.Config{})
	defer realm.Close()
	realm.SetTokenLifetime(time.Minute)
	synctest.Test(t, func(t *testing.T) {
		o := newTelemetry()
		config := realm.ClientConfig("job")
		config.HTTPClient, config.Logger = &http.Client{Transport: realm.Transport()}, slog.New(slog.DiscardHandler)
		var told []clientcreds.Fetch
		var err error
		config.OnFetch, err = otelcreds.OnFetch(o.config, func(_ context.Context, f clientcreds.Fetch) { told = append(told, f) })
		require.NoError(t, err)
		source, err := clientcreds.New(config)
		require.NoError(t, err)

		ctx, outer := o.config.TracerProvider.Tracer("test").Start(t.Context(), "request")
		_, err = source.TokenContext(ctx)
		require.NoError(t, err)
		outer.End()
		time.Sleep(2 * time.Minute)
		realm.SetDown(true)
		_, err = source.TokenContext(t.Context())
		require.ErrorIs(t, err, clientcreds.ErrUnavailable)
		realm.SetDown(false)
		realm.SetSecret("job", "another")
		time.Sleep(time.Minute)
		_, err = source.TokenContext(t.Context())
		require.ErrorIs(t, err, clientcreds.ErrRefused)

		assert.Equal(t, map[string]int64{words(first): 1, words(failed("network"), expired): 1, words(failed("refused"), expired): 1}, o.fetches(t))
		require.Len(t, told, 3, "the program's own function is called too")
		spans := o.spans.Ended()
		require.Len(t, spans, 4)
		for i, want := range []struct {
			attributes []attribute.KeyValue
			status     sdktrace.Status
		}{
			{[]attribute.KeyValue{first}, sdktrace.Status{}},
			{[]attribute.KeyValue{expired, failed("network")}, sdktrace.Status{Code: codes.Error, Description: "network"}},
			{[]attribute.KeyValue{expired, failed("refused")}, sdktrace.Status{Code: codes.Error, Description: "refused"}},
		} {
			span := spans[i]
			if i > 0 {
				span = spans[i+1] // past that of the request
			}
			assert.Equal(t, "svcauth.client.token.fetch", span.Name())
			assert.Equal(t, trace.SpanKindClient, span.SpanKind())
			assert.ElementsMatch(t, want.attributes, span.Attributes())
			assert.Equal(t, want.status, span.Status())
			assert.False(t, span.Parent().IsValid(), "a shared fetch has no caller's trace")
			assert.Empty(t, span.Events())
		}
	})
}

func TestMeasurements(t *testing.T) {
	o := newTelemetry()
	o.config.Attributes = []attribute.KeyValue{client}
	onFetch, err := otelcreds.OnFetch(o.config, nil)
	require.NoError(t, err)
	o.config.Attributes[0] = attribute.String("svcauth.client.id", "changed later")
	start := time.Unix(1_800_000_000, 0)
	for _, f := range []clientcreds.Fetch{
		{Duration: 30 * time.Millisecond},
		{Duration: 7 * time.Second, Err: &clientcreds.Error{Class: clientcreds.ClassTimeout}},
		{Duration: time.Second, Err: errors.New("a secret")},
	} {
		f.Trigger, f.Start = clientcreds.TriggerFirst, start
		onFetch(t.Context(), f)
	}

	counted := metricdata.Metrics{
		Name: "svcauth.client.token.fetches", Description: "Attempts to get a token.", Unit: "{fetch}",
		Data: metricdata.Sum[int64]{Temporality: metricdata.CumulativeTemporality, IsMonotonic: true, DataPoints: []metricdata.DataPoint[int64]{
			{Attributes: attribute.NewSet(client, first), Value: 1},
			{Attributes: attribute.NewSet(client, first, failed("timeout")), Value: 1},
			{Attributes: attribute.NewSet(client, first, failed("_OTHER")), Value: 1},
		}},
	}
	got := o.metrics(t)
	require.Len(t, got, 2)
	metricdatatest.AssertEqual(t, counted, got[0], metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())

	assert.Equal(t, "svcauth.client.token.fetch.duration", got[1].Name)
	assert.Equal(t, "s", got[1].Unit)
	histogram, ok := got[1].Data.(metricdata.Histogram[float64])
	require.True(t, ok)
	sums := map[string]float64{}
	for _, point := range histogram.DataPoints {
		assert.EqualValues(t, 1, point.Count)
		assert.InDelta(t, 10, point.Bounds[len(point.Bounds)-1], 0, "seconds, not milliseconds")
		sums[fmt.Sprint(point.Attributes.ToSlice())] = point.Sum
		require.Len(t, point.Exemplars, 1, "a measurement leads to its span")
	}
	assert.Equal(t, map[string]float64{words(client, first): .03, words(failed("timeout"), client, first): 7, words(failed("_OTHER"), client, first): 1}, sums)
	assert.NotContains(t, fmt.Sprint(got, o.spans.Ended()), "a secret")
	for i, took := range []time.Duration{30 * time.Millisecond, 7 * time.Second, time.Second} {
		span := o.spans.Ended()[i]
		assert.Contains(t, span.Attributes(), client)
		assert.Equal(t, start, span.StartTime())
		assert.Equal(t, start.Add(took), span.EndTime())
	}
}

func TestTheZeroConfigTakesTheGlobalProviders(t *testing.T) {
	o := newTelemetry()
	otel.SetTracerProvider(o.config.TracerProvider)
	otel.SetMeterProvider(o.config.MeterProvider)
	onFetch, err := otelcreds.OnFetch(otelcreds.Config{}, nil)
	require.NoError(t, err)
	onFetch(t.Context(), clientcreds.Fetch{Trigger: clientcreds.TriggerFirst, Start: time.Now()})
	assert.Len(t, o.spans.Ended(), 1)
	assert.Len(t, o.fetches(t), 1)
}

// broken is a provider whose instruments can't be had.
type broken struct {
	noop.MeterProvider
	name string
}

func (b broken) Meter(string, ...metric.MeterOption) metric.Meter { return brokenMeter{name: b.name} }

type brokenMeter struct {
	noop.Meter
	name string
}

func (b brokenMeter) Int64Counter(name string, _ ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	return noop.Int64Counter{}, b.refuse(name)
}

func (b brokenMeter) Float64Histogram(name string, _ ...metric.Float64HistogramOption) (metric.Float64Histogram, error) {
	return noop.Float64Histogram{}, b.refuse(name)
}

func (b brokenMeter) refuse(name string) error {
	if name != b.name {
		return nil
	}
	return errors.New("no " + name)
}

func TestErrorsOfTheProvider(t *testing.T) {
	for _, name := range []string{"svcauth.client.token.fetches", "svcauth.client.token.fetch.duration"} {
		_, err := otelcreds.OnFetch(otelcreds.Config{MeterProvider: broken{name: name}}, nil)
		assert.EqualError(t, err, "no "+name)
	}
}

func Example() {
	realm := keycloaktest.NewServer(keycloaktest.Config{}) // stands for a Keycloak
	defer realm.Close()
	reader := sdkmetric.NewManualReader() // stands for an exporter

	config := realm.ClientConfig("job")
	config.Logger = slog.New(slog.DiscardHandler)
	var err error
	config.OnFetch, err = otelcreds.OnFetch(otelcreds.Config{
		MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)),
		Attributes:    []attribute.KeyValue{attribute.String("svcauth.client.id", config.ClientID)},
	}, config.OnFetch)
	if err != nil {
		fmt.Println(err)
		return
	}
	source, err := clientcreds.New(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := source.Token(); err != nil {
		fmt.Println(err)
		return
	}

	var all metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &all); err != nil {
		fmt.Println(err)
		return
	}
	for _, m := range all.ScopeMetrics[0].Metrics {
		fmt.Println(m.Name, m.Unit)
	}
	// Output:
	// svcauth.client.token.fetches {fetch}
	// svcauth.client.token.fetch.duration s
}
