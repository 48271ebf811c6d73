namespace OrleansLeases.Surrogates;

// Each case has a surrogate of its own: events cross in arrays, which name the type of each.
[GenerateSerializer, Alias("OrleansLeases.Surrogates.WatchEvent.LeaseSnapshot"), Immutable]
internal struct LeaseSnapshotEventSurrogate
{
    [Id(0)] public WatchPoint? ResumeFrom;
    [Id(1)] public LeaseInfo Lease;
}

[RegisterConverter]
internal sealed class LeaseSnapshotEventConverter : IConverter<WatchEvent.LeaseSnapshot, LeaseSnapshotEventSurrogate>
{
    public WatchEvent.LeaseSnapshot ConvertFromSurrogate(in LeaseSnapshotEventSurrogate surrogate) =>
        new(surrogate.Lease) { ResumeFrom = surrogate.ResumeFrom };

    public LeaseSnapshotEventSurrogate ConvertToSurrogate(in WatchEvent.LeaseSnapshot value) =>
        new() { ResumeFrom = value.ResumeFrom, Lease = value.Lease };
}

[GenerateSerializer, Alias("OrleansLeases.Surrogates.WatchEvent.KeySnapshot"), Immutable]
internal struct KeySnapshotEventSurrogate
{
    [Id(0)] public WatchPoint? ResumeFrom;
    [Id(1)] public KeyInfo Key;
}

[RegisterConverter]
internal sealed class KeySnapshotEventConverter : IConverter<WatchEvent.KeySnapshot, KeySnapshotEventSurrogate>
{
    public WatchEvent.KeySnapshot ConvertFromSurrogate(in KeySnapshotEventSurrogate surrogate) =>
        new(surrogate.Key) { ResumeFrom = surrogate.ResumeFrom };

    public KeySnapshotEventSurrogate ConvertToSurrogate(in WatchEvent.KeySnapshot value) =>
        new() { ResumeFrom = value.ResumeFrom, Key = value.Key };
}

[GenerateSerializer, Alias("OrleansLeases.Surrogates.WatchEvent.LeaseChanged"), Immutable]
internal struct LeaseChangedEventSurrogate
{
    [Id(0)] public WatchPoint? ResumeFrom;
    [Id(1)] public LeaseEvent Lease;
}

[RegisterConverter]
internal sealed class LeaseChangedEventConverter : IConverter<WatchEvent.LeaseChanged, LeaseChangedEventSurrogate>
{
    public WatchEvent.LeaseChanged ConvertFromSurrogate(in LeaseChangedEventSurrogate surrogate) =>
        new(surrogate.Lease) { ResumeFrom = surrogate.ResumeFrom };

    public LeaseChangedEventSurrogate ConvertToSurrogate(in WatchEvent.LeaseChanged value) =>
        new() { ResumeFrom = value.ResumeFrom, Lease = value.Lease };
}

[GenerateSerializer, Alias("OrleansLeases.Surrogates.WatchEvent.KeyChanged"), Immutable]
internal struct KeyChangedEventSurrogate
{
    [Id(0)] public WatchPoint? ResumeFrom;
    [Id(1)] public KeyChange Key;
}

[RegisterConverter]
internal sealed class KeyChangedEventConverter : IConverter<WatchEvent.KeyChanged, KeyChangedEventSurrogate>
{
    public WatchEvent.KeyChanged ConvertFromSurrogate(in KeyChangedEventSurrogate surrogate) =>
        new(surrogate.Key) { ResumeFrom = surrogate.ResumeFrom };

    public KeyChangedEventSurrogate ConvertToSurrogate(in WatchEvent.KeyChanged value) =>
        new() { ResumeFrom = value.ResumeFrom, Key = value.Key };
}

[GenerateSerializer, Alias("OrleansLeases.Surrogates.WatchEvent.Resync"), Immutable]
internal struct ResyncEventSurrogate
{
    [Id(0)] public WatchPoint? ResumeFrom;
}

[RegisterConverter]
internal sealed class ResyncEventConverter : IConverter<WatchEvent.Resync, ResyncEventSurrogate>
{
    public WatchEvent.Resync ConvertFromSurrogate(in ResyncEventSurrogate surrogate) =>
        surrogate.ResumeFrom is { } point ? WatchEvent.Resync.Instance with { ResumeFrom = point } : WatchEvent.Resync.Instance;

    public ResyncEventSurrogate ConvertToSurrogate(in WatchEvent.Resync value) => new() { ResumeFrom = value.ResumeFrom };
}
