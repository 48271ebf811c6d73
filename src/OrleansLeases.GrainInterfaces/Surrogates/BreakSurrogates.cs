namespace OrleansLeases.Surrogates;

[GenerateSerializer, Alias("OrleansLeases.Surrogates.BreakRequest"), Immutable]
internal struct BreakRequestSurrogate
{
    [Id(0)] public string Resource;
    [Id(1)] public long? Token;
    [Id(2)] public TimeSpan Grace;
    [Id(3)] public bool Force;
    [Id(4)] public string Reason;
    [Id(5)] public string? RequestId;
}

[RegisterConverter]
internal sealed class BreakRequestConverter : IConverter<BreakRequest, BreakRequestSurrogate>
{
    public BreakRequest ConvertFromSurrogate(in BreakRequestSurrogate surrogate) => new()
    {
        Resource = surrogate.Resource,
        Token = surrogate.Token,
        Grace = surrogate.Grace,
        Force = surrogate.Force,
        Reason = surrogate.Reason,
        RequestId = surrogate.RequestId,
    };

    public BreakRequestSurrogate ConvertToSurrogate(in BreakRequest value) => new()
    {
        Resource = value.Resource,
        Token = value.Token,
        Grace = value.Grace,
        Force = value.Force,
        Reason = value.Reason,
        RequestId = value.RequestId,
    };
}

[GenerateSerializer, Alias("OrleansLeases.Surrogates.LeaseBreak"), Immutable]
internal struct LeaseBreakSurrogate
{
    [Id(0)] public string Resource;
    [Id(1)] public long Token;
    [Id(2)] public TimeSpan EndsIn;
}

[RegisterConverter]
internal sealed class LeaseBreakConverter : IConverter<LeaseBreak, LeaseBreakSurrogate>
{
    public LeaseBreak ConvertFromSurrogate(in LeaseBreakSurrogate surrogate) => new()
    {
        Resource = surrogate.Resource,
        Token = surrogate.Token,
        EndsIn = surrogate.EndsIn,
    };

    public LeaseBreakSurrogate ConvertToSurrogate(in LeaseBreak value) => new()
    {
        Resource = value.Resource,
        Token = value.Token,
        EndsIn = value.EndsIn,
    };
}
