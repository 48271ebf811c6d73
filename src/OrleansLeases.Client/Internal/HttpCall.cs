using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace OrleansLeases.Client.Internal;

/// <summary>How a response is read, and whether it matches the request.</summary>
/// <param name="Json">Its JSON.</param>
/// <param name="Fits">Whether it matches the request.</param>
/// <param name="Later">
/// The reply to an attempt that began so much later than its call. The call's caller counts from when it made the call, so all of
/// that is time for which it was held; null where the reply has no such time.
/// </param>
internal readonly record struct ReplyShape<T>(JsonTypeInfo<T> Json, Func<T, bool> Fits, Func<T, TimeSpan, T>? Later);

internal static class ReplyShape
{
    public static ReplyShape<T> Of<T>(JsonTypeInfo<T> json, Func<T, bool> fits, Func<T, TimeSpan, T>? later = null) =>
        new(json, fits, later);
}

/// <summary>A request, and how its response is read.</summary>
/// <param name="Method">The method.</param>
/// <param name="Path">The path, relative to the server's address.</param>
/// <param name="Reply">How its answer is read.</param>
internal sealed record HttpCall<T>(HttpMethod Method, string Path, ReplyShape<T> Reply)
    where T : class
{
    /// <summary>The body by how much of <see cref="Wait"/> is over; null for a read. A change has one, though an empty one.</summary>
    public Func<TimeSpan, byte[]>? Body { get; init; }

    /// <summary>Its operation of a batch, as JSON; null where it keeps a request of its own.</summary>
    public Func<byte[]>? Operation { get; init; }

    /// <summary>Whether it prolongs a lease, which waits for no other kind of call.</summary>
    public bool IsRenewal { get; init; }

    /// <summary>Undoes what came of it once its caller had given it up; null where nothing is to undo.</summary>
    public Action<T>? GiveBack { get; init; }

    /// <summary>What names this change, for the caller that has to repeat it.</summary>
    public string? RequestId { get; init; }

    /// <summary>Whether repeating it does no harm where it may have been carried out.</summary>
    public bool Repeatable { get; init; } = true;

    /// <summary>
    /// How long the service may wait before it answers. A wait out of bounds is the server's to refuse; it must not break a time limit
    /// here.
    /// </summary>
    public TimeSpan Wait
    {
        get;
        init => field = TimeSpan.FromTicks(Math.Clamp(value.Ticks, 0, TimeSpan.TicksPerDay));
    }

    /// <summary>The refusal of a call whose answer did not come.</summary>
    public Refusal WithoutAnswer(string detail) =>
        Body is null ? Unreached(detail) : new Refusal.OutcomeUnknown(RequestId, detail);

    /// <summary>The refusal of a call that no server has seen; so none has said when to ask again.</summary>
    public static Refusal Unreached(string detail) => new Refusal.Unavailable(TimeSpan.Zero, detail);
}
