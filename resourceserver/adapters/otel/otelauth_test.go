package otelauth_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
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
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/svcauth/svcauth/keycloak/keycloaktest"
	"github.com/svcauth/svcauth/resourceserver"
	otelauth "github.com/svcauth/svcauth/resourceserver/adapters/otel"
)

const scope = "github.com/svcauth/svcauth/resourceserver/adapters/otel"

// telemetry is an OpenTelemetry SDK that keeps what it gets.
type telemetry struct {
	spans  *tracetest.SpanRecorder
	reader *sdkmetric.ManualReader
	config otelauth.Config
}

func newTelemetry() *telemetry {
	o := &telemetry{spans: tracetest.NewSpanRecorder(), reader: sdkmetric.NewManualReader()}
	o.config.TracerProvider = sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(o.spans))
	o.config.MeterProvider = sdkmetric.NewMeterProvider(sdkmetric.WithReader(o.reader))
	return o
}

// metric returns one by its name.
func (o *telemetry) metric(t *testing.T, name string) metricdata.Metrics {
	t.Helper()
	var all metricdata.ResourceMetrics
	require.NoError(t, o.reader.Collect(t.Context(), &all))
	require.Len(t, all.ScopeMetrics, 1)
	assert.Equal(t, scope, all.ScopeMetrics[0].Scope.Name)
	for _, m := range all.ScopeMetrics[0].Metrics {
		if m.Name == name {
			assert.NotEmpty(t, m.Description)
			return m
		}
	}
	require.Fail(t, "no metric "+name)
	return metricdata.Metrics{}
}

// counts returns a counter's values by their attributes.
func (o *telemetry) counts(t *testing.T, name, unit string) map[string]int64 {
	t.Helper()
	m := o.metric(t, name)
	assert.Equal(t, unit, m.Unit)
	sum, ok := m.Data.(metricdata.Sum[int64])
	require.True(t, ok)
	assert.True(t, sum.IsMonotonic)
	counted := map[string]int64{}
	for _, point := range sum.DataPoints {
		counted[fmt.Sprint(point.Attributes.ToSlice())] = point.Value
	}
	return counted
}

func words(attributes ...attribute.KeyValue) string { return fmt.Sprint(attributes) }

func issuer(name string) attribute.KeyValue { return attribute.String("svcauth.issuer", name) }

func refused(reason string, status int) string {
	return words(attribute.String("error.type", reason), attribute.Int("http.response.status_code", status))
}

func TestDecisionsOfAnAuthenticator(t *testing.T) {
	realm := keycloaktest.NewServer(keycloaktest.Config{})
	defer realm.Close()
	synctest.Test(t, func(t *testing.T) {
		o := newTelemetry()
		config := realm.Realm().ServerConfig("service")
		config.HTTPClient, config.Logger = &http.Client{Transport: realm.Transport()}, slog.New(slog.DiscardHandler)
		var told []resourceserver.Decision
		var fetched []resourceserver.Fetch
		var err error
		config.OnDecision, err = otelauth.OnDecision(o.config, func(_ context.Context, d resourceserver.Decision) { told = append(told, d) })
		require.NoError(t, err)
		config.OnFetch, err = otelauth.OnFetch(o.config, func(_ context.Context, f resourceserver.Fetch) { fetched = append(fetched, f) })
		require.NoError(t, err)
		auth, err := resourceserver.New(config)
		require.NoError(t, err)
		handler := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
		ask := func(protected http.Handler, token string) sdktrace.ReadOnlySpan {
			ctx, span := o.config.TracerProvider.Tracer("test").Start(t.Context(), "request")
			r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil)
			if token != "" {
				r.Header.Set("Authorization", "Bearer "+token)
			}
			protected.ServeHTTP(httptest.NewRecorder(), r)
			span.End()
			ended := o.spans.Ended()
			return ended[len(ended)-1]
		}
		admin := auth.RequireRole("ADMIN")(handler)
		alice, bob := realm.Token(keycloaktest.Token{User: "alice"}), realm.Token(keycloaktest.Token{User: "bob"})

		realm.SetDown(true)
		assert.Equal(t, []attribute.KeyValue{attribute.String("svcauth.refused", "keys_unavailable")}, ask(admin, alice).Attributes())
		realm.SetDown(false)
		time.Sleep(5 * time.Second) // the pace at which keys are asked for
		assert.Empty(t, ask(admin, alice).Attributes(), "a request that passes leaves its span as it is")
		ask(admin, alice)
		assert.Equal(t, []attribute.KeyValue{attribute.String("svcauth.refused", "missing_role")}, ask(admin, bob).Attributes())
		ask(admin, "")
		ask(admin, "garbage")
		ask(auth.Optional()(handler), "")

		assert.Equal(t, map[string]int64{
			words(issuer(realm.Issuer())): 2, words(): 1, // the guest
			refused("keys_unavailable", 503): 1, refused("missing_role", 403): 1, refused("missing_token", 401): 1, refused("malformed_token", 401): 1,
		}, o.counts(t, "svcauth.server.decisions", "{decision}"))
		assert.Len(t, told, 7, "the program's own function is called too")

		counts := o.counts(t, "svcauth.server.jwks.fetches", "{fetch}")
		assert.Equal(t, map[string]int64{words(issuer(realm.Issuer())): 1, words(attribute.String("error.type", "network"), issuer(realm.Issuer())): 1}, counts)
		assert.Len(t, fetched, 2, "the program's own function is called too")
		var fetches []sdktrace.ReadOnlySpan
		for _, span := range o.spans.Ended() {
			if span.Name() == "svcauth.server.jwks.fetch" {
				fetches = append(fetches, span)
				assert.False(t, span.Parent().IsValid(), "a shared fetch has no caller's trace")
			}
		}
		require.Len(t, fetches, len(fetched))
	})
}

func TestFetches(t *testing.T) {
	o := newTelemetry()
	service := attribute.String("team", "messages")
	o.config.Attributes = []attribute.KeyValue{service}
	onFetch, err := otelauth.OnFetch(o.config, nil)
	require.NoError(t, err)
	o.config.Attributes[0] = attribute.String("team", "changed later")
	start := time.Unix(1_800_000_000, 0)
	onFetch(t.Context(), resourceserver.Fetch{Issuer: "https://issuer.test", Start: start, Duration: 3 * time.Second, Keys: 2, Skipped: 1})
	onFetch(t.Context(), resourceserver.Fetch{Issuer: "https://issuer.test", Start: start, Duration: time.Second, Err: errors.New("a secret"), Class: "timeout"})

	keys := func(n, skipped int) []attribute.KeyValue {
		return []attribute.KeyValue{service, issuer("https://issuer.test"), attribute.Int("svcauth.jwks.keys", n), attribute.Int("svcauth.jwks.skipped", skipped)}
	}
	failure := attribute.String("error.type", "timeout")
	spans := o.spans.Ended()
	require.Len(t, spans, 2)
	for i, want := range []struct {
		took       time.Duration
		attributes []attribute.KeyValue
		status     sdktrace.Status
	}{
		{3 * time.Second, keys(2, 1), sdktrace.Status{}},
		{time.Second, append(keys(0, 0), failure), sdktrace.Status{Code: codes.Error, Description: "timeout"}},
	} {
		assert.Equal(t, start, spans[i].StartTime())
		assert.Equal(t, start.Add(want.took), spans[i].EndTime())
		assert.ElementsMatch(t, want.attributes, spans[i].Attributes())
		assert.Equal(t, want.status, spans[i].Status())
		assert.Equal(t, trace.SpanKindClient, spans[i].SpanKind())
		assert.Empty(t, spans[i].Events())
	}

	assert.Equal(t, map[string]int64{words(issuer("https://issuer.test"), service): 1, words(failure, issuer("https://issuer.test"), service): 1},
		o.counts(t, "svcauth.server.jwks.fetches", "{fetch}"))
	m := o.metric(t, "svcauth.server.jwks.fetch.duration")
	assert.Equal(t, "s", m.Unit)
	histogram, ok := m.Data.(metricdata.Histogram[float64])
	require.True(t, ok)
	sums := map[string]float64{}
	for _, point := range histogram.DataPoints {
		assert.InDelta(t, 10, point.Bounds[len(point.Bounds)-1], 0, "seconds, not milliseconds")
		sums[fmt.Sprint(point.Attributes.ToSlice())] = point.Sum
		require.Len(t, point.Exemplars, 1, "a measurement leads to its span")
	}
	assert.Equal(t, map[string]float64{words(issuer("https://issuer.test"), service): 3, words(failure, issuer("https://issuer.test"), service): 1}, sums)
}

// TestDecisionsMakeFewAttributes holds that a client or a token can't make new time series.
func TestDecisionsMakeFewAttributes(t *testing.T) {
	o := newTelemetry()
	o.config.Attributes = []attribute.KeyValue{attribute.String("team", "messages")}
	onDecision, err := otelauth.OnDecision(o.config, nil)
	require.NoError(t, err)
	for i := range 100 {
		onDecision(t.Context(), resourceserver.Decision{Allowed: true, Status: 200, Issuer: "https://issuer.test", ClientID: fmt.Sprint("client-", i)})
	}
	assert.Equal(t, map[string]int64{words(issuer("https://issuer.test"), o.config.Attributes[0]): 100}, o.counts(t, "svcauth.server.decisions", "{decision}"))
	assert.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		onDecision(t.Context(), resourceserver.Decision{Reason: resourceserver.ReasonExpired, Status: 401})
	}), 1.0, "attributes are made once a kind")
}

func TestTheZeroConfigTakesTheGlobalProviders(t *testing.T) {
	o := newTelemetry()
	otel.SetTracerProvider(o.config.TracerProvider)
	otel.SetMeterProvider(o.config.MeterProvider)
	onFetch, err := otelauth.OnFetch(otelauth.Config{}, nil)
	require.NoError(t, err)
	onDecision, err := otelauth.OnDecision(otelauth.Config{}, nil)
	require.NoError(t, err)
	onFetch(t.Context(), resourceserver.Fetch{})
	onDecision(t.Context(), resourceserver.Decision{Allowed: true})
	assert.Len(t, o.spans.Ended(), 1)
	assert.Len(t, o.counts(t, "svcauth.server.jwks.fetches", "{fetch}"), 1)
	assert.Len(t, o.counts(t, "svcauth.server.decisions", "{decision}"), 1)
}

// broken is a provider one of whose instruments can't be had.
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
	_, err := otelauth.OnDecision(otelauth.Config{MeterProvider: broken{name: "svcauth.server.decisions"}}, nil)
	assert.EqualError(t, err, "no svcauth.server.decisions")
	for _, name := range []string{"svcauth.server.jwks.fetches", "svcauth.server.jwks.fetch.duration"} {
		_, err := otelauth.OnFetch(otelauth.Config{MeterProvider: broken{name: name}}, nil)
		assert.EqualError(t, err, "no "+name)
	}
}

func Example() {
	realm := keycloaktest.NewServer(keycloaktest.Config{}) // stands for a Keycloak
	defer realm.Close()
	reader := sdkmetric.NewManualReader() // stands for an exporter

	config := realm.Realm().ServerConfig("service")
	config.Logger = slog.New(slog.DiscardHandler)
	to := otelauth.Config{MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))}
	var err error
	if config.OnDecision, err = otelauth.OnDecision(to, config.OnDecision); err != nil {
		fmt.Println(err)
		return
	}
	if config.OnFetch, err = otelauth.OnFetch(to, config.OnFetch); err != nil {
		fmt.Println(err)
		return
	}
	auth, err := resourceserver.New(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	protected := auth.Require()(http.NotFoundHandler())
	for _, token := range []string{realm.Token(keycloaktest.Token{}), realm.Token(keycloaktest.Token{Lifetime: -time.Hour})} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		protected.ServeHTTP(httptest.NewRecorder(), r)
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
	// svcauth.server.decisions {decision}
	// svcauth.server.jwks.fetches {fetch}
	// svcauth.server.jwks.fetch.duration s
}
