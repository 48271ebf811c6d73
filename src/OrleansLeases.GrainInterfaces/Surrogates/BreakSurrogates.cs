namespace OrleansLeases.Surrogates;

[GenerateSerializer, Alias("OrleansLeases.Surrogates.BreakRequest"), Immutable]
internal record struct BreakRequestSurrogate(
    string Resource, long? Token, TimeSpan Grace, bool Force, string Reason, string? RequestId);

[RegisterConverter]
internal sealed class BreakRequestConverter : IConverter<BreakRequest, BreakRequestSurrogate>
{
    public BreakRequest ConvertFromSurrogate(in BreakRequestSurrogate surrogate) => new()
    {
        Resource = surrogate.Resource, Token = surrogate.Token, Grace = surrogate.Grace, Force = surrogate.Force,
        Reason = surrogate.Reason, RequestId = surrogate.RequestId,
    };

    public BreakRequestSurrogate ConvertToSurrogate(in BreakRequest value) =>
        new(value.Resource, value.Token, value.Grace, value.Force, value.Reason, value.RequestId);
}

[GenerateSerializer, Alias("OrleansLeases.Surrogates.LeaseBreak"), Immutable]
internal record struct LeaseBreakSurrogate(string Resource, long Token, TimeSpan EndsIn);

[RegisterConverter]
internal sealed class LeaseBreakConverter : IConverter<LeaseBreak, LeaseBreakSurrogate>
{
    public LeaseBreak ConvertFromSurrogate(in LeaseBreakSurrogate surrogate) =>
        new() { Resource = surrogate.Resource, Token = surrogate.Token, EndsIn = surrogate.EndsIn };

    public LeaseBreakSurrogate ConvertToSurrogate(in LeaseBreak value) => new(value.Resource, value.Token, value.EndsIn);
}
