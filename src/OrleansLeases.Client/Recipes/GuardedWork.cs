namespace OrleansLeases.Client.Recipes;

/// <summary>Work under a lease: its token is cancelled when the lease is lost, and the lease is released once it has ended.</summary>
internal static class GuardedWork
{
    /// <summary>Runs work that is only good if the lease was held to its end.</summary>
    /// <exception cref="LeaseLostException">The lease was lost before the work had ended.</exception>
    public static Task<T> RunAsync<T>(
        LeaseHandle lease, Func<LeaseHandle, CancellationToken, Task<T>> work, CancellationToken cancellationToken) =>
        UnderAsync(
            lease,
            async (held, stop) =>
            {
                var result = await work(held, stop).ConfigureAwait(false);
                return held.LossByNow is { } loss ? throw new LeaseLostException(loss) : result;
            },
            cancellationToken);

    /// <inheritdoc cref="RunAsync{T}"/>
    public static Task RunAsync(LeaseHandle lease, Func<LeaseHandle, CancellationToken, Task> work, CancellationToken cancellationToken) =>
        RunAsync(
            lease,
            async (held, stop) =>
            {
                await work(held, stop).ConfigureAwait(false);
                return true;
            },
            cancellationToken);

    /// <summary>Runs work that sees to it by itself that it counts only under the lease.</summary>
    /// <exception cref="LeaseLostException">The work stopped because the lease was lost.</exception>
    public static Task<T> UnderAsync<T>(
        LeaseHandle lease, Func<LeaseHandle, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        lease.Lease.IsGuarded = true;
        var run = GuardAsync(lease, work, cancellationToken);
        lease.Client.Guards(run);
        return run;
    }

    private static async Task<T> GuardAsync<T>(
        LeaseHandle lease, Func<LeaseHandle, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        // Released after the work has ended, however long that takes once its token is cancelled.
        await using var _ = lease.ConfigureAwait(false);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(lease.LostToken, cancellationToken);
        try
        {
            return await work(lease, stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException stopped) when (!cancellationToken.IsCancellationRequested && lease.LossByNow is { } loss)
        {
            throw new LeaseLostException(loss, stopped);
        }
    }
}
