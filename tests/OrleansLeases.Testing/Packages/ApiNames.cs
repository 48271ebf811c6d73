using System.Reflection;

namespace OrleansLeases.Testing.Packages;

/// <summary>The names of types as C# has them, with what may be null.</summary>
internal static class ApiNames
{
    private static readonly NullabilityInfoContext Nullability = new();

    private static readonly Dictionary<Type, string> Keywords = new()
    {
        [typeof(void)] = "void", [typeof(object)] = "object", [typeof(string)] = "string", [typeof(bool)] = "bool", [typeof(byte)] = "byte",
        [typeof(char)] = "char", [typeof(short)] = "short", [typeof(int)] = "int", [typeof(long)] = "long", [typeof(double)] = "double",
    };

    public static string Of(Type type) => Of(type, null);

    public static string Of(FieldInfo field) => Of(field.FieldType, Of(Nullability.Create, field));

    public static string Of(PropertyInfo property) => Of(property.PropertyType, Of(Nullability.Create, property));

    public static string Of(ParameterInfo parameter) => Of(parameter.ParameterType, Of(Nullability.Create, parameter));

    public static string OfReturn(MethodInfo method) => Of(method.ReturnParameter);

    public static string ConstraintsOf(Type[] parameters) => string.Concat(parameters.Where(parameter => parameter.IsGenericParameter).Select(parameter =>
    {
        var special = parameter.GenericParameterAttributes & GenericParameterAttributes.SpecialConstraintMask;
        var isValue = special.HasFlag(GenericParameterAttributes.NotNullableValueTypeConstraint);
        var all = parameter.GetGenericParameterConstraints().Where(constraint => constraint != typeof(ValueType)).Select(Of);
        if (special.HasFlag(GenericParameterAttributes.ReferenceTypeConstraint)) all = all.Prepend("class");
        if (isValue) all = all.Prepend("struct");
        else if (special.HasFlag(GenericParameterAttributes.DefaultConstructorConstraint)) all = all.Append("new()");
        var constraints = string.Join(", ", all);
        return constraints.Length > 0 ? $" where {parameter.Name} : {constraints}" : "";
    }));

    // The context is not made for several threads.
    private static NullabilityInfo Of<T>(Func<T, NullabilityInfo> create, T member)
    {
        lock (Nullability) return create(member);
    }

    private static string Of(Type type, NullabilityInfo? info)
    {
        if (type.IsByRef) return Of(type.GetElementType()!, info?.ElementType ?? info);
        if (Nullable.GetUnderlyingType(type) is { } value) return Of(value) + '?';
        // Of an open type nobody can say, so it would always be marked.
        if (type.IsGenericParameter) return type.Name;
        var mark = !type.IsValueType && info?.ReadState == NullabilityState.Nullable ? "?" : "";
        if (type.IsArray) return $"{Of(type.GetElementType()!, info?.ElementType)}[]{mark}";
        if (Keywords.TryGetValue(type, out var keyword)) return keyword + mark;
        var name = type.Name.Split('`')[0];
        // A nested type has the type parameters of the one around it before its own.
        var outer = type.DeclaringType?.GetGenericArguments().Length ?? 0;
        var own = type.GetGenericArguments()[outer..];
        if (own.Length > 0) name += $"<{string.Join(", ", own.Select((argument, i) => Of(argument, info?.GenericTypeArguments.ElementAtOrDefault(outer + i))))}>";
        return (type.DeclaringType is { } around ? $"{Of(around)}.{name}" : name) + mark;
    }
}
