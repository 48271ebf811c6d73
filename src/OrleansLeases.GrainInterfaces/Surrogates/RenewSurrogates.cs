namespace OrleansLeases.Surrogates;

[GenerateSerializer, Alias("OrleansLeases.Surrogates.RenewRequest"), Immutable]
internal record struct RenewRequestSurrogate(string Resource, string Owner, long Token, TimeSpan? Ttl);

[RegisterConverter]
internal sealed class RenewRequestConverter : IConverter<RenewRequest, RenewRequestSurrogate>
{
    public RenewRequest ConvertFromSurrogate(in RenewRequestSurrogate surrogate) =>
        new() { Resource = surrogate.Resource, Owner = surrogate.Owner, Token = surrogate.Token, Ttl = surrogate.Ttl };

    public RenewRequestSurrogate ConvertToSurrogate(in RenewRequest value) =>
        new(value.Resource, value.Owner, value.Token, value.Ttl);
}

[GenerateSerializer, Alias("OrleansLeases.Surrogates.LeaseRenewal"), Immutable]
internal record struct LeaseRenewalSurrogate(
    string Resource, long Token, TimeSpan Ttl, TimeSpan Remaining, TimeSpan Elapsed, TimeSpan RenewAfter, BreakNotice? Breaking);

[RegisterConverter]
internal sealed class LeaseRenewalConverter : IConverter<LeaseRenewal, LeaseRenewalSurrogate>
{
    public LeaseRenewal ConvertFromSurrogate(in LeaseRenewalSurrogate surrogate) => new()
    {
        Resource = surrogate.Resource, Token = surrogate.Token, Ttl = surrogate.Ttl, Remaining = surrogate.Remaining,
        Elapsed = surrogate.Elapsed, RenewAfter = surrogate.RenewAfter, Breaking = surrogate.Breaking,
    };

    public LeaseRenewalSurrogate ConvertToSurrogate(in LeaseRenewal value) =>
        new(value.Resource, value.Token, value.Ttl, value.Remaining, value.Elapsed, value.RenewAfter, value.Breaking);
}

[GenerateSerializer, Alias("OrleansLeases.Surrogates.BreakNotice"), Immutable]
internal record struct BreakNoticeSurrogate(TimeSpan EndsIn, string Reason);

[RegisterConverter]
internal sealed class BreakNoticeConverter : IConverter<BreakNotice, BreakNoticeSurrogate>
{
    public BreakNotice ConvertFromSurrogate(in BreakNoticeSurrogate surrogate) =>
        new() { EndsIn = surrogate.EndsIn, Reason = surrogate.Reason };

    public BreakNoticeSurrogate ConvertToSurrogate(in BreakNotice value) => new(value.EndsIn, value.Reason);
}
