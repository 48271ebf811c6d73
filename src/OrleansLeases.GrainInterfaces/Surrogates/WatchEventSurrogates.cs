namespace OrleansLeases.Surrogates;

// Each case has a surrogate of its own: events cross in arrays, which name the type of each.
[GenerateSerializer, Alias("OrleansLeases.Surrogates.WatchEvent.LeaseSnapshot"), Immutable]
internal record struct LeaseSnapshotEventSurrogate(WatchPoint? ResumeFrom, LeaseInfo Lease);

[RegisterConverter]
internal sealed class LeaseSnapshotEventConverter : IConverter<WatchEvent.LeaseSnapshot, LeaseSnapshotEventSurrogate>
{
    public WatchEvent.LeaseSnapshot ConvertFromSurrogate(in LeaseSnapshotEventSurrogate surrogate) =>
        new(surrogate.Lease) { ResumeFrom = surrogate.ResumeFrom };

    public LeaseSnapshotEventSurrogate ConvertToSurrogate(in WatchEvent.LeaseSnapshot value) =>
        new(value.ResumeFrom, value.Lease);
}

[GenerateSerializer, Alias("OrleansLeases.Surrogates.WatchEvent.KeySnapshot"), Immutable]
internal record struct KeySnapshotEventSurrogate(WatchPoint? ResumeFrom, KeyInfo Key);

[RegisterConverter]
internal sealed class KeySnapshotEventConverter : IConverter<WatchEvent.KeySnapshot, KeySnapshotEventSurrogate>
{
    public WatchEvent.KeySnapshot ConvertFromSurrogate(in KeySnapshotEventSurrogate surrogate) =>
        new(surrogate.Key) { ResumeFrom = surrogate.ResumeFrom };

    public KeySnapshotEventSurrogate ConvertToSurrogate(in WatchEvent.KeySnapshot value) => new(value.ResumeFrom, value.Key);
}

[GenerateSerializer, Alias("OrleansLeases.Surrogates.WatchEvent.LeaseChanged"), Immutable]
internal record struct LeaseChangedEventSurrogate(WatchPoint? ResumeFrom, LeaseEvent Lease);

[RegisterConverter]
internal sealed class LeaseChangedEventConverter : IConverter<WatchEvent.LeaseChanged, LeaseChangedEventSurrogate>
{
    public WatchEvent.LeaseChanged ConvertFromSurrogate(in LeaseChangedEventSurrogate surrogate) =>
        new(surrogate.Lease) { ResumeFrom = surrogate.ResumeFrom };

    public LeaseChangedEventSurrogate ConvertToSurrogate(in WatchEvent.LeaseChanged value) => new(value.ResumeFrom, value.Lease);
}

[GenerateSerializer, Alias("OrleansLeases.Surrogates.WatchEvent.KeyChanged"), Immutable]
internal record struct KeyChangedEventSurrogate(WatchPoint? ResumeFrom, KeyChange Key);

[RegisterConverter]
internal sealed class KeyChangedEventConverter : IConverter<WatchEvent.KeyChanged, KeyChangedEventSurrogate>
{
    public WatchEvent.KeyChanged ConvertFromSurrogate(in KeyChangedEventSurrogate surrogate) =>
        new(surrogate.Key) { ResumeFrom = surrogate.ResumeFrom };

    public KeyChangedEventSurrogate ConvertToSurrogate(in WatchEvent.KeyChanged value) => new(value.ResumeFrom, value.Key);
}

[GenerateSerializer, Alias("OrleansLeases.Surrogates.WatchEvent.Resync"), Immutable]
internal record struct ResyncEventSurrogate(WatchPoint? ResumeFrom);

[RegisterConverter]
internal sealed class ResyncEventConverter : IConverter<WatchEvent.Resync, ResyncEventSurrogate>
{
    public WatchEvent.Resync ConvertFromSurrogate(in ResyncEventSurrogate surrogate) =>
        surrogate.ResumeFrom is { } point ? WatchEvent.Resync.Instance with { ResumeFrom = point } : WatchEvent.Resync.Instance;

    public ResyncEventSurrogate ConvertToSurrogate(in WatchEvent.Resync value) => new(value.ResumeFrom);
}
