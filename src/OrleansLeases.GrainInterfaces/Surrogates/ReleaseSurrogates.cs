namespace OrleansLeases.Surrogates;

[GenerateSerializer, Alias("OrleansLeases.Surrogates.ReleaseRequest"), Immutable]
internal struct ReleaseRequestSurrogate
{
    [Id(0)] public string Resource;
    [Id(1)] public string Owner;
    [Id(2)] public long Token;
}

[RegisterConverter]
internal sealed class ReleaseRequestConverter : IConverter<ReleaseRequest, ReleaseRequestSurrogate>
{
    public ReleaseRequest ConvertFromSurrogate(in ReleaseRequestSurrogate surrogate) => new()
    {
        Resource = surrogate.Resource,
        Owner = surrogate.Owner,
        Token = surrogate.Token,
    };

    public ReleaseRequestSurrogate ConvertToSurrogate(in ReleaseRequest value) => new()
    {
        Resource = value.Resource,
        Owner = value.Owner,
        Token = value.Token,
    };
}

[GenerateSerializer, Alias("OrleansLeases.Surrogates.LeaseRelease"), Immutable]
internal struct LeaseReleaseSurrogate
{
    [Id(0)] public string Resource;
    [Id(1)] public long Token;
    [Id(2)] public bool Replayed;
}

[RegisterConverter]
internal sealed class LeaseReleaseConverter : IConverter<LeaseRelease, LeaseReleaseSurrogate>
{
    public LeaseRelease ConvertFromSurrogate(in LeaseReleaseSurrogate surrogate) => new()
    {
        Resource = surrogate.Resource,
        Token = surrogate.Token,
        Replayed = surrogate.Replayed,
    };

    public LeaseReleaseSurrogate ConvertToSurrogate(in LeaseRelease value) => new()
    {
        Resource = value.Resource,
        Token = value.Token,
        Replayed = value.Replayed,
    };
}
