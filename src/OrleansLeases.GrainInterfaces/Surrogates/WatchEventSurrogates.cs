namespace OrleansLeases.Surrogates;

// Each case has a surrogate of its own: events cross in arrays, which name the type of each.
[GenerateSerializer, Alias("OrleansLeases.Surrogates.WatchEvent.LeaseState"), Immutable]
internal struct LeaseStateEventSurrogate
{
    [Id(0)] public WatchPoint? ResumeFrom;
    [Id(1)] public LeaseInfo Lease;
}

[RegisterConverter]
internal sealed class LeaseStateEventConverter : IConverter<WatchEvent.LeaseState, LeaseStateEventSurrogate>
{
    public WatchEvent.LeaseState ConvertFromSurrogate(in LeaseStateEventSurrogate surrogate) => new(surrogate.Lease) { ResumeFrom = surrogate.ResumeFrom };

    public LeaseStateEventSurrogate ConvertToSurrogate(in WatchEvent.LeaseState value) => new() { ResumeFrom = value.ResumeFrom, Lease = value.Lease };
}

[GenerateSerializer, Alias("OrleansLeases.Surrogates.WatchEvent.KeyState"), Immutable]
internal struct KeyStateEventSurrogate
{
    [Id(0)] public WatchPoint? ResumeFrom;
    [Id(1)] public KeyInfo Key;
}

[RegisterConverter]
internal sealed class KeyStateEventConverter : IConverter<WatchEvent.KeyState, KeyStateEventSurrogate>
{
    public WatchEvent.KeyState ConvertFromSurrogate(in KeyStateEventSurrogate surrogate) => new(surrogate.Key) { ResumeFrom = surrogate.ResumeFrom };

    public KeyStateEventSurrogate ConvertToSurrogate(in WatchEvent.KeyState value) => new() { ResumeFrom = value.ResumeFrom, Key = value.Key };
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
    public WatchEvent.LeaseChanged ConvertFromSurrogate(in LeaseChangedEventSurrogate surrogate) => new(surrogate.Lease) { ResumeFrom = surrogate.ResumeFrom };

    public LeaseChangedEventSurrogate ConvertToSurrogate(in WatchEvent.LeaseChanged value) => new() { ResumeFrom = value.ResumeFrom, Lease = value.Lease };
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
    public WatchEvent.KeyChanged ConvertFromSurrogate(in KeyChangedEventSurrogate surrogate) => new(surrogate.Key) { ResumeFrom = surrogate.ResumeFrom };

    public KeyChangedEventSurrogate ConvertToSurrogate(in WatchEvent.KeyChanged value) => new() { ResumeFrom = value.ResumeFrom, Key = value.Key };
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
