using Microsoft.AspNetCore.Http;

namespace OrleansLeases.Gateway.Metrics;

/// <summary>
/// Writes the metrics of the process for a scraper. The executables have one, by a library that the gateway does not bring.
/// </summary>
internal interface IMetricsPage
{
    Task WriteAsync(HttpContext context);
}
