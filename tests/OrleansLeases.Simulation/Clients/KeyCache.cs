namespace OrleansLeases.Simulation.Clients;

/// <summary>
/// A key as an application has it that follows its watch and asks nobody. What it shows was stored with the version that it knows, and in
/// the end is what is stored.
/// </summary>
internal sealed class KeyCache(World world, string key)
{
    private long _version;
    private string? _value;
    private KeyLease? _lease;

    public void Take(WatchEvent change)
    {
        switch (change)
        {
            case WatchEvent.KeySnapshot { Key: var state }:
                Show(change.ResumeFrom!.Value, state.Version, state.Value, state.Lease);
                break;
            case WatchEvent.KeyChanged { Key: var state }:
                Show(change.ResumeFrom!.Value, state.Version, state.Value, state.Lease);
                break;
        }
    }

    /// <summary>With all faults over it shows what is stored.</summary>
    public void EndsAs(StoredRecord stored)
    {
        // The version of a key that has no record is anybody's guess.
        var isAnother = stored.Version > 0 && _version != stored.Key.Revision;
        if (isAnother || _value != stored.Key.Value || _lease != stored.Key.Binding?.ToLease())
            world.Scheduler.Fail(
                "watch", $"The cache of {key} shows {_value} {_lease} of version {_version} in the end; version {stored.Key.Revision} "
                    + $"is {stored.Key.Value} {stored.Key.Binding}.");
    }

    private void Show(WatchPoint at, long version, string? value, KeyLease? lease)
    {
        (_version, _value, _lease) = (version, value, lease);
        world.Truth.ShowsVersion(key, at, value, lease);
    }
}
