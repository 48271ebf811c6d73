using System.Globalization;
using Npgsql;

namespace OrleansLeases.Fencing.PostgreSql;

/// <summary>How long a hold of the fence may last, and how long to wait for it. Immutable; checked when it is used.</summary>
public sealed record FenceHoldOptions
{
    private static readonly TimeSpan Notice = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long a hold lasts at most. Then <see cref="FenceHold.LostToken"/> is cancelled, and 5 s later the database ends the
    /// hold, whatever has become of this process. So a paused process blocks higher tokens for that long.
    /// </summary>
    /// <value>30 s by default; 100 ms to 1 h.</value>
    public TimeSpan MaxDuration { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long to wait, approximately, for the holds of lower tokens to end.</summary>
    /// <value>5 s by default; 1 ms to 1 min.</value>
    public TimeSpan LockTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Checks the bounds.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of bounds; the message names it.</exception>
    public void Validate()
    {
        Within(nameof(MaxDuration), MaxDuration, TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(1));
        Within(nameof(LockTimeout), LockTimeout, TimeSpan.FromMilliseconds(1), TimeSpan.FromMinutes(1));
    }

    /// <summary>Sets the limits for the transaction of a batch.</summary>
    internal void Apply(NpgsqlBatch batch)
    {
        batch.BatchCommands.Add(new(
            "select set_config('lock_timeout', $1, true), set_config('idle_in_transaction_session_timeout', $2, true)")
        {
            Parameters = { new() { Value = Milliseconds(LockTimeout) }, new() { Value = Milliseconds(MaxDuration + Notice) } },
        });
        // The batch waits for two locks at most. The command timeout is for a server that does not respond.
        batch.Timeout = (int)Math.Ceiling((LockTimeout + LockTimeout + Notice).TotalSeconds);
    }

    private static string Milliseconds(TimeSpan time) =>
        ((long)Math.Ceiling(time.TotalMilliseconds)).ToString(CultureInfo.InvariantCulture);

    private static void Within(string name, TimeSpan value, TimeSpan least, TimeSpan most)
    {
        if (value >= least && value <= most) return;
        throw new ArgumentOutOfRangeException(name, value, $"{nameof(FenceHoldOptions)}.{name} is {value}; it takes {least} to {most}.");
    }
}
