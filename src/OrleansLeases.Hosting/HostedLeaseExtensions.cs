using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using OrleansLeases.Client;
using OrleansLeases.Hosting.Health;
using OrleansLeases.Hosting.Leading;
using OrleansLeases.Hosting.Scheduling;
using OrleansLeases.Hosting.Telemetry;

namespace OrleansLeases.Hosting;

/// <summary>
/// Adds work that one instance of an application does at a time: services that lead, and jobs on a schedule. Both use the
/// <see cref="LeaseClient"/> among the services, of <c>AddLeasesClient</c> or of a silo's <c>AddLeases</c>, and its clock.
/// </summary>
public static class HostedLeaseExtensions
{
    /// <summary>
    /// Runs a background service on one instance at a time. Each instance waits for the lease on
    /// <see cref="LeaderServiceOptions.Resource"/>; the one that holds it makes the service in a scope of its own and starts it. The
    /// service takes its fencing token from a <see cref="LeaderTerm"/> in its constructor.
    /// </summary>
    /// <typeparam name="T">The service. It is not added by <c>AddHostedService</c> as well.</typeparam>
    /// <param name="services">The services.</param>
    /// <param name="configure">Sets the options, which have the full name of <typeparamref name="T"/>.</param>
    /// <returns>The same services.</returns>
    /// <remarks>
    /// <para>The service is asked to stop, by the token of its <c>ExecuteAsync</c>, when the host stops, when a hand-over is requested,
    /// and <see cref="LeaderServiceOptions.StopMargin"/> before the end of a lease that cannot be renewed. The lease is released once the
    /// service has stopped, so that the next instance leads at once and no two instances run it together. A service that fails gives its
    /// lease up too, and its instance leads again after a pause; one that returns leads on idly, and is not started again
    /// while its instance lives.</para>
    /// <para>A service that goes on after it was asked to stop keeps its lease, which is renewed for it, and its instance does not lead
    /// again. Where the lease cannot be renewed any more, or was broken by force, or the process had been stopped, another instance leads
    /// from its end on; then only a resource that checks <see cref="LeaderTerm.Token"/> is protected from the service, the log says so,
    /// and the health check is unhealthy until the service has stopped.</para>
    /// <para>Where the application has health checks, one is among them whose name is the resource.</para>
    /// </remarks>
    /// <exception cref="ArgumentNullException"><paramref name="services"/> is null.</exception>
    /// <exception cref="InvalidOperationException">The service has been added before.</exception>
    public static IServiceCollection AddLeaderService<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] T>(
        this IServiceCollection services, Action<LeaderServiceOptions>? configure = null)
        where T : BackgroundService
    {
        ArgumentNullException.ThrowIfNull(services);
        var name = typeof(T).FullName ?? typeof(T).Name;
        AddHost(services, $"The service {name}");
        var options = services.AddOptions<LeaderServiceOptions>(name).ValidateOnStart();
        // The name of a generic type has the versions of its arguments' assemblies, which differ while a new version is rolled out.
        if (!typeof(T).IsGenericType) options.Configure(leader => leader.Resource = $"leaders/{name.Replace('+', '.')}");
        if (configure is not null) options.Configure(configure);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<LeaderServiceOptions>, LeaderServiceOptionsValidator>());
        services.TryAddScoped<T>();
        services.TryAddScoped<TermSlot>();
        services.TryAddScoped(provider => provider.GetRequiredService<TermSlot>().Term);
        return services.AddSingleton<LeasedWork>(provider => new LeaderWork<T>(
            provider, provider.GetRequiredService<IOptionsMonitor<LeaderServiceOptions>>().Get(name)));
    }

    /// <summary>Starts a job by a schedule, each of its ticks on one instance of the application.</summary>
    /// <param name="services">The services.</param>
    /// <param name="name">The name of the job, and of its options: a path such as <c>invoices/nightly</c>.</param>
    /// <param name="schedule">A cron expression, see <see cref="ScheduledJobOptions.Schedule"/>; such as <c>0 3 * * *</c>.</param>
    /// <param name="job">
    /// The job. Its token is cancelled when its lease is lost, its time limit has passed or the host stops; it is awaited nevertheless.
    /// </param>
    /// <param name="configure">Sets the options.</param>
    /// <returns>The same services.</returns>
    /// <remarks>
    /// <para>Before a job is started for a tick, the tick is stored by compare-and-swap in the key
    /// <see cref="ScheduledJobOptions.Resource"/>, and a tick that is not after the stored one is never started: whatever the clocks of the
    /// instances say, how often calls are repeated, and whichever instance was killed or stopped. The first instance of all stores the
    /// time when it started; ticks count from then. While a run goes on no other one begins.</para>
    /// <para>A tick is started late where the instance that was about to start it died: another one starts it once its lease has expired.
    /// An instance that dies between the mark and the first step of the job takes that tick with it, since nobody can know whether it made
    /// that step. A job that failed, or was cancelled, is started again at its next tick, not before.</para>
    /// <para>Where the application has health checks, one is among them whose name is the resource.</para>
    /// </remarks>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="name"/> is empty.</exception>
    /// <exception cref="InvalidOperationException">A job of that name has been added before.</exception>
    public static IServiceCollection AddScheduledJob(
        this IServiceCollection services, string name, string schedule, Func<ScheduledRun, CancellationToken, Task> job,
        Action<ScheduledJobOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(schedule);
        ArgumentNullException.ThrowIfNull(job);
        AddHost(services, $"The job '{name}'");
        var options = services.AddOptions<ScheduledJobOptions>(name).ValidateOnStart().Configure(
            scheduled => (scheduled.Schedule, scheduled.Resource) = (schedule, $"jobs/{name}"));
        if (configure is not null) options.Configure(configure);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ScheduledJobOptions>, ScheduledJobOptionsValidator>());
        return services.AddSingleton<LeasedWork>(provider => new JobWork(
            provider, name, provider.GetRequiredService<IOptionsMonitor<ScheduledJobOptions>>().Get(name), job));
    }

    /// <summary>Starts a job by a schedule; the job is made anew for each run, in a scope of its own.</summary>
    /// <typeparam name="TJob">The job.</typeparam>
    /// <inheritdoc cref="AddScheduledJob(IServiceCollection, string, string, Func{ScheduledRun, CancellationToken, Task},
    /// Action{ScheduledJobOptions})"/>
    public static IServiceCollection AddScheduledJob<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TJob>(
        this IServiceCollection services, string name, string schedule, Action<ScheduledJobOptions>? configure = null)
        where TJob : class, IScheduledJob
    {
        services.AddScheduledJob(
            name, schedule, static (run, stop) => run.Services.GetRequiredService<TJob>().RunAsync(run, stop), configure);
        services.TryAddScoped<TJob>();
        return services;
    }

    private static void AddHost(IServiceCollection services, string what)
    {
        if (services.Any(service => service.ImplementationInstance is Added added && added.What == what))
            throw new InvalidOperationException($"{what} has been added already; set its options by their name.");
        services.AddSingleton(new Added(what));
        services.TryAddSingleton(provider => new HostingMetrics(provider.GetService<System.Diagnostics.Metrics.IMeterFactory>()));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, LeasedWorks>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IPostConfigureOptions<HealthCheckServiceOptions>, LeasedWorkHealthChecks>());
    }

    private sealed record Added(string What);
}
