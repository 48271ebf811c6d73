using System.Reflection;
using Orleans;

namespace OrleansLeases.GrainInterfaces.Tests;

/// <summary>The contract types that cross, and what they cross as: found by reflection, so that a new one is not forgotten.</summary>
internal static class Contracts
{
    // The service fans a batch out to the grains of its leases, and asks each kind of watch of another grain.
    private static readonly Type[] StayingHome =
    [
        typeof(RenewBatchRequest), typeof(RenewBatchReply), typeof(BatchRequest), typeof(BatchReply), typeof(BatchResult),
        .. typeof(BatchOperation).GetNestedTypes(), typeof(WatchRequest),
        // Between a client and the gateway, or in one process.
        typeof(AccessRule), typeof(QuotaRule), typeof(CreateApiKeyRequest), typeof(ApiKeyInfo), typeof(CreatedApiKey), typeof(ApiKeyList),
        typeof(RevokedApiKey), typeof(CallerInfo), typeof(CallerRule), typeof(AuditRecord), typeof(LeaseProof), typeof(LeaseProofOptions),
        typeof(RetiredProofKeys),
    ];

    public static Assembly GrainInterfaces { get; } = typeof(ILeaseGrain).Assembly;

    /// <summary>Every public record of the abstractions that can be made, and the values around and in them.</summary>
    public static IReadOnlyList<Type> Crossing { get; } =
    [
        .. typeof(ILeaseService).Assembly.GetExportedTypes()
            .Where(type => type.GetMethod("<Clone>$") is not null && !type.IsAbstract)
            .Except(StayingHome)
            .Append(typeof(LeaseResult<>))
            .Append(typeof(WatchPoint)),
    ];

    /// <summary>By contract type, its surrogate. Generic ones as their definitions.</summary>
    public static IReadOnlyDictionary<Type, Type> Surrogates { get; } = (
        from converter in GrainInterfaces.GetTypes()
        where converter.IsDefined(typeof(RegisterConverterAttribute))
        from contract in converter.GetInterfaces()
        where contract.IsGenericType && contract.GetGenericTypeDefinition() == typeof(IConverter<,>)
        select contract.GetGenericArguments()).ToDictionary(pair => Definition(pair[0]), pair => Definition(pair[1]));

    /// <summary>The cases of the refusal.</summary>
    public static IEnumerable<Type> Refusals => Crossing.Where(type => type.IsSubclassOf(typeof(Refusal)));

    public static IEnumerable<PropertyInfo> PropertiesOf(Type contract) =>
        contract.GetProperties(BindingFlags.Instance | BindingFlags.Public);

    /// <summary>
    /// What a surrogate writes, by id: Orleans numbers the parameters of a positional record in their order, and takes the ids of
    /// fields from their attributes.
    /// </summary>
    public static IEnumerable<(uint Id, string Name, Type Type)> MembersOf(Type surrogate)
    {
        var fields = surrogate.GetFields().Select(field => (field.GetCustomAttribute<IdAttribute>()!.Id, field.Name, field.FieldType));
        var positional = surrogate.GetConstructors().SelectMany(constructor => constructor.GetParameters())
            .Select(parameter => ((uint)parameter.Position, parameter.Name!, parameter.ParameterType));
        return fields.Concat(positional).OrderBy(member => member.Item1);
    }

    private static Type Definition(Type type) => type.IsGenericType ? type.GetGenericTypeDefinition() : type;
}
