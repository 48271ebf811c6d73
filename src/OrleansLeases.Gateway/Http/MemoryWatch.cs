namespace OrleansLeases.Gateway.Http;

/// <summary>
/// Whether a call of this gateway has met the end of memory. From then on only a new process is well: nobody knows what was
/// left half done. Thread-safe.
/// </summary>
internal sealed class MemoryWatch
{
    private volatile bool _isOut;

    /// <summary>The answer to a health check; null while there was memory for every call.</summary>
    public Refusal.Unavailable? Refusal => _isOut ? Failures.OutOfMemory : null;

    /// <summary>Notes why a call failed.</summary>
    public void Note(Exception error)
    {
        if (error is OutOfMemoryException) _isOut = true;
    }
}
