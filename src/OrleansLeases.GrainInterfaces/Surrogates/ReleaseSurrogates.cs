namespace OrleansLeases.Surrogates;

[GenerateSerializer, Alias("OrleansLeases.Surrogates.ReleaseRequest"), Immutable]
internal record struct ReleaseRequestSurrogate(string Resource, string Owner, long Token);

[RegisterConverter]
internal sealed class ReleaseRequestConverter : IConverter<ReleaseRequest, ReleaseRequestSurrogate>
{
    public ReleaseRequest ConvertFromSurrogate(in ReleaseRequestSurrogate surrogate) =>
        new() { Resource = surrogate.Resource, Owner = surrogate.Owner, Token = surrogate.Token };

    public ReleaseRequestSurrogate ConvertToSurrogate(in ReleaseRequest value) => new(value.Resource, value.Owner, value.Token);
}

[GenerateSerializer, Alias("OrleansLeases.Surrogates.LeaseRelease"), Immutable]
internal record struct LeaseReleaseSurrogate(string Resource, long Token, bool Replayed);

[RegisterConverter]
internal sealed class LeaseReleaseConverter : IConverter<LeaseRelease, LeaseReleaseSurrogate>
{
    public LeaseRelease ConvertFromSurrogate(in LeaseReleaseSurrogate surrogate) =>
        new() { Resource = surrogate.Resource, Token = surrogate.Token, Replayed = surrogate.Replayed };

    public LeaseReleaseSurrogate ConvertToSurrogate(in LeaseRelease value) => new(value.Resource, value.Token, value.Replayed);
}
