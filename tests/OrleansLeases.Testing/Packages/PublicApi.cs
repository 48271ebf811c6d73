using System.CodeDom.Compiler;
using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;

namespace OrleansLeases.Testing.Packages;

/// <summary>What a library shows to whoever references it, as text, out of the compiled assembly.</summary>
public static class PublicApi
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    /// <summary>Renders a library: its types by name, and of each the members that are public or protected.</summary>
    /// <param name="library">The library.</param>
    /// <returns>The text, with a line for each type and member.</returns>
    public static string Render(Assembly library)
    {
        ArgumentNullException.ThrowIfNull(library);
        var text = new StringBuilder();
        foreach (var space in library.GetExportedTypes().Where(IsOurs).GroupBy(type => type.Namespace ?? "").OrderBy(space => space.Key, StringComparer.Ordinal))
        {
            text.Append("namespace ").Append(space.Key).Append("\n\n");
            foreach (var type in space.OrderBy(type => ApiNames.Of(type), StringComparer.Ordinal))
            {
                text.Append(HeadingOf(type)).Append('\n');
                foreach (var member in MembersOf(type)) text.Append("  ").Append(member).Append('\n');
                text.Append('\n');
            }
        }

        return text.ToString().TrimEnd('\n') + '\n';
    }

    // Orleans generates public types of its own.
    private static bool IsOurs(Type type) => type.Namespace?.StartsWith("OrleansCodeGen", StringComparison.Ordinal) != true;

    private static string HeadingOf(Type type)
    {
        if (type.IsEnum) return $"enum {ApiNames.Of(type)}{(type.GetEnumUnderlyingType() == typeof(int) ? "" : $" : {ApiNames.Of(type.GetEnumUnderlyingType())}")}";
        if (type.IsSubclassOf(typeof(Delegate)))
        {
            var call = type.GetMethod("Invoke")!;
            return $"delegate {ApiNames.OfReturn(call)} {ApiNames.Of(type)}({ParametersOf(call)})";
        }

        var isRecord = type.GetMethod("<Clone>$", Declared) is not null || (type.IsValueType && type.GetMethod("PrintMembers", Declared) is not null);
        var modifiers = type switch
        {
            { IsInterface: true } => "interface ",
            { IsValueType: true } => (type.IsDefined(typeof(IsReadOnlyAttribute)) ? "readonly " : "") + (isRecord ? "record struct " : "struct "),
            { IsAbstract: true, IsSealed: true } => "static class ",
            _ => (type.IsAbstract ? "abstract " : type.IsSealed ? "sealed " : "") + (isRecord ? "record " : "class "),
        };
        var inherited = type.GetInterfaces().SelectMany(parent => parent.GetInterfaces()).Concat(type.BaseType?.GetInterfaces() ?? []);
        var parents = type.GetInterfaces().Except(inherited).Select(ApiNames.Of).Order(StringComparer.Ordinal).AsEnumerable();
        // What the compiler adds to every record.
        if (isRecord) parents = parents.Where(parent => parent != $"IEquatable<{ApiNames.Of(type)}>");
        if (type.BaseType is { } above && above != typeof(object) && above != typeof(ValueType)) parents = parents.Prepend(ApiNames.Of(above));
        var bases = string.Join(", ", parents);
        return $"{modifiers}{ApiNames.Of(type)}{(bases.Length > 0 ? $" : {bases}" : "")}{ApiNames.ConstraintsOf(type.GetGenericArguments())}";
    }

    private static IEnumerable<string> MembersOf(Type type)
    {
        // What a generator adds to a type follows from other types.
        if (type.IsSubclassOf(typeof(Delegate)) || type.IsDefined(typeof(GeneratedCodeAttribute))) return [];
        if (type.IsEnum) return type.GetFields(BindingFlags.Public | BindingFlags.Static).OrderBy(field => field.GetRawConstantValue()).Select(field => $"{field.Name} = {field.GetRawConstantValue()}");
        var constructors = type.GetConstructors(Declared).Where(IsWritten).Select(made => $"{ModifiersOf(made)}{type.Name.Split('`')[0]}({ParametersOf(made)})");
        var fields = type.GetFields(Declared).Where(field => field is { IsPublic: true } or { IsFamily: true } or { IsFamilyOrAssembly: true }).Select(Field);
        var properties = type.GetProperties(Declared).Where(property => property.GetAccessors(true).Any(IsShown) && property.Name != "EqualityContract").Select(Property);
        var events = type.GetEvents(Declared).Where(raised => IsShown(raised.AddMethod!)).Select(raised => $"{ModifiersOf(raised.AddMethod!)}event {ApiNames.Of(raised.EventHandlerType!)} {raised.Name}");
        var methods = type.GetMethods(Declared).Where(IsWritten).Where(method => !method.IsSpecialName || method.Name.StartsWith("op_", StringComparison.Ordinal)).Select(Method);
        return constructors.Order(StringComparer.Ordinal).Concat(new[] { fields, properties, events, methods }.SelectMany(kind => kind.OrderBy(SortKey, StringComparer.Ordinal)));
    }

    private static bool IsShown(MethodBase method) => method is { IsPublic: true } or { IsFamily: true } or { IsFamilyOrAssembly: true };

    // What the compiler made of a record's heading would only repeat it.
    private static bool IsWritten(MethodBase method) => IsShown(method) && !method.IsDefined(typeof(CompilerGeneratedAttribute));

    // By the member's name, whatever stands before it.
    private static string SortKey(string member)
    {
        var name = member.Split('(', '{', '=')[0].TrimEnd();
        return $"{name[(name.LastIndexOf(' ') + 1)..]} {member}";
    }

    private static string Field(FieldInfo field) => field.IsLiteral
        ? $"const {ApiNames.Of(field.FieldType)} {field.Name} = {Literal(field.GetRawConstantValue())}"
        : $"{(field.IsPublic ? "" : "protected ")}{(field.IsStatic ? "static " : "")}{(field.IsInitOnly ? "readonly " : "")}{ApiNames.Of(field)} {field.Name}";

    private static string Property(PropertyInfo property)
    {
        var getter = property.GetMethod is { } get && IsShown(get) ? get : null;
        var setter = property.SetMethod is { } set && IsShown(set) ? set : null;
        var isInit = setter?.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)) == true;
        var required = property.IsDefined(typeof(RequiredMemberAttribute)) ? "required " : "";
        var name = property.GetIndexParameters().Length > 0 ? $"this[{string.Join(", ", property.GetIndexParameters().Select(Parameter))}]" : property.Name;
        return $"{ModifiersOf(getter ?? setter!)}{required}{ApiNames.Of(property)} {name} {{ {(getter is null ? "" : "get; ")}{(setter is null ? "" : isInit ? "init; " : "set; ")}}}";
    }

    private static string Method(MethodInfo method)
    {
        var generics = method.GetGenericArguments();
        var name = method.Name.Split('`')[0] + (generics.Length > 0 ? $"<{string.Join(", ", generics.Select(ApiNames.Of))}>" : "");
        return $"{ModifiersOf(method)}{ApiNames.OfReturn(method)} {name}({(method.IsDefined(typeof(ExtensionAttribute)) ? "this " : "")}{ParametersOf(method)}){ApiNames.ConstraintsOf(generics)}";
    }

    private static string ModifiersOf(MethodBase method)
    {
        var access = method.IsPublic ? "" : "protected ";
        if (method.DeclaringType!.IsInterface || method is ConstructorInfo) return access;
        return access + method switch
        {
            { IsStatic: true } => "static ",
            MethodInfo overriding when overriding.GetBaseDefinition() != overriding => overriding.IsAbstract ? "abstract override " : "override ",
            { IsAbstract: true } => "abstract ",
            { IsVirtual: true, IsFinal: false } => "virtual ",
            _ => "",
        };
    }

    private static string ParametersOf(MethodBase method) => string.Join(", ", method.GetParameters().Select(Parameter));

    private static string Parameter(ParameterInfo parameter)
    {
        var way = parameter switch
        {
            { IsOut: true } => "out ",
            { ParameterType.IsByRef: true, IsIn: true } => "in ",
            { ParameterType.IsByRef: true } => "ref ",
            _ => parameter.IsDefined(typeof(ParamArrayAttribute)) ? "params " : "",
        };
        return $"{way}{ApiNames.Of(parameter)} {parameter.Name}{(parameter.HasDefaultValue ? $" = {Default(parameter)}" : "")}";
    }

    private static string Default(ParameterInfo parameter) =>
        parameter.RawDefaultValue is null && parameter.ParameterType.IsValueType && Nullable.GetUnderlyingType(parameter.ParameterType) is null ? "default" : Literal(parameter.RawDefaultValue);

    private static string Literal(object? value) => value switch
    {
        null => "null",
        string text => $"\"{text}\"",
        bool flag => flag ? "true" : "false",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };
}
