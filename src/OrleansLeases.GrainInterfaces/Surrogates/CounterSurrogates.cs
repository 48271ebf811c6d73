namespace OrleansLeases.Surrogates;

[GenerateSerializer, Alias("OrleansLeases.Surrogates.AddToCounterRequest"), Immutable]
internal struct AddToCounterRequestSurrogate
{
    [Id(0)] public long Delta;
    [Id(1)] public KeyLease? Lease;
    [Id(2)] public string? RequestId;
}

[RegisterConverter]
internal sealed class AddToCounterRequestConverter : IConverter<AddToCounterRequest, AddToCounterRequestSurrogate>
{
    public AddToCounterRequest ConvertFromSurrogate(in AddToCounterRequestSurrogate surrogate) => new()
    {
        Delta = surrogate.Delta,
        Lease = surrogate.Lease,
        RequestId = surrogate.RequestId,
    };

    public AddToCounterRequestSurrogate ConvertToSurrogate(in AddToCounterRequest value) => new()
    {
        Delta = value.Delta,
        Lease = value.Lease,
        RequestId = value.RequestId,
    };
}

[GenerateSerializer, Alias("OrleansLeases.Surrogates.CounterValue"), Immutable]
internal struct CounterValueSurrogate
{
    [Id(0)] public string Key;
    [Id(1)] public long Value;
    [Id(2)] public long Version;
    [Id(3)] public bool Replayed;
}

[RegisterConverter]
internal sealed class CounterValueConverter : IConverter<CounterValue, CounterValueSurrogate>
{
    public CounterValue ConvertFromSurrogate(in CounterValueSurrogate surrogate) => new()
    {
        Key = surrogate.Key,
        Value = surrogate.Value,
        Version = surrogate.Version,
        Replayed = surrogate.Replayed,
    };

    public CounterValueSurrogate ConvertToSurrogate(in CounterValue value) => new()
    {
        Key = value.Key,
        Value = value.Value,
        Version = value.Version,
        Replayed = value.Replayed,
    };
}
