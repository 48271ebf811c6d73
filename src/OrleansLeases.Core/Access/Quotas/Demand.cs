using System.Text;

namespace OrleansLeases.Core;

/// <summary>What a call uses up of its caller's quotas.</summary>
/// <param name="Name">The name that it is about, or the prefix.</param>
internal readonly record struct Demand(string Name)
{
    /// <summary>Whether it is about all names that start with it, and so about what is below each quota's prefix that does.</summary>
    public bool IsPrefix { get; init; }

    /// <summary>Whether it begins to use the name.</summary>
    public bool UsesName { get; init; }

    /// <summary>Who asks for a lease of the name; null where none is asked for.</summary>
    public string? Owner { get; init; }

    /// <summary>The request id of an acquire: a repeat asks for no second lease.</summary>
    public string? RequestId { get; init; }

    /// <summary>Whether it waits in a queue.</summary>
    public bool Waits { get; init; }

    /// <summary>Whether it stays open as a watch.</summary>
    public bool Watches { get; init; }

    /// <summary>The bytes of the key and the value that it puts; null where it puts none.</summary>
    public int? KeyBytes { get; init; }

    public static Demand Of(AcquireRequest request) => new(request.Resource)
    {
        UsesName = true, Owner = request.Owner, RequestId = request.RequestId, Waits = request.Wait > TimeSpan.Zero,
    };

    public static Demand Of(string key, string value) =>
        new(key) { UsesName = true, KeyBytes = Encoding.UTF8.GetByteCount(key) + Encoding.UTF8.GetByteCount(value) };

    public static Demand Of(WatchRequest request) =>
        new(request.Resource ?? request.Key ?? request.Prefix ?? "") { Watches = true, IsPrefix = request.Prefix is not null };

    public static Demand OfPrefix(string? prefix) => new(prefix ?? "") { IsPrefix = true };
}
