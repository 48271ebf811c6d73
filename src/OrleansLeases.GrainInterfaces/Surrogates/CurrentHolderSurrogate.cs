namespace OrleansLeases.Surrogates;

[GenerateSerializer, Alias("OrleansLeases.Surrogates.CurrentHolder"), Immutable]
internal record struct CurrentHolderSurrogate(string Owner, LeaseMode Mode, TimeSpan Remaining);

[RegisterConverter]
internal sealed class CurrentHolderConverter : IConverter<CurrentHolder, CurrentHolderSurrogate>
{
    public CurrentHolder ConvertFromSurrogate(in CurrentHolderSurrogate surrogate) =>
        new() { Owner = surrogate.Owner, Mode = surrogate.Mode, Remaining = surrogate.Remaining };

    public CurrentHolderSurrogate ConvertToSurrogate(in CurrentHolder value) => new(value.Owner, value.Mode, value.Remaining);
}
