using System.Collections;
using System.Reflection;
using Orleans;
using Orleans.Runtime;

namespace OrleansLeases.GrainInterfaces.Tests;

/// <summary>Nothing that crosses was forgotten: neither a contract, nor a property, nor an alias.</summary>
public sealed class CompletenessTests
{
    private static readonly IEnumerable<Type> OwnTypes = Contracts.GrainInterfaces.GetTypes()
        .Where(type => type.Namespace is "OrleansLeases" or "OrleansLeases.Surrogates");

    private static IEnumerable<Type> Interfaces => OwnTypes.Where(type => type.IsInterface && type.IsAssignableTo(typeof(IAddressable)));

    private static IEnumerable<MethodInfo> Methods => Interfaces.SelectMany(type => type.GetMethods());

    [Fact]
    public void Converters_AreThereForEveryContractThatCrosses() =>
        Assert.Equal(Names(Contracts.Crossing), Names(Contracts.Surrogates.Keys));

    [Fact]
    public void Surrogates_HaveAFieldForEveryProperty() => Assert.All(
        Contracts.Surrogates.Where(pair => !pair.Key.IsSubclassOf(typeof(Refusal))),
        pair => Assert.Equal(
            Contracts.PropertiesOf(pair.Key).Where(property => property.CanWrite || !pair.Key.IsSubclassOf(typeof(WatchEvent))).Select(
                property => property.Name).Order(StringComparer.Ordinal), FieldsOf(pair.Value)));

    [Fact]
    public void RefusalSurrogate_HasAFieldForEveryPropertyOfEveryCase() => Assert.Equal(
        Contracts.Refusals.SelectMany(Contracts.PropertiesOf).Select(property => property.Name).Distinct().Order(StringComparer.Ordinal),
        FieldsOf(Contracts.Surrogates[typeof(Refusal.Held)]));

    [Fact]
    public void Samples_ShowEveryPropertyOfEveryContract() => Assert.All(
        Contracts.Crossing.Except([typeof(LeaseResult<>)]),
        contract =>
        {
            var samples = Samples.All.Values.Where(sample => sample.GetType() == contract).ToList();
            Assert.NotEmpty(samples);
            Assert.Empty(
                Contracts.PropertiesOf(contract)
                    .Where(property => samples.All(sample => IsDefault(property.GetValue(sample))))
                    .Select(property => property.Name));
        });

    [Fact]
    public void Aliases_AreOnEveryInterfaceMethodAndSurrogate()
    {
        var surrogates = OwnTypes.Where(type => type.IsDefined(typeof(GenerateSerializerAttribute)));

        Assert.Equal(Names(Contracts.Surrogates.Values.Distinct()), Names(surrogates));
        Assert.NotEmpty(Interfaces);
        Assert.Empty(
            Interfaces.Concat<MemberInfo>(Methods).Concat(surrogates)
                .Where(member => !member.IsDefined(typeof(AliasAttribute)))
                .Select(member => $"{member.DeclaringType?.Name} {member.Name}"));
    }

    [Fact]
    public void Aliases_OfTypes_AreUniqueAndOurs()
    {
        var aliases = OwnTypes.Select(type => type.GetCustomAttribute<AliasAttribute>()?.Alias).OfType<string>().ToList();

        Assert.Equal(aliases.Distinct(), aliases);
        Assert.All(aliases, alias => Assert.StartsWith("OrleansLeases.", alias, StringComparison.Ordinal));
    }

    [Fact]
    public void Requests_AreImmutableParameters() => Assert.All(
        Methods.SelectMany(method => method.GetParameters()).Where(parameter => Contracts.Crossing.Contains(parameter.ParameterType)),
        parameter => Assert.True(parameter.IsDefined(typeof(ImmutableAttribute)), $"{parameter.Member.Name} copies its {parameter.Name}."));

    [Fact]
    public void Methods_CanBeCancelled() => Assert.All(
        Methods,
        method => Assert.True(
            method.GetParameters() is [.., { HasDefaultValue: true } last] && last.ParameterType == typeof(CancellationToken),
            method.Name));

    private static IEnumerable<string> FieldsOf(Type surrogate) =>
        Contracts.MembersOf(surrogate).Select(member => member.Name).Order(StringComparer.Ordinal);

    private static IEnumerable<string> Names(IEnumerable<Type> types) => types.Select(type => type.FullName!).Order(StringComparer.Ordinal);

    private static bool IsDefault(object? value) => value switch
    {
        null => true,
        ValueType => value.Equals(Activator.CreateInstance(value.GetType())),
        string => false,
        IEnumerable list => !list.Cast<object?>().Any(),
        _ => false,
    };
}
