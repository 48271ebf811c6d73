namespace OrleansLeases.Surrogates;

// The refusal is identified by its code and not by its type, so that no type name is serialized.
[GenerateSerializer, Alias("OrleansLeases.Surrogates.LeaseResult`1"), Immutable]
internal struct LeaseResultSurrogate<T>
    where T : class
{
    [Id(0)] public T? Value;
    [Id(1)] public RefusalSurrogate? Refusal;
}

[RegisterConverter]
internal sealed class LeaseResultConverter<T> : IConverter<LeaseResult<T>, LeaseResultSurrogate<T>>
    where T : class
{
    public LeaseResult<T> ConvertFromSurrogate(in LeaseResultSurrogate<T> surrogate) => surrogate switch
    {
        { Value: { } value } => value,
        { Refusal: { } refusal } => refusal.ToRefusal(),
        _ => default,
    };

    public LeaseResultSurrogate<T> ConvertToSurrogate(in LeaseResult<T> value)
    {
        if (value == default) return default;
        return value.TryGetValue(out var content, out var refusal)
            ? new() { Value = content }
            : new() { Refusal = RefusalSurrogate.Of(refusal) };
    }
}
