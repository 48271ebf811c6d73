namespace OrleansLeases.Surrogates;

[GenerateSerializer, Alias("OrleansLeases.Surrogates.RenewRequest"), Immutable]
internal struct RenewRequestSurrogate
{
    [Id(0)] public string Resource;
    [Id(1)] public string Owner;
    [Id(2)] public long Token;
    [Id(3)] public TimeSpan? Ttl;
}

[RegisterConverter]
internal sealed class RenewRequestConverter : IConverter<RenewRequest, RenewRequestSurrogate>
{
    public RenewRequest ConvertFromSurrogate(in RenewRequestSurrogate surrogate) => new()
    {
        Resource = surrogate.Resource,
        Owner = surrogate.Owner,
        Token = surrogate.Token,
        Ttl = surrogate.Ttl,
    };

    public RenewRequestSurrogate ConvertToSurrogate(in RenewRequest value) => new()
    {
        Resource = value.Resource,
        Owner = value.Owner,
        Token = value.Token,
        Ttl = value.Ttl,
    };
}

[GenerateSerializer, Alias("OrleansLeases.Surrogates.LeaseRenewal"), Immutable]
internal struct LeaseRenewalSurrogate
{
    [Id(0)] public string Resource;
    [Id(1)] public long Token;
    [Id(2)] public TimeSpan Ttl;
    [Id(3)] public TimeSpan Remaining;
    [Id(4)] public TimeSpan Elapsed;
    [Id(5)] public TimeSpan RenewAfter;
    [Id(6)] public BreakNotice? Breaking;
}

[RegisterConverter]
internal sealed class LeaseRenewalConverter : IConverter<LeaseRenewal, LeaseRenewalSurrogate>
{
    public LeaseRenewal ConvertFromSurrogate(in LeaseRenewalSurrogate surrogate) => new()
    {
        Resource = surrogate.Resource,
        Token = surrogate.Token,
        Ttl = surrogate.Ttl,
        Remaining = surrogate.Remaining,
        Elapsed = surrogate.Elapsed,
        RenewAfter = surrogate.RenewAfter,
        Breaking = surrogate.Breaking,
    };

    public LeaseRenewalSurrogate ConvertToSurrogate(in LeaseRenewal value) => new()
    {
        Resource = value.Resource,
        Token = value.Token,
        Ttl = value.Ttl,
        Remaining = value.Remaining,
        Elapsed = value.Elapsed,
        RenewAfter = value.RenewAfter,
        Breaking = value.Breaking,
    };
}

[GenerateSerializer, Alias("OrleansLeases.Surrogates.BreakNotice"), Immutable]
internal struct BreakNoticeSurrogate
{
    [Id(0)] public TimeSpan EndsIn;
    [Id(1)] public string Reason;
}

[RegisterConverter]
internal sealed class BreakNoticeConverter : IConverter<BreakNotice, BreakNoticeSurrogate>
{
    public BreakNotice ConvertFromSurrogate(in BreakNoticeSurrogate surrogate) => new()
    {
        EndsIn = surrogate.EndsIn,
        Reason = surrogate.Reason,
    };

    public BreakNoticeSurrogate ConvertToSurrogate(in BreakNotice value) => new()
    {
        EndsIn = value.EndsIn,
        Reason = value.Reason,
    };
}
