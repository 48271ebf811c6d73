using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using OrleansLeases.Gateway.Http;
using OrleansLeases.Gateway.Metrics;

namespace OrleansLeases;

/// <summary>
/// What a server tells of itself to whoever collects it: by OTLP where the environment says so, and at <c>/metrics</c>. Where nobody
/// asks, nothing of OpenTelemetry is loaded: a start stays as quick.
/// </summary>
internal static class Exporting
{
    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";
    private const string MetricsEndpoint = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT";
    private const string TracesEndpoint = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";

    /// <summary>Adds both.</summary>
    /// <param name="services">The services of the server.</param>
    /// <param name="service">Its name, unless <c>OTEL_SERVICE_NAME</c> has another.</param>
    public static void AddExporting(this IServiceCollection services, string service)
    {
        services.AddSingleton<IMetricsPage>(provider => new PrometheusPage(provider, service));
        if (IsDisabled) return;
        if (IsSet(Endpoint) || IsSet(MetricsEndpoint)) Otlp.AddMetrics(services, service);
        if (!IsSet(Endpoint) && !IsSet(TracesEndpoint)) return;
        services.AddSingleton<CallerTraces>();
        Otlp.AddTraces(services, service);
    }

    private static bool IsDisabled =>
        string.Equals(Environment.GetEnvironmentVariable("OTEL_SDK_DISABLED"), "true", StringComparison.OrdinalIgnoreCase);

    private static bool IsSet(string variable) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 };

    // A type of its own: its methods are compiled, and what they use is loaded, once one is called.
    private static class Otlp
    {
        public static void AddMetrics(IServiceCollection services, string service) => services.AddOpenTelemetry()
            .ConfigureResource(resource => Describe(resource, service))
            .WithMetrics(metrics => Select(metrics).AddOtlpExporter());

        public static void AddTraces(IServiceCollection services, string service) => services.AddOpenTelemetry()
            .ConfigureResource(resource => Describe(resource, service))
            .WithTracing(traces => traces
                .AddLeasesInstrumentation()
                .AddSource("Microsoft.AspNetCore", "Microsoft.Orleans.Application", "Npgsql")
                .AddOtlpExporter());

        // Not those of ASP.NET Core, which cost more for each request than all of these, and say less of it.
        public static MeterProviderBuilder Select(MeterProviderBuilder metrics) =>
            metrics.AddLeasesInstrumentation().AddMeter("System.Runtime", "Microsoft.Orleans", "Npgsql");

        public static void Describe(ResourceBuilder resource, string service) => resource
            .AddService(service, serviceVersion: typeof(Exporting).Assembly.GetName().Version?.ToString(3))
            // The variables have the last word.
            .AddEnvironmentVariableDetector();
    }

    /// <summary>Collects from the first scrape on.</summary>
    private sealed class PrometheusPage(IServiceProvider services, string service) : IMetricsPage, IDisposable
    {
        private readonly Lock _gate = new();
        private volatile RequestDelegate? _page;
        private MeterProvider? _provider;

        public Task WriteAsync(HttpContext context) => (_page ?? Start())(context);

        public void Dispose() => _provider?.Dispose();

        private RequestDelegate Start()
        {
            lock (_gate)
            {
                if (_page is { } page) return page;
                _provider = Otlp.Select(Sdk.CreateMeterProviderBuilder())
                    .ConfigureResource(resource => Otlp.Describe(resource, service))
                    .AddPrometheusExporter()
                    .Build();
                return _page = new ApplicationBuilder(services)
                    .UseOpenTelemetryPrometheusScrapingEndpoint(
                        _provider, _ => true, path: null, configureBranchedPipeline: null, optionsName: null)
                    .Build();
            }
        }
    }
}
