namespace OrleansLeases.Core;

/// <summary>
/// Logs what a person looks for who runs the service: never a line for each request. Thread-safe; it returns at once, and a logger that
/// fails is no failure of the service.
/// </summary>
internal interface IServiceLog
{
    /// <summary>Whether anybody reads what <see cref="Changed"/> says.</summary>
    bool IsOn { get; }

    /// <summary>A change of a resource is stored.</summary>
    void Changed(string resource, in LogEntry change);
}
