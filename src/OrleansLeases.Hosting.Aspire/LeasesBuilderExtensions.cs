using System.Runtime.CompilerServices;
using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

/// <summary>Adds lease servers to an app host.</summary>
public static class LeasesBuilderExtensions
{
    private const string Image = "orleans-leases-server";
    private const string ContainerData = "/var/lib/leases";
    private const string ContainerAccess = "/etc/leases/access.json";
    private const int ContainerPort = 7400;

    // A server on loopback takes its own names only, and containers call what runs beside them by one of these. Of .internal nobody can
    // register a name, so no page of the web has one. Decision aspire-runs-the-command.
    private const string NamesForContainers =
        $"{KnownHostNames.DefaultContainerTunnelHostName};{KnownHostNames.DockerDesktopHostBridge}"
        + ";host.containers.internal";

    /// <summary>
    /// Adds a lease server as a process: the command <c>leases</c> of the tool <c>OrleansLeases.Cli</c>, which is found in <c>PATH</c>;
    /// <c>WithCommand</c> names another place.
    /// </summary>
    /// <param name="builder">The app host.</param>
    /// <param name="name">The name of the resource, and of its connection string in what references it.</param>
    /// <param name="port">The port that others call; a free one where it is null.</param>
    /// <returns>The builder of the resource.</returns>
    /// <remarks>
    /// It keeps leases in memory unless <see cref="WithDataFolder"/> says where, and listens on loopback. It is healthy once it takes calls
    /// (<c>/health/ready</c>), so that <c>WaitFor</c> waits for that, and reports metrics and traces to Aspire's dashboard.
    /// </remarks>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="name"/> is empty.</exception>
    public static IResourceBuilder<LeasesResource> AddLeases(
        this IDistributedApplicationBuilder builder, [ResourceName] string name, int? port = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(name);
        var server = new LeasesResource(name, builder.AppHostDirectory);
        var endpoint = server.PrimaryEndpoint.Property(EndpointProperty.TargetPort);
        return Observed(builder.AddResource(server).WithHttpEndpoint(port, name: LeasesConnection.EndpointName))
            .WithArgs(context =>
            {
                context.Args.Add("serve");
                if (server.DataFolder is { } folder) Add(context, "--data", folder);
                else context.Args.Add("--memory");
                Add(context, "--urls", ReferenceExpression.Create($"http://localhost:{endpoint}"));
                Add(context, "--allowed-hosts", NamesForContainers);
            });
    }

    /// <summary>
    /// Adds a lease server as a container, of the image that the target <c>server</c> of this project's <c>Dockerfile</c> makes:
    /// <c>orleans-leases-server</c>, with the version of this package as its tag. <c>WithImage</c> and <c>WithImageRegistry</c> name
    /// another, and <c>WithDockerfile</c> builds it.
    /// </summary>
    /// <param name="builder">The app host.</param>
    /// <param name="name">The name of the resource, and of its connection string in what references it.</param>
    /// <param name="port">The port of this machine that others call; a free one where it is null.</param>
    /// <returns>The builder of the resource.</returns>
    /// <remarks>
    /// Its leases go away with the container, unless <see cref="WithDataVolume"/> keeps them. It is healthy once it takes calls
    /// (<c>/health/ready</c>), so that <c>WaitFor</c> waits for that, and reports metrics and traces to Aspire's dashboard. While the app
    /// host runs it asks nobody who is calling; where it is published, it does not start without
    /// <see cref="WithAccess(IResourceBuilder{LeasesContainerResource}, string, IResourceBuilder{ParameterResource}?)"/>, or
    /// <c>WithArgs("--insecure")</c> for a network that you trust.
    /// </remarks>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="name"/> is empty.</exception>
    public static IResourceBuilder<LeasesContainerResource> AddLeasesContainer(
        this IDistributedApplicationBuilder builder, [ResourceName] string name, int? port = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(name);
        var server = builder.AddResource(new LeasesContainerResource(name))
            .WithImage(Image, typeof(LeasesContainerResource).Assembly.GetName().Version!.ToString(fieldCount: 3))
            .WithHttpEndpoint(port, ContainerPort, LeasesConnection.EndpointName);
        return Observed(server)
            .WithArgs(context =>
            {
                context.Args.Add("serve");
                Add(context, "--data", ContainerData);
                Add(context, "--urls", $"http://0.0.0.0:{ContainerPort}");
                if (context.ExecutionContext.IsRunMode) context.Args.Add("--insecure");
            });
    }

    /// <summary>Keeps the leases of a server in a folder, so that they survive its restarts and those of the app host.</summary>
    /// <param name="builder">The builder of the resource.</param>
    /// <param name="path">The folder, which is made where it is missing; a relative one lies in the app host's. On a local disk.</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="path"/> is empty.</exception>
    public static IResourceBuilder<LeasesResource> WithDataFolder(this IResourceBuilder<LeasesResource> builder, string path)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Resource.DataFolder = PathOf(builder, path);
        return builder;
    }

    /// <summary>Keeps the leases of a container in a volume, so that they survive the container.</summary>
    /// <param name="builder">The builder of the resource.</param>
    /// <param name="name">The name of the volume; one of the app host's and the resource's where it is null.</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is null.</exception>
    public static IResourceBuilder<LeasesContainerResource> WithDataVolume(
        this IResourceBuilder<LeasesContainerResource> builder, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.WithVolume(name ?? VolumeNameGenerator.Generate(builder, "data"), ContainerData);
    }

    /// <summary>Has a server want a credential of every caller, and gives those that reference it one.</summary>
    /// <param name="builder">The builder of the resource.</param>
    /// <param name="file">The access file, with the rules of who may do what; a relative path begins in the app host's folder.</param>
    /// <param name="token">
    /// The API key for the connection string, as a secret parameter. Null where the applications have credentials of their own.
    /// </param>
    /// <returns>The same builder.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> or <paramref name="file"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="file"/> is empty.</exception>
    public static IResourceBuilder<LeasesResource> WithAccess(
        this IResourceBuilder<LeasesResource> builder, string file, IResourceBuilder<ParameterResource>? token = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return WithToken(builder, token).WithArgs("--access", PathOf(builder, file));
    }

    /// <inheritdoc cref="WithAccess(IResourceBuilder{LeasesResource}, string, IResourceBuilder{ParameterResource}?)"/>
    public static IResourceBuilder<LeasesContainerResource> WithAccess(
        this IResourceBuilder<LeasesContainerResource> builder, string file, IResourceBuilder<ParameterResource>? token = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return WithToken(builder, token)
            .WithBindMount(PathOf(builder, file), ContainerAccess, isReadOnly: true)
            .WithArgs("--access", ContainerAccess);
    }

    private static IResourceBuilder<T> Observed<T>(IResourceBuilder<T> builder)
        where T : IResourceWithEndpoints, IResourceWithEnvironment => builder
        .WithHttpHealthCheck("/health/ready", endpointName: LeasesConnection.EndpointName)
        .WithUrlForEndpoint(LeasesConnection.EndpointName, url => url.DisplayText = "Dashboard of leases")
        .WithOtlpExporter();

    private static IResourceBuilder<T> WithToken<T>(IResourceBuilder<T> builder, IResourceBuilder<ParameterResource>? token)
        where T : IResource =>
        token is null
            ? builder
            : builder.WithAnnotation(new LeasesTokenAnnotation(token.Resource), ResourceAnnotationMutationBehavior.Replace);

    private static void Add(CommandLineArgsCallbackContext context, string option, object value)
    {
        context.Args.Add(option);
        context.Args.Add(value);
    }

    private static string PathOf<T>(
        IResourceBuilder<T> builder, string path, [CallerArgumentExpression(nameof(path))] string? parameter = null)
        where T : IResource
    {
        ArgumentException.ThrowIfNullOrEmpty(path, parameter);
        return Path.GetFullPath(path, builder.ApplicationBuilder.AppHostDirectory);
    }
}
