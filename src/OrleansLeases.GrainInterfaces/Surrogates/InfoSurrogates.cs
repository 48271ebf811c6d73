namespace OrleansLeases.Surrogates;

[GenerateSerializer, Alias("OrleansLeases.Surrogates.ServiceInfo"), Immutable]
internal record struct ServiceInfoSurrogate(
    string Version, string Engine, bool Durable, int Epoch, TimeSpan Grace, LeaseLimits Limits, string? Service, TimeSpan Retain);

[RegisterConverter]
internal sealed class ServiceInfoConverter : IConverter<ServiceInfo, ServiceInfoSurrogate>
{
    public ServiceInfo ConvertFromSurrogate(in ServiceInfoSurrogate surrogate) => new()
    {
        Version = surrogate.Version, Engine = surrogate.Engine, Durable = surrogate.Durable, Epoch = surrogate.Epoch,
        Grace = surrogate.Grace, Limits = surrogate.Limits, Service = surrogate.Service, Retain = surrogate.Retain,
    };

    public ServiceInfoSurrogate ConvertToSurrogate(in ServiceInfo value) =>
        new(value.Version, value.Engine, value.Durable, value.Epoch, value.Grace, value.Limits, value.Service, value.Retain);
}

[GenerateSerializer, Alias("OrleansLeases.Surrogates.LeaseLimits"), Immutable]
internal record struct LeaseLimitsSurrogate(
    TimeSpan MinTtl, TimeSpan MaxTtl, TimeSpan MaxWait, int MaxHolders, int MaxWaiters, int MaxBatch, int MaxKeys);

[RegisterConverter]
internal sealed class LeaseLimitsConverter : IConverter<LeaseLimits, LeaseLimitsSurrogate>
{
    public LeaseLimits ConvertFromSurrogate(in LeaseLimitsSurrogate surrogate) => new()
    {
        MinTtl = surrogate.MinTtl, MaxTtl = surrogate.MaxTtl, MaxWait = surrogate.MaxWait, MaxHolders = surrogate.MaxHolders,
        MaxWaiters = surrogate.MaxWaiters, MaxBatch = surrogate.MaxBatch, MaxKeys = surrogate.MaxKeys,
    };

    public LeaseLimitsSurrogate ConvertToSurrogate(in LeaseLimits value) =>
        new(value.MinTtl, value.MaxTtl, value.MaxWait, value.MaxHolders, value.MaxWaiters, value.MaxBatch, value.MaxKeys);
}
