namespace OrleansLeases.Gateway.Hosting;

/// <summary>
/// Ends a process of leases that has run out of memory. Memory can end between any two steps: a keeper may be left with a turn
/// that never ends, a connection with an answer that never comes, while all that looks at the process finds it alive. What is
/// stored is whole whenever a process ends, so its supervisor starts it again.
/// </summary>
internal static class OutOfMemory
{
    private const string Message =
        "leases: out of memory. The process ends, since calls under way may never be answered otherwise; what was acknowledged is stored. "
        + "Give it more memory.";

    /// <summary>
    /// From now on the process ends where an <see cref="OutOfMemoryException"/> is thrown, also where code would catch it.
    /// </summary>
    public static void EndsTheProcess() => AppDomain.CurrentDomain.FirstChanceException += static (_, thrown) =>
    {
        if (thrown.Exception is OutOfMemoryException) Environment.FailFast(Message);
    };
}
