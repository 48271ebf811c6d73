namespace OrleansLeases.Surrogates;

[GenerateSerializer, Alias("OrleansLeases.Surrogates.ServiceInfo"), Immutable]
internal struct ServiceInfoSurrogate
{
    [Id(0)] public string Version;
    [Id(1)] public string Engine;
    [Id(2)] public bool Durable;
    [Id(3)] public int Epoch;
    [Id(4)] public TimeSpan Grace;
    [Id(5)] public LeaseLimits Limits;
}

[RegisterConverter]
internal sealed class ServiceInfoConverter : IConverter<ServiceInfo, ServiceInfoSurrogate>
{
    public ServiceInfo ConvertFromSurrogate(in ServiceInfoSurrogate surrogate) => new()
    {
        Version = surrogate.Version,
        Engine = surrogate.Engine,
        Durable = surrogate.Durable,
        Epoch = surrogate.Epoch,
        Grace = surrogate.Grace,
        Limits = surrogate.Limits,
    };

    public ServiceInfoSurrogate ConvertToSurrogate(in ServiceInfo value) => new()
    {
        Version = value.Version,
        Engine = value.Engine,
        Durable = value.Durable,
        Epoch = value.Epoch,
        Grace = value.Grace,
        Limits = value.Limits,
    };
}

[GenerateSerializer, Alias("OrleansLeases.Surrogates.LeaseLimits"), Immutable]
internal struct LeaseLimitsSurrogate
{
    [Id(0)] public TimeSpan MinTtl;
    [Id(1)] public TimeSpan MaxTtl;
    [Id(2)] public TimeSpan MaxWait;
    [Id(3)] public int MaxHolders;
    [Id(4)] public int MaxWaiters;
    [Id(5)] public int MaxBatch;
    [Id(6)] public int MaxKeys;
}

[RegisterConverter]
internal sealed class LeaseLimitsConverter : IConverter<LeaseLimits, LeaseLimitsSurrogate>
{
    public LeaseLimits ConvertFromSurrogate(in LeaseLimitsSurrogate surrogate) => new()
    {
        MinTtl = surrogate.MinTtl,
        MaxTtl = surrogate.MaxTtl,
        MaxWait = surrogate.MaxWait,
        MaxHolders = surrogate.MaxHolders,
        MaxWaiters = surrogate.MaxWaiters,
        MaxBatch = surrogate.MaxBatch,
        MaxKeys = surrogate.MaxKeys,
    };

    public LeaseLimitsSurrogate ConvertToSurrogate(in LeaseLimits value) => new()
    {
        MinTtl = value.MinTtl,
        MaxTtl = value.MaxTtl,
        MaxWait = value.MaxWait,
        MaxHolders = value.MaxHolders,
        MaxWaiters = value.MaxWaiters,
        MaxBatch = value.MaxBatch,
        MaxKeys = value.MaxKeys,
    };
}
