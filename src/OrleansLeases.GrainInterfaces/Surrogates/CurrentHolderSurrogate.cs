namespace OrleansLeases.Surrogates;

[GenerateSerializer, Alias("OrleansLeases.Surrogates.CurrentHolder"), Immutable]
internal struct CurrentHolderSurrogate
{
    [Id(0)] public string Owner;
    [Id(1)] public LeaseMode Mode;
    [Id(2)] public TimeSpan Remaining;
}

[RegisterConverter]
internal sealed class CurrentHolderConverter : IConverter<CurrentHolder, CurrentHolderSurrogate>
{
    public CurrentHolder ConvertFromSurrogate(in CurrentHolderSurrogate surrogate) => new()
    {
        Owner = surrogate.Owner,
        Mode = surrogate.Mode,
        Remaining = surrogate.Remaining,
    };

    public CurrentHolderSurrogate ConvertToSurrogate(in CurrentHolder value) => new()
    {
        Owner = value.Owner,
        Mode = value.Mode,
        Remaining = value.Remaining,
    };
}
