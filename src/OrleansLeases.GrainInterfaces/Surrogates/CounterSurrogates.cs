namespace OrleansLeases.Surrogates;

[GenerateSerializer, Alias("OrleansLeases.Surrogates.AddToCounterRequest"), Immutable]
internal record struct AddToCounterRequestSurrogate(long Delta, KeyLease? Lease, string? RequestId);

[RegisterConverter]
internal sealed class AddToCounterRequestConverter : IConverter<AddToCounterRequest, AddToCounterRequestSurrogate>
{
    public AddToCounterRequest ConvertFromSurrogate(in AddToCounterRequestSurrogate surrogate) =>
        new() { Delta = surrogate.Delta, Lease = surrogate.Lease, RequestId = surrogate.RequestId };

    public AddToCounterRequestSurrogate ConvertToSurrogate(in AddToCounterRequest value) =>
        new(value.Delta, value.Lease, value.RequestId);
}

[GenerateSerializer, Alias("OrleansLeases.Surrogates.CounterValue"), Immutable]
internal record struct CounterValueSurrogate(string Key, long Value, long Version, bool Replayed);

[RegisterConverter]
internal sealed class CounterValueConverter : IConverter<CounterValue, CounterValueSurrogate>
{
    public CounterValue ConvertFromSurrogate(in CounterValueSurrogate surrogate) =>
        new() { Key = surrogate.Key, Value = surrogate.Value, Version = surrogate.Version, Replayed = surrogate.Replayed };

    public CounterValueSurrogate ConvertToSurrogate(in CounterValue value) =>
        new(value.Key, value.Value, value.Version, value.Replayed);
}
