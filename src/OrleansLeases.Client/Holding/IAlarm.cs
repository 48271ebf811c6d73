namespace OrleansLeases.Client.Holding;

/// <summary>
/// What drives a client: it looks at what is due in time, and runs signals, such as those of leases that are lost. Thread-safe.
/// </summary>
internal interface IAlarm : IDisposable
{
    /// <summary>Looks soon: something is due earlier than the last look knew.</summary>
    void Wake();

    /// <summary>Runs a signal, which may call code that takes its time. It holds up neither the next look nor the next signal.</summary>
    void Run(Action signal);
}
