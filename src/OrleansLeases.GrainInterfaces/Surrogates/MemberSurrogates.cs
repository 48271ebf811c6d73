namespace OrleansLeases.Surrogates;

[GenerateSerializer, Alias("OrleansLeases.Surrogates.MemberList"), Immutable]
internal record struct MemberListSurrogate(ServiceMember[] Members);

[RegisterConverter]
internal sealed class MemberListConverter : IConverter<MemberList, MemberListSurrogate>
{
    public MemberList ConvertFromSurrogate(in MemberListSurrogate surrogate) => new() { Members = surrogate.Members };

    public MemberListSurrogate ConvertToSurrogate(in MemberList value) => new(WireCollections.Array(value.Members));
}

[GenerateSerializer, Alias("OrleansLeases.Surrogates.ServiceMember"), Immutable]
internal record struct ServiceMemberSurrogate(
    string Name, string? Address, MemberState State, string? Detail, string? Version, TimeSpan? ClockOffset, long? Held, long? Waiters,
    long? Records, long? DiskBytes);

[RegisterConverter]
internal sealed class ServiceMemberConverter : IConverter<ServiceMember, ServiceMemberSurrogate>
{
    public ServiceMember ConvertFromSurrogate(in ServiceMemberSurrogate surrogate) => new()
    {
        Name = surrogate.Name, Address = surrogate.Address, State = surrogate.State, Detail = surrogate.Detail,
        Version = surrogate.Version, ClockOffset = surrogate.ClockOffset, Held = surrogate.Held, Waiters = surrogate.Waiters,
        Records = surrogate.Records, DiskBytes = surrogate.DiskBytes,
    };

    public ServiceMemberSurrogate ConvertToSurrogate(in ServiceMember value) => new(
        value.Name, value.Address, value.State, value.Detail, value.Version, value.ClockOffset, value.Held, value.Waiters,
        value.Records, value.DiskBytes);
}
