using System.Reflection;
using System.Text;
using Orleans;
using Orleans.Runtime;

namespace OrleansLeases.GrainInterfaces.Tests;

/// <summary>What silos and clients of different versions must agree on, as text, out of the compiled assembly.</summary>
internal static class WireContract
{
    private static readonly Dictionary<Type, string> Keywords = new()
    {
        [typeof(bool)] = "bool", [typeof(int)] = "int", [typeof(long)] = "long", [typeof(string)] = "string",
    };

    public static string Render()
    {
        var text = new StringBuilder();
        var interfaces = Contracts.GrainInterfaces.GetExportedTypes().Where(IsGrainInterface);
        foreach (var type in interfaces.OrderBy(AliasOf, StringComparer.Ordinal)) Interface(text, type);

        var surrogates = Contracts.Surrogates.GroupBy(pair => pair.Value, pair => pair.Key);
        foreach (var surrogate in surrogates.OrderBy(group => AliasOf(group.Key), StringComparer.Ordinal)) Surrogate(text, surrogate);

        var enums = Contracts.Surrogates.Values.SelectMany(Contracts.MembersOf).Select(member => member.Type)
            .Where(type => type.IsEnum);
        foreach (var type in enums.Distinct().OrderBy(type => type.Name, StringComparer.Ordinal)) Enumeration(text, type);
        return text.ToString();
    }

    private static bool IsGrainInterface(Type type) =>
        type.IsInterface && type.IsAssignableTo(typeof(IAddressable)) && type.Namespace == "OrleansLeases";

    private static void Interface(StringBuilder text, Type type)
    {
        var parents = type.GetInterfaces().Select(parent => parent.Name).Order(StringComparer.Ordinal);
        text.Append("interface ").Append(AliasOf(type)).Append(" : ").AppendJoin(", ", parents).Append('\n');
        foreach (var method in type.GetMethods().OrderBy(AliasOf, StringComparer.Ordinal))
        {
            var parameters = method.GetParameters().Select(parameter => NameOf(parameter.ParameterType));
            text.Append("  ").Append(AliasOf(method)).Append('(').AppendJoin(", ", parameters).Append(") -> ").Append(
                NameOf(method.ReturnType));
            // How a call is scheduled and how long its answer may take travel with the call.
            foreach (var attribute in method.GetCustomAttributes().Where(IsOfTheCall))
            {
                var told = attribute is ResponseTimeoutAttribute { Timeout: { } timeout }
                    ? $"ResponseTimeout {timeout:c}"
                    : attribute.GetType().Name;
                text.Append(" [").Append(told).Append(']');
            }

            text.Append('\n');
        }

        text.Append('\n');
    }

    private static bool IsOfTheCall(Attribute attribute) =>
        attribute is not AliasAttribute && attribute.GetType().Namespace!.StartsWith("Orleans", StringComparison.Ordinal);

    private static void Surrogate(StringBuilder text, IGrouping<Type, Type> surrogate)
    {
        text.Append("surrogate ").Append(AliasOf(surrogate.Key)).Append('\n');
        foreach (var name in surrogate.Select(Wire.NameOf).Order(StringComparer.Ordinal)) text.Append("  of ").Append(name).Append('\n');
        foreach (var (id, name, type) in Contracts.MembersOf(surrogate.Key))
            text.Append("  ").Append(id).Append(' ').Append(name).Append(": ").Append(NameOf(type)).Append('\n');
        text.Append('\n');
    }

    private static void Enumeration(StringBuilder text, Type type)
    {
        text.Append("enum ").Append(type.FullName).Append(" : ").Append(NameOf(type.GetEnumUnderlyingType())).Append('\n');
        foreach (var value in type.GetEnumValues().Cast<object>())
        {
            text.Append("  ").Append($"{value:d}").Append(' ').Append(value).Append('\n');
        }

        text.Append('\n');
    }

    private static string AliasOf(MemberInfo member) => member.GetCustomAttribute<AliasAttribute>()?.Alias ?? $"(no alias: {member.Name})";

    private static string NameOf(Type type) => type switch
    {
        { IsArray: true } => $"{NameOf(type.GetElementType()!)}[]",
        _ when Nullable.GetUnderlyingType(type) is { } inner => $"{NameOf(inner)}?",
        { IsGenericType: true } => $"{type.Name.Split('`')[0]}<{string.Join(", ", type.GetGenericArguments().Select(NameOf))}>",
        _ => Keywords.GetValueOrDefault(type, type.Name),
    };
}
