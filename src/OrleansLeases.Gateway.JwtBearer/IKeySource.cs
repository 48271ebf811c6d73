namespace OrleansLeases.Gateway.JwtBearer;

/// <summary>Where the keys come from that tokens are verified by. Thread-safe.</summary>
internal interface IKeySource
{
    /// <summary>The keys; null before they were read for the first time.</summary>
    SigningKeys? Current { get; }

    /// <summary>Reads them again where that is due.</summary>
    Task RefreshAsync(CancellationToken cancellationToken);

    /// <summary>A token names a key that is not among them. It returns at once: no caller may have a server wait for others.</summary>
    /// <returns>Whether they are being read again, so that it may be among them soon.</returns>
    bool Missed();
}

/// <summary>The keys of a file, for which whoever reads the file makes another source once it has changed.</summary>
internal sealed class FixedKeys(SigningKeys keys) : IKeySource
{
    public SigningKeys? Current => keys;

    public Task RefreshAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public bool Missed() => false;
}
