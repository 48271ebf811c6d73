namespace OrleansLeases.Surrogates;

[GenerateSerializer, Alias("OrleansLeases.Surrogates.LeaseHistory"), Immutable]
internal struct LeaseHistorySurrogate
{
    [Id(0)] public string Resource;
    [Id(1)] public long FirstSequence;
    [Id(2)] public LeaseEvent[] Events;
}

[RegisterConverter]
internal sealed class LeaseHistoryConverter : IConverter<LeaseHistory, LeaseHistorySurrogate>
{
    public LeaseHistory ConvertFromSurrogate(in LeaseHistorySurrogate surrogate) => new()
    {
        Resource = surrogate.Resource,
        FirstSequence = surrogate.FirstSequence,
        Events = surrogate.Events,
    };

    public LeaseHistorySurrogate ConvertToSurrogate(in LeaseHistory value) => new()
    {
        Resource = value.Resource,
        FirstSequence = value.FirstSequence,
        Events = WireCollections.Array(value.Events),
    };
}

[GenerateSerializer, Alias("OrleansLeases.Surrogates.LeaseEvent"), Immutable]
internal struct LeaseEventSurrogate
{
    [Id(0)] public long Sequence;
    [Id(1)] public LeaseEventKind Kind;
    [Id(2)] public string Owner;
    [Id(3)] public long Token;
    [Id(4)] public DateTimeOffset At;
    [Id(5)] public string? Reason;
    [Id(6)] public string? Resource;
}

[RegisterConverter]
internal sealed class LeaseEventConverter : IConverter<LeaseEvent, LeaseEventSurrogate>
{
    public LeaseEvent ConvertFromSurrogate(in LeaseEventSurrogate surrogate) => new()
    {
        Sequence = surrogate.Sequence,
        Kind = surrogate.Kind,
        Owner = surrogate.Owner,
        Token = surrogate.Token,
        At = surrogate.At,
        Reason = surrogate.Reason,
        Resource = surrogate.Resource,
    };

    public LeaseEventSurrogate ConvertToSurrogate(in LeaseEvent value) => new()
    {
        Sequence = value.Sequence,
        Kind = value.Kind,
        Owner = value.Owner,
        Token = value.Token,
        At = value.At,
        Reason = value.Reason,
        Resource = value.Resource,
    };
}
