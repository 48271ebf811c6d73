namespace OrleansLeases.Surrogates;

[GenerateSerializer, Alias("OrleansLeases.Surrogates.LeaseHistory"), Immutable]
internal record struct LeaseHistorySurrogate(string Resource, long FirstSequence, LeaseEvent[] Events);

[RegisterConverter]
internal sealed class LeaseHistoryConverter : IConverter<LeaseHistory, LeaseHistorySurrogate>
{
    public LeaseHistory ConvertFromSurrogate(in LeaseHistorySurrogate surrogate) =>
        new() { Resource = surrogate.Resource, FirstSequence = surrogate.FirstSequence, Events = surrogate.Events };

    public LeaseHistorySurrogate ConvertToSurrogate(in LeaseHistory value) =>
        new(value.Resource, value.FirstSequence, WireCollections.Array(value.Events));
}

[GenerateSerializer, Alias("OrleansLeases.Surrogates.LeaseEvent"), Immutable]
internal record struct LeaseEventSurrogate(
    long Sequence, LeaseEventKind Kind, string Owner, long Token, DateTimeOffset At, string? Reason, string? Resource);

[RegisterConverter]
internal sealed class LeaseEventConverter : IConverter<LeaseEvent, LeaseEventSurrogate>
{
    public LeaseEvent ConvertFromSurrogate(in LeaseEventSurrogate surrogate) => new()
    {
        Sequence = surrogate.Sequence, Kind = surrogate.Kind, Owner = surrogate.Owner, Token = surrogate.Token, At = surrogate.At,
        Reason = surrogate.Reason, Resource = surrogate.Resource,
    };

    public LeaseEventSurrogate ConvertToSurrogate(in LeaseEvent value) =>
        new(value.Sequence, value.Kind, value.Owner, value.Token, value.At, value.Reason, value.Resource);
}
