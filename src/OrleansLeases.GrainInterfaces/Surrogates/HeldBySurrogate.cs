namespace OrleansLeases.Surrogates;

[GenerateSerializer, Alias("OrleansLeases.Surrogates.HeldBy"), Immutable]
internal struct HeldBySurrogate
{
    [Id(0)] public string Owner;
    [Id(1)] public LeaseMode Mode;
    [Id(2)] public TimeSpan Remaining;
}

[RegisterConverter]
internal sealed class HeldByConverter : IConverter<HeldBy, HeldBySurrogate>
{
    public HeldBy ConvertFromSurrogate(in HeldBySurrogate surrogate) => new()
    {
        Owner = surrogate.Owner,
        Mode = surrogate.Mode,
        Remaining = surrogate.Remaining,
    };

    public HeldBySurrogate ConvertToSurrogate(in HeldBy value) => new()
    {
        Owner = value.Owner,
        Mode = value.Mode,
        Remaining = value.Remaining,
    };
}
