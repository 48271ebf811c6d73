using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using OrleansLeases;
using OrleansLeases.Client;
using OrleansLeases.Client.Internal;

namespace Microsoft.Extensions.Hosting;

/// <summary>Adds leases over HTTP to an application whose configuration has their connection, such as one of an Aspire app host.</summary>
public static class LeasesHostApplicationBuilderExtensions
{
    /// <summary>
    /// Adds an <see cref="ILeaseService"/> over HTTP and a <see cref="LeaseClient"/> upon it, both as singletons, as
    /// <see cref="LeaseClientServiceExtensions.AddLeasesClient(IServiceCollection, Action{LeaseHttpOptions})"/> does.
    /// </summary>
    /// <param name="builder">The application.</param>
    /// <param name="connectionName">
    /// The name of the connection, which in an Aspire app host is that of the resource: <c>ConnectionStrings:leases</c> for
    /// <c>leases</c>; not empty.
    /// </param>
    /// <param name="configure">Sets options, after what the configuration says.</param>
    /// <returns>The builder of the <see cref="HttpClient"/>, for headers and handlers.</returns>
    /// <remarks>
    /// <para>The connection string is the address of a server, several of one service separated by commas, or pairs:
    /// <c>Servers=http://a:7400,http://b:7400;Token=…</c>, or <c>TokenFile=…</c> for a file with the credential. The sections
    /// <c>Aspire:OrleansLeases:Client</c>, for all connections, and <c>Aspire:OrleansLeases:Client:{connectionName}</c> have the
    /// other options by name. The later of these three goes before the earlier, and the connection string before both.</para>
    /// <para>They are read when the options are first needed, at the start of the host, which does not start where no server is
    /// named or a name is unknown.</para>
    /// </remarks>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> or <paramref name="connectionName"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="connectionName"/> is empty.</exception>
    /// <exception cref="InvalidOperationException">The services have an <see cref="ILeaseService"/> from elsewhere.</exception>
    public static IHttpClientBuilder AddLeasesClient(
        this IHostApplicationBuilder builder, string connectionName, Action<LeaseHttpOptions>? configure = null) =>
        Add(builder, key: null, connectionName, configure);

    /// <summary>
    /// Adds a client of one of several lease services under a key, as
    /// <see cref="LeaseClientServiceExtensions.AddKeyedLeasesClient(IServiceCollection, string, Action{LeaseHttpOptions})"/> does. Its
    /// connection is found as by <see cref="AddLeasesClient"/>.
    /// </summary>
    /// <param name="builder">The application.</param>
    /// <param name="name">The name of the connection, such as <c>billing</c>, and the key; not empty.</param>
    /// <param name="configure">Sets options, after what the configuration says.</param>
    /// <returns>The builder of the <see cref="HttpClient"/>, for headers and handlers.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> or <paramref name="name"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="name"/> is empty.</exception>
    /// <exception cref="InvalidOperationException">The services have an <see cref="ILeaseService"/> of that key from elsewhere.</exception>
    public static IHttpClientBuilder AddKeyedLeasesClient(
        this IHostApplicationBuilder builder, string name, Action<LeaseHttpOptions>? configure = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return Add(builder, name, name, configure);
    }

    private static IHttpClientBuilder Add(
        IHostApplicationBuilder builder, string? key, string connectionName, Action<LeaseHttpOptions>? configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(connectionName);
        var connection = new NamedConnection(builder.Configuration, connectionName);
        builder.Services.AddOptions<LeaseHttpOptions>(key).Validate(options => options.Servers.Count > 0, connection.IsMissing);
        return LeaseClientServiceExtensions.Add(builder.Services, key, options =>
        {
            connection.Apply(options);
            configure?.Invoke(options);
        });
    }
}
