using System.Text;

namespace OrleansLeases.Client.Recipes;

/// <summary>Acquires several resources together. Thread-safe.</summary>
public static class AcquireAll
{
    /// <summary>Acquires several resources, all or none, and waits without a limit.</summary>
    /// <remarks>
    /// <para>Guaranteed: when it returns, all are held at that moment; when it throws, none stays held. Callers of this method
    /// never deadlock with each other, whatever order they name their resources in: each acquires its resources in the byte order
    /// of their names, and holds those it has while it waits for the next.</para>
    /// <para>Not guaranteed: that they are acquired at one moment; others can see some of them held. A caller that already holds a
    /// resource and acquires more can deadlock: acquire all in one call.</para>
    /// </remarks>
    /// <param name="client">The client that renews the leases.</param>
    /// <param name="resources">The resources, at least one, none twice.</param>
    /// <param name="options">The options of each lease; exclusive ones of 30 s where left out.</param>
    /// <param name="cancellationToken">Leaves the queue; what was granted is released.</param>
    /// <returns>The leases. Dispose them together to release them.</returns>
    /// <exception cref="ArgumentNullException">An argument or a resource is null.</exception>
    /// <exception cref="ArgumentException">There is no resource, or one is named twice.</exception>
    /// <exception cref="LeaseRefusedException">A request is malformed, not allowed, or beyond a bound of the service.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static async ValueTask<LeaseSet> AcquireAllAsync(
        this LeaseClient client, IEnumerable<string> resources, LeaseOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(client);
        var names = InOrder(resources);
        while (true)
        {
            if (await TakeAsync(client, names, Timeout.InfiniteTimeSpan, options, cancellationToken).ConfigureAwait(false) is { } leases)
            {
                return leases;
            }
        }
    }

    /// <summary>Acquires several resources, unless one of them is held by others; see <see cref="AcquireAllAsync"/>.</summary>
    /// <param name="client">The client that renews the leases.</param>
    /// <param name="resources">The resources, at least one, none twice.</param>
    /// <param name="wait">
    /// How long to wait in the queue for all of them together; 0 by default, or <see cref="Timeout.InfiniteTimeSpan"/>.
    /// </param>
    /// <param name="options">The options of each lease; exclusive ones of 30 s where left out.</param>
    /// <param name="cancellationToken">Leaves the queue; what was granted is released.</param>
    /// <returns>The leases, or null. Dispose them together to release them.</returns>
    /// <exception cref="ArgumentNullException">An argument or a resource is null.</exception>
    /// <exception cref="ArgumentException">There is no resource, or one is named twice.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="wait"/> is negative and not infinite.</exception>
    /// <exception cref="LeaseRefusedException">A request was refused for another reason, or the service cannot be reached.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static async ValueTask<LeaseSet?> TryAcquireAllAsync(
        this LeaseClient client, IEnumerable<string> resources, TimeSpan wait = default, LeaseOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(client);
        if (wait == Timeout.InfiniteTimeSpan)
        {
            return await client.AcquireAllAsync(resources, options, cancellationToken).ConfigureAwait(false);
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(wait, TimeSpan.Zero);
        return await TakeAsync(client, InOrder(resources), wait, options, cancellationToken).ConfigureAwait(false);
    }

    private static string[] InOrder(IEnumerable<string> resources)
    {
        ArgumentNullException.ThrowIfNull(resources);
        string[] names = [.. resources];
        if (names.Length == 0) throw new ArgumentException("There is no resource; name at least one.", nameof(resources));
        foreach (var name in names) ArgumentNullException.ThrowIfNull(name, nameof(resources));
        // Bytes, as callers in other languages compare them: strings here compare otherwise beyond U+FFFF. Decision several-in-byte-order.
        Array.Sort(names, static (left, right) => Encoding.UTF8.GetBytes(left).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(right)));
        foreach (var (before, after) in names.Zip(names.Skip(1)))
        {
            if (before == after) throw new ArgumentException($"The resource '{after}' is named twice; name it once.", nameof(resources));
        }

        return names;
    }

    /// <summary>
    /// Acquires one after the other; null where the wait for one ran out, or one was lost during the wait for the next.
    /// </summary>
    private static async ValueTask<LeaseSet?> TakeAsync(
        LeaseClient client, string[] names, TimeSpan wait, LeaseOptions? options, CancellationToken cancellationToken)
    {
        var started = client.Time.GetTimestamp();
        var taken = new List<LeaseHandle>(names.Length);
        var complete = false;
        try
        {
            foreach (var name in names)
            {
                if (await client.TryAcquireAsync(name, Left(), options, cancellationToken).ConfigureAwait(false) is not { } lease)
                {
                    return null;
                }

                taken.Add(lease);
            }

            complete = taken.TrueForAll(lease => lease.IsValid());
            return complete ? new LeaseSet(taken) : null;
        }
        finally
        {
            if (!complete) await LeaseSet.ReleaseAsync(taken).ConfigureAwait(false);
        }

        TimeSpan Left()
        {
            if (wait == Timeout.InfiniteTimeSpan) return wait;
            var left = wait - client.Time.GetElapsedTime(started);
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }
}
