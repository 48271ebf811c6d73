namespace OrleansLeases.Simulation.Clients;

/// <summary>
/// The keys below a prefix as an application has them that lists them once, follows their watch, and lists them again after a resync. In
/// the end it has what is stored.
/// </summary>
internal sealed class PrefixCache(World world, SimClient client, string prefix)
{
    private readonly Dictionary<string, (long Version, string? Value)> _keys = [];
    private int _listing;
    private bool _isListed;

    public void Restart()
    {
        _keys.Clear();
        _isListed = false;
        _ = ListAsync(++_listing);
    }

    /// <summary>A listing may have found a later version before the watch shows this one.</summary>
    public void Take(string key, long version, string? value)
    {
        if (!_keys.TryGetValue(key, out var known) || known.Version < version) _keys[key] = (version, value);
    }

    /// <summary>With all faults over it has what is stored.</summary>
    public void EndsAs(IEnumerable<StoredRecord> stored)
    {
        if (!_isListed) world.Scheduler.Fail("liveness", $"The keys below '{prefix}' are not listed in the end.");
        foreach (var row in stored)
        {
            var (version, value) = _keys.GetValueOrDefault(row.Name);
            if (value != row.Key.Value && !world.Truth.AreStray(RecordKind.Key, row.Name, version, row.Key.Revision))
                world.Scheduler.Fail("watch", $"The cache of '{prefix}' has {value} for {row.Name} in the end; stored is {row.Key.Value}.");
        }
    }

    private async Task ListAsync(int listing)
    {
        string? after = null;
        while (listing == _listing && !world.IsOver)
        {
            var listed = await client.Service.ListKeysAsync(new() { Prefix = prefix, After = after }).ConfigureAwait(false);
            if (listing != _listing) return;
            if (!listed.TryGetValue(out var page, out _))
            {
                await client.PauseAsync(TimeSpan.FromMilliseconds(200)).ConfigureAwait(false);
                continue;
            }

            foreach (var key in page.Keys) Take(key.Key, key.Version, key.Value);
            after = page.Next;
            if (after is not null) continue;
            _isListed = true;
            return;
        }
    }
}
