namespace OrleansLeases;

/// <summary>
/// What some files say that somebody else writes anew while the process runs, such as a certificate and its key. They are looked at where
/// it is asked for, at most once a second; what cannot be used leaves the old in place. Thread-safe.
/// </summary>
/// <typeparam name="T">What is read from them.</typeparam>
internal sealed class RenewedFiles<T>
    where T : class
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private readonly string[] _files;
    private readonly Func<T> _read;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private FileStamp[] _seen;
    private long _looked;
    private string? _problem;
    private T _current;

    /// <param name="files">The files.</param>
    /// <param name="read">
    /// Reads them. An <see cref="InvalidDataException"/>, <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/> says that
    /// they cannot be used; the first time it is the caller's.
    /// </param>
    /// <param name="time">The clock.</param>
    public RenewedFiles(string[] files, Func<T> read, TimeProvider time)
    {
        (_files, _read, _time) = (files, read, time);
        _seen = Stamps();
        _current = read();
        _looked = time.GetTimestamp();
    }

    /// <summary>Told of what was read again.</summary>
    public Action<T>? Renewed { get; set; }

    /// <summary>Told, once for each problem, why what there is now cannot be used.</summary>
    public Action<string>? Unusable { get; set; }

    /// <summary>What was last read and could be used.</summary>
    public T Current
    {
        get
        {
            lock (_gate)
            {
                if (_time.GetElapsedTime(_looked) >= LookEvery) LookAgain();
                return _current;
            }
        }
    }

    private void LookAgain()
    {
        _looked = _time.GetTimestamp();
        try
        {
            var stamps = Stamps();
            if (stamps.SequenceEqual(_seen)) return;
            // From before the reading: whoever was between writing one file and another changes it again.
            _seen = stamps;
            _current = _read();
            _problem = null;
            Renewed?.Invoke(_current);
        }
        catch (Exception error) when (error is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            if (error.Message != _problem) Unusable?.Invoke(_problem = error.Message);
        }
    }

    private FileStamp[] Stamps() => Array.ConvertAll(_files, FileStamp.Of);
}
